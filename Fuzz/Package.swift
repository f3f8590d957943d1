// swift-tools-version: 6.2
// Fuzz targets, one per interface to others. A package of its own: libFuzzer and its instrumentation are for nobody else.
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-parse-as-library"]),
]

func fuzzer(_ name: String, _ folder: String) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["FuzzInput", .product(name: "DoorbellRooms", package: "doorbell")],
        path: "Sources/\(folder)",
        swiftSettings: strict
    )
}

let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "doorbell", path: "..")],
    targets: [
        .target(name: "FuzzInput", swiftSettings: strict),
        fuzzer("vfio-user-messages", "VFIOUserMessages"),
        fuzzer("vfio-file-calls", "VFIOFileCalls"),
    ]
)
