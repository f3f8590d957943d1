// swift-tools-version: 6.2
// Fuzz targets, one per wire format. A package of its own: libFuzzer and its instrumentation are for nobody else.
import PackageDescription

let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "doorbell", path: "..")],
    targets: [
        .executableTarget(
            name: "vfio-user-messages",
            dependencies: [.product(name: "DoorbellRooms", package: "doorbell")],
            path: "Sources/VFIOUserMessages",
            swiftSettings: [
                .strictMemorySafety(),
                .treatAllWarnings(as: .error),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .unsafeFlags(["-parse-as-library"]),
            ]
        )
    ]
)
