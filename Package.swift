// swift-tools-version: 6.2
import PackageDescription

// Every target of ours: language mode 6, `unsafe` must be written where it is used, warnings are errors.
let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// Targets whose code runs per packet: without cross-module optimisation their generic entry points stay unspecialised
// in the caller, which costs three times the C loop. Exclusive access to class fields is looked after in debug builds, in
// which the tests run; in a release it took two thirds of the instructions of a register access over vfio-user.
let dataPath: [SwiftSetting] =
    strict + [
        .unsafeFlags(
            ["-cross-module-optimization", "-enforce-exclusivity=unchecked"],
            .when(configuration: .release)
        )
    ]

func room(_ name: String, in folder: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(folder)", swiftSettings: dataPath)
}

func platform(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    room(name, in: "Platform/\(name)", dependencies)
}

func service(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    room(name, in: "Services/\(name)", dependencies)
}

/// The three rooms of a device: what both sides agree on, the device's side, the driver's side.
func device(
    _ name: String,
    modelPlatform: [Target.Dependency] = [],
    driverPlatform: [Target.Dependency] = [],
    driverServices: [Target.Dependency]
) -> [Target] {
    let wire = Target.Dependency(stringLiteral: "\(name)Wire")
    return [
        room("\(name)Wire", in: "Hardware/\(name)/Wire", ["Registers"]),
        room(
            "\(name)Model",
            in: "Hardware/\(name)/Model",
            [wire, "Registers", "Clock", "Memory", "PCIe", "Backing"] + modelPlatform
        ),
        room(
            "\(name)Driver",
            in: "Hardware/\(name)/Driver",
            [wire, "Registers", "Leases", "Clock", "Memory", "PCIe", "Interrupts", "Backing"] + driverPlatform
                + driverServices
        ),
    ]
}

func tests(
    _ name: String,
    in folder: String,
    _ dependencies: [Target.Dependency],
    exclude: [String] = []
) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: dependencies,
        path: "Tests/\(folder)",
        exclude: exclude,
        swiftSettings: strict
    )
}

let platformTests: [Target] = [
    tests("Architecture", in: "Architecture", []),
    tests(
        "Conformance",
        in: "Conformance",
        [
            "Backing", "Clock", "Ethernet", "GraceHopperModel", "I225Model", "MANAModel", "Memory", "PCIe",
            "Simulation", "VFIOUserTestClient",
        ]
    ),
    tests("Registers", in: "Platform/Registers", ["Registers"]),
    tests("Leases", in: "Platform/Leases", ["Leases"]),
    tests("Clock", in: "Platform/Clock", ["Clock"]),
    tests("Memory", in: "Platform/Memory", ["Memory", "Leases", "Simulation"]),
    tests("Rings", in: "Platform/Rings", ["Rings"]),
    tests("PCIe", in: "Platform/PCIe", ["PCIe"]),
    tests("Interrupts", in: "Platform/Interrupts", ["Interrupts", "Leases", "Simulation"]),
    tests("Simulation", in: "Platform/Simulation", ["Simulation"]),
    tests(
        "Backing",
        in: "Platform/Backing",
        ["Backing", "Clock", "Interrupts", "Leases", "Memory", "PCIe", "Registers", "Simulation", "VFIOUser"]
    ),
    tests(
        "LinuxVFIO",
        in: "Platform/LinuxVFIO",
        ["Backing", "CLinux", "Interrupts", "Leases", "LinuxVFIO", "Memory", "PCIe", "Registers", "Simulation"]
    ),
]

let vfioUserTests: [Target] = [
    // Also for the conformance suite, which runs over the server as well.
    .target(
        name: "VFIOUserTestClient",
        dependencies: ["VFIOUser", "Backing", "CLinux", "Clock", "Memory", "PCIe"],
        path: "Tests/Platform/VFIOUser/Support",
        swiftSettings: strict
    ),
    tests(
        "VFIOUser",
        in: "Platform/VFIOUser",
        [
            "VFIOUser", "VFIOUserTestClient", "Backing", "CLinux", "Clock", "Ethernet", "I225Model", "I225Wire",
            "Interrupts", "Leases", "Memory", "PCIe", "Registers",
        ],
        exclude: ["Support"]
    ),
]

let package = Package(
    name: "doorbell",
    products: [
        .executable(name: "doorbell", targets: ["doorbell"]),
        .library(name: "Doorbell", targets: ["Doorbell"]),
        // For `Benchmarks`: what is measured there is below the host.
        .library(
            name: "DoorbellRooms",
            targets: [
                "Backing", "CLinux", "Clock", "Ethernet", "Interrupts", "Leases", "Memory", "Netdev", "PCIe",
                "Registers", "Rings",
                "VFIOUser", "VFIOVariant", "XSK", "I225Wire", "I225Model", "I225Driver", "MANAWire", "MANAModel",
                "MANADriver", "GraceHopperWire", "GraceHopperModel", "GraceHopperDriver",
            ]
        ),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        // For `swift package generate-documentation`; nothing links it.
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        .target(name: "CLinux", path: "Sources/Platform/CLinux"),
        platform("Registers", ["CLinux"]),
        platform("Leases"),
        platform("Clock"),
        platform("Memory", ["CLinux", "Leases"]),
        platform("Rings"),
        platform("PCIe"),
        platform("Interrupts", ["CLinux", "Leases"]),
        platform("Simulation"),
        platform("Ethernet", ["CLinux", "Clock", "Memory"]),
        platform(
            "Backing",
            ["CLinux", "Registers", "Leases", "Clock", "Memory", "PCIe", "Interrupts", "Simulation"]
        ),
        platform(
            "VFIOUser",
            ["Backing", "CLinux", "Clock", "Interrupts", "Leases", "Memory", "PCIe", "Registers"]
        ),
        platform(
            "LinuxVFIO",
            ["CLinux", "Registers", "Leases", "Memory", "PCIe", "Interrupts", "Backing"]
        ),
        service("Netdev", ["Clock", "Ethernet", "Memory", "Rings"]),
        service("PTP"),
        service(
            "VFIOVariant",
            ["Backing", "CLinux", "Clock", "Interrupts", "Leases", "Memory", "PCIe", "Registers", "VFIOUser"]
        ),
        service("XSK", ["CLinux", "Leases", "Memory", "Rings"]),
    ]
        + device(
            "I225",
            modelPlatform: ["Ethernet", "Rings"],
            driverPlatform: ["CLinux", "Rings"],
            driverServices: ["Netdev", "PTP", "XSK"]
        )
        + device(
            "MANA",
            modelPlatform: ["Ethernet"],
            driverPlatform: ["Rings"],
            driverServices: ["Netdev", "XSK"]
        )
        + device("GraceHopper", driverServices: ["VFIOVariant"])
        + [
            .target(
                name: "Doorbell",
                dependencies: [
                    "VFIOUser", "LinuxVFIO", "Interrupts", "Leases", "Clock", "Memory", "Registers", "Rings", "PCIe",
                    "Ethernet",
                    "Backing",
                    "Netdev", "PTP",
                    "XSK",
                    "I225Wire", "I225Model", "I225Driver", "MANAWire", "MANAModel", "MANADriver",
                    "GraceHopperWire", "GraceHopperModel", "GraceHopperDriver", "VFIOVariant",
                    .product(name: "Histogram", package: "hdrhistogram-swift"),
                ],
                path: "Sources/Doorbell",
                swiftSettings: dataPath
            ),
            .executableTarget(
                name: "doorbell",
                dependencies: [
                    "Doorbell", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                ],
                path: "Sources/doorbell",
                swiftSettings: strict
            ),
            // For a guest: Guests/igc takes it along.
            .executableTarget(
                name: "igb-trial",
                dependencies: [
                    "Backing", "Clock", "Ethernet", "I225Driver", "I225Wire", "Interrupts", "Leases", "LinuxVFIO",
                    "Memory", "Netdev", "PCIe", "PTP", "Registers", "Rings",
                ],
                path: "Guests/programs/igb-trial",
                swiftSettings: strict
            ),
            .target(name: "TestFrames", path: "Tests/Support/TestFrames", swiftSettings: strict),
            .target(
                name: "TestQueues",
                dependencies: ["Backing", "Leases", "Memory", "Netdev", "Rings", "XSK"],
                path: "Tests/Support/TestQueues",
                swiftSettings: strict
            ),
            tests(
                "Ethernet",
                in: "Platform/Ethernet",
                ["Ethernet", "Backing", "Clock", "Memory", "Simulation", "TestFrames"]
            ),
            tests("I225Wire", in: "Hardware/I225/Wire", ["I225Wire", "Registers"]),
            tests(
                "I225Model",
                in: "Hardware/I225/Model",
                [
                    "I225Model", "I225Wire", "Registers", "Clock", "Memory", "Rings", "PCIe", "Interrupts", "Leases",
                    "Backing", "Ethernet", "Simulation", "TestFrames",
                ]
            ),
            tests(
                "I225Driver",
                in: "Hardware/I225/Driver",
                [
                    "I225Driver", "I225Model", "I225Wire", "Registers", "Clock", "Memory", "Rings", "PCIe",
                    "Interrupts", "Leases", "Backing", "Ethernet", "Simulation", "Netdev", "PTP", "VFIOUser",
                    "VFIOUserTestClient", "XSK",
                    "TestFrames", "TestQueues",
                ]
            ),
            tests(
                "MANADriver",
                in: "Hardware/MANA/Driver",
                [
                    "MANADriver", "MANAModel", "MANAWire", "Registers", "Clock", "Memory", "Rings", "PCIe",
                    "Interrupts", "Leases", "Backing", "Ethernet", "Simulation", "Netdev", "TestFrames", "TestQueues",
                    "VFIOUser", "XSK",
                ]
            ),
            tests("MANAWire", in: "Hardware/MANA/Wire", ["MANAWire", "Registers"]),
            tests(
                "MANAModel",
                in: "Hardware/MANA/Model",
                [
                    "MANAModel", "MANAWire", "Registers", "Clock", "Memory", "PCIe", "Interrupts", "Leases", "Backing",
                    "Ethernet", "Simulation", "TestFrames",
                ]
            ),
            tests("GraceHopperWire", in: "Hardware/GraceHopper/Wire", ["GraceHopperWire"]),
            tests(
                "GraceHopperModel",
                in: "Hardware/GraceHopper/Model",
                [
                    "GraceHopperModel", "GraceHopperWire", "Clock", "Memory", "PCIe", "Interrupts", "Leases", "Backing",
                    "Simulation",
                ]
            ),
            tests(
                "GraceHopperDriver",
                in: "Hardware/GraceHopper/Driver",
                [
                    "GraceHopperDriver", "GraceHopperModel", "GraceHopperWire", "VFIOVariant", "Registers", "Clock",
                    "Memory", "PCIe", "Interrupts", "Leases", "Backing", "Simulation", "VFIOUser", "VFIOUserTestClient",
                ]
            ),
            tests(
                "Doorbell",
                in: "Doorbell",
                [
                    "Doorbell", "Backing", "GraceHopperModel", "GraceHopperWire", "Interrupts", "Leases", "Memory",
                    "PCIe", "Registers", "VFIOUser",
                ],
                exclude: ["Goldens"]
            ),
            tests("PTP", in: "Services/PTP", ["PTP"]),
            tests(
                "VFIOVariant",
                in: "Services/VFIOVariant",
                [
                    "VFIOVariant", "Backing", "Clock", "GraceHopperDriver", "GraceHopperModel", "GraceHopperWire",
                    "Interrupts", "Leases", "Memory", "PCIe", "Simulation", "VFIOUser", "VFIOUserTestClient",
                ]
            ),
            tests(
                "XSK",
                in: "Services/XSK",
                ["XSK", "Leases", "Memory", "Rings", "Simulation"],
                exclude: ["HeaderCheck"]
            ),
        ]
        + platformTests + vfioUserTests
)
