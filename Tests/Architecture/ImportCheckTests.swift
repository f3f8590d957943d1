// The checker sees what it is there to see: each made-up house breaks one rule.

import Testing

/// A small house that keeps all rules; each test breaks one.
private let soundTargets = [
    Target(name: "Registers", path: "Sources/Platform/Registers", dependencies: []),
    Target(name: "Memory", path: "Sources/Platform/Memory", dependencies: []),
    Target(name: "XSK", path: "Sources/Services/XSK", dependencies: ["Memory"]),
    Target(name: "I225Wire", path: "Sources/Hardware/I225/Wire", dependencies: ["Registers"]),
    Target(name: "I225Model", path: "Sources/Hardware/I225/Model", dependencies: ["I225Wire", "Memory"]),
    Target(name: "I225Driver", path: "Sources/Hardware/I225/Driver", dependencies: ["I225Wire", "Registers", "XSK"]),
    Target(name: "Doorbell", path: "Sources/Doorbell", dependencies: ["I225Model", "I225Driver", "XSK", "Memory"]),
    Target(name: "doorbell", path: "Sources/doorbell", dependencies: ["Doorbell", "ArgumentParser"]),
    Target(name: "I225DriverTests", path: "Tests/Hardware/I225/Driver", dependencies: ["I225Driver", "I225Model"]),
]

private let soundFiles = [
    SourceFile("Sources/Platform/Registers/Field.swift", "import Synchronization\nimport Glibc"),
    SourceFile("Sources/Platform/Memory/Space.swift", ""),
    SourceFile("Sources/Services/XSK/Rings.swift", "import Memory"),
    SourceFile("Sources/Hardware/I225/Wire/Registers.swift", "public import Registers"),
    SourceFile("Sources/Hardware/I225/Model/Model.swift", "import I225Wire\nimport Memory"),
    SourceFile("Sources/Hardware/I225/Driver/Queue/TxQueue.swift", "import I225Wire\nimport Registers\nimport XSK"),
    SourceFile(
        "Sources/Doorbell/Machine.swift",
        "import Foundation\nimport I225Driver\nimport I225Model\nimport Memory\nimport XSK"
    ),
    SourceFile("Sources/doorbell/Command.swift", "import ArgumentParser\nimport Doorbell"),
    SourceFile("Tests/Hardware/I225/Driver/T.swift", "@testable import I225Driver\nimport I225Model\nimport Testing"),
]

/// The sound house with one file more, and with dependencies added to some targets.
private func house(
    adding file: SourceFile? = nil,
    declaring added: [String: [String]] = [:],
    targets extra: [Target] = []
) -> House {
    let targets = soundTargets.map { target in
        Target(
            name: target.name,
            path: target.path,
            dependencies: target.dependencies + (added[target.name] ?? [])
        )
    }
    return House(targets: targets + extra, files: soundFiles + (file.map { [$0] } ?? []))
}

@Suite struct ImportCheckTests {
    @Test func theSoundHouseIsSound() {
        #expect(house().importViolations().isEmpty)
    }

    struct Breach: Sendable, CustomTestStringConvertible {
        let folder: String
        let target: String
        let module: String
        var testDescription: String { "\(target) imports \(module)" }
    }

    /// Each import is declared in Package.swift too, so that only the rule of the rooms is broken.
    @Test(arguments: [
        Breach(folder: "Sources/Platform/Memory", target: "Memory", module: "XSK"),
        Breach(folder: "Sources/Platform/Memory", target: "Memory", module: "I225Wire"),
        Breach(folder: "Sources/Platform/Memory", target: "Memory", module: "Doorbell"),
        Breach(folder: "Sources/Services/XSK", target: "XSK", module: "I225Wire"),
        Breach(folder: "Sources/Services/XSK", target: "XSK", module: "I225Driver"),
        Breach(folder: "Sources/Hardware/I225/Wire", target: "I225Wire", module: "Memory"),
        Breach(folder: "Sources/Hardware/I225/Wire", target: "I225Wire", module: "I225Model"),
        Breach(folder: "Sources/Hardware/I225/Model", target: "I225Model", module: "I225Driver"),
        Breach(folder: "Sources/Hardware/I225/Model", target: "I225Model", module: "XSK"),
        Breach(folder: "Sources/Hardware/I225/Driver", target: "I225Driver", module: "I225Model"),
        Breach(folder: "Sources/Hardware/I225/Driver", target: "I225Driver", module: "Doorbell"),
        Breach(folder: "Sources/doorbell", target: "doorbell", module: "I225Driver"),
        Breach(folder: "Sources/doorbell", target: "doorbell", module: "Memory"),
    ])
    func aDoorThatIsNotThereIsFound(_ breach: Breach) {
        let file = SourceFile("\(breach.folder)/Bad.swift", "\n@testable import \(breach.module)\n")
        let violations = house(adding: file, declaring: [breach.target: [breach.module]]).importViolations()
        #expect(
            violations == [
                "\(breach.folder)/Bad.swift:2: \(breach.target) may not import \(breach.module)",
                "Package.swift: \(breach.target) may not depend on \(breach.module)",
            ]
        )
    }

    @Test(arguments: ["Wire", "Model", "Driver"])
    func theRoomsOfAnotherDeviceAreClosed(room: String) {
        let other = Target(name: "E810Wire", path: "Sources/Hardware/E810/Wire", dependencies: [])
        let file = SourceFile("Sources/Hardware/I225/\(room)/Bad.swift", "import struct E810Wire.Command")
        let violations = house(adding: file, declaring: ["I225\(room)": ["E810Wire"]], targets: [other])
            .importViolations()
        #expect(violations.contains("\(file.path):1: I225\(room) may not import E810Wire"))
    }

    @Test(
        arguments: ["Foundation", "FoundationEssentials", "NIOCore", "ArgumentParser", "Dispatch"],
        [
            "Sources/Platform/Memory", "Sources/Services/XSK", "Sources/Hardware/I225/Wire",
            "Sources/Hardware/I225/Model", "Sources/Hardware/I225/Driver",
        ]
    )
    func frameworksStayUpstairs(module: String, folder: String) {
        let file = SourceFile("\(folder)/Bad.swift", "internal import \(module)")
        let violations = house(adding: file).importViolations()
        #expect(violations.count == 1)
        #expect(violations.first?.hasSuffix("may not import \(module)") == true)
    }

    @Test func anImportThatPackageSwiftDoesNotDeclareIsFound() {
        let file = SourceFile("Sources/Services/XSK/Bad.swift", "import Registers")
        #expect(
            house(adding: file).importViolations() == [
                "Sources/Services/XSK/Bad.swift:1: Package.swift gives XSK no dependency on Registers"
            ]
        )
        let test = SourceFile("Tests/Hardware/I225/Driver/Bad.swift", "import Memory")
        #expect(
            house(adding: test).importViolations() == [
                "Tests/Hardware/I225/Driver/Bad.swift:1: Package.swift gives I225DriverTests no dependency on Memory"
            ]
        )
    }

    @Test func aDependencyThatNobodyImportsIsFound() {
        #expect(
            house(declaring: ["XSK": ["Registers"]]).importViolations() == [
                "Package.swift: XSK depends on Registers and never imports it"
            ]
        )
    }

    @Test(arguments: [
        Target(name: "Helpers", path: "Sources/Helpers", dependencies: []),
        Target(name: "Tools", path: "Sources/Platform/Ring", dependencies: []),
        Target(name: "E810Wire", path: "Sources/Hardware/E810", dependencies: []),
        Target(name: "E810Tools", path: "Sources/Hardware/E810/Tools", dependencies: []),
        Target(name: "I225Wire2", path: "Sources/Hardware/I225/Wire/Two", dependencies: []),
    ])
    func aTargetWithoutARoomIsFound(_ target: Target) {
        #expect(
            house(targets: [target]).importViolations() == [
                "\(target.path): no room of the house is target \(target.name)'s"
            ]
        )
    }

    @Test func aFileWithoutATargetIsFound() {
        let file = SourceFile("Sources/Platform/Lost.swift", "import I225Driver")
        #expect(
            house(adding: file).importViolations() == [
                "Sources/Platform/Lost.swift: no target of Package.swift holds this file"
            ]
        )
    }
}

extension Target: CustomTestStringConvertible {
    var testDescription: String { "\(name) at \(path)" }
}
