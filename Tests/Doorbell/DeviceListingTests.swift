// Configuration space of every virtual device as a stock tool decodes it. The goldens are change detectors: a test that
// fails here says what changed for whoever looks at the device.
//
// After a change on purpose: doorbell lspci --hex NAME > NAME.hex; lspci -vvv -n -F NAME.hex > NAME.lspci-VERSION

import Doorbell
import Foundation
import Testing

private let goldens = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens")

/// What a program prints; nil if it cannot be run.
private func output(_ arguments: [String]) -> String? {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : nil
}

/// E.g. `3.9.0`; nil without pciutils.
private let lspciVersion = output(["lspci", "--version"])?.split(separator: " ").last.map {
    $0.trimmingCharacters(in: .whitespacesAndNewlines)
}

@Suite struct DeviceListingTests {
    @Test(arguments: ["i225", "mana", "gracehopper"])
    func theHexDumpIsTheGolden(name: String) throws {
        let listing = try #require(try DeviceListing([name]))
        let golden = try String(contentsOf: goldens.appending(path: "\(name).hex"), encoding: .utf8)
        #expect(listing.hexDump + "\n" == golden)
    }

    @Test(
        .enabled(if: lspciVersion == "3.9.0", "the goldens are of lspci 3.9.0 (package pciutils of Debian 12)"),
        arguments: ["i225", "mana", "gracehopper"]
    )
    func lspciSaysWhatTheGoldenSays(name: String) throws {
        let hex = goldens.appending(path: "\(name).hex")
        let golden = try String(contentsOf: goldens.appending(path: "\(name).lspci-3.9.0"), encoding: .utf8)
        #expect(output(["lspci", "-vvv", "-n", "-F", hex.path]) == golden)
        // What lspci prints where a chain or a field makes no sense.
        #expect(!golden.contains("<?>") && !golden.contains("<access denied>"))
    }

    @Test func everyDeviceIsListedAndAnUnknownOneIsRefused() throws {
        let all = try #require(try DeviceListing([]))
        let lines = [
            "00:00.0 0200: 8086:15f3 i225", "01:00.0 0200: 1414:00ba mana", "02:00.0 0302: 10de:2342 gracehopper",
        ]
        #expect(all.text.split(separator: "\n").map(String.init) == lines)
        #expect(try DeviceListing(["i225", "i999"]) == nil)
        let json = try JSONSerialization.jsonObject(with: Data(try all.json().utf8)) as? [String: Any]
        let functions = try #require(json?["functions"] as? [[String: Any]])
        #expect(functions.map { $0["name"] as? String } == ["i225", "mana", "gracehopper"])
        #expect((functions.first?["configSpace"] as? [Int])?.count == 4096)
    }
}
