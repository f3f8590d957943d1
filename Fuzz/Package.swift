// swift-tools-version: 6.2
// Fuzz targets, one per interface to others. A package of its own: libFuzzer and its instrumentation are for nobody else.
import PackageDescription

let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-parse-as-library"]),
]

/// A program that libFuzzer drives.
func fuzzTarget(_ name: String, in folder: String) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["FuzzSupport", .product(name: "DoorbellRooms", package: "doorbell")],
        path: "Sources/\(folder)",
        swiftSettings: settings
    )
}

let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "doorbell", path: "..")],
    targets: [
        .target(name: "FuzzSupport", swiftSettings: settings),
        fuzzTarget("vfio-user-messages", in: "VFIOUserMessages"),
        fuzzTarget("mana-messages", in: "MANAMessages"),
        fuzzTarget("vfio-file-calls", in: "VFIOFileCalls"),
    ]
)
