// swift-tools-version: 6.2
// Measurements against C and against other people's programs. A package of its own, so that the core pays for none.
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let rooms = Target.Dependency.product(name: "DoorbellRooms", package: "doorbell")

let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "doorbell", path: "..")],
    targets: [
        .target(
            name: "CReference",
            cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]
        ),
        .target(name: "Measure", dependencies: [rooms], swiftSettings: strict),
        .executableTarget(
            name: "driver-loop",
            dependencies: ["CReference", "Measure", rooms],
            path: "Sources/DriverLoop",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "mana-loop",
            dependencies: ["CReference", "Measure", rooms],
            path: "Sources/MANALoop",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "two-drivers",
            dependencies: ["Measure", rooms],
            path: "Sources/TwoDrivers",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "mixed-stamping",
            dependencies: ["Measure", rooms],
            path: "Sources/MixedStamping",
            swiftSettings: strict
        ),
        .target(
            name: "CVectorList",
            cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]
        ),
        .executableTarget(
            name: "vectors",
            dependencies: ["CVectorList", "Measure", rooms],
            path: "Sources/VectorCost",
            swiftSettings: strict
        ),
        .target(
            name: "CSocketFloor",
            cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]
        ),
        .executableTarget(
            name: "vfio-user",
            dependencies: ["CSocketFloor", "Measure", "RawMessages", rooms],
            path: "Sources/VFIOUserSpeed",
            swiftSettings: strict
        ),
        .target(name: "RawMessages", swiftSettings: strict),
        .executableTarget(
            name: "coherent-memory",
            dependencies: ["CSocketFloor", "Measure", "RawMessages", rooms],
            path: "Sources/CoherentMemory",
            swiftSettings: strict
        ),
        .target(name: "CountedAllocator", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
        .executableTarget(
            name: "memory",
            dependencies: ["CountedAllocator", "Measure", rooms],
            path: "Sources/MemoryUse",
            swiftSettings: strict
        ),
    ]
)
