// The oracle for configuration space: Debian's own lspci (pciutils 3.9) decodes ours from a hex dump.

import Foundation
import PCIe
import Testing

private let lspci = ["/usr/bin/lspci", "/usr/sbin/lspci"].first { FileManager.default.isExecutableFile(atPath: $0) }

/// `space` as `lspci -F` reads it: a line with the function's address, then 16 bytes a line.
private func hexDump(_ space: ConfigSpace) -> String {
    func hex(_ value: Int, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    var lines = ["01:00.0 function under test"]
    for line in stride(from: 0, to: ConfigSpace.byteCount, by: 16) {
        let bytes = (0..<16).map { hex(Int(space.read(UInt16(line + $0), .byte)), 2) }
        lines.append(hex(line, 2) + ": " + bytes.joined(separator: " "))
    }
    return lines.joined(separator: "\n") + "\n"
}

private func decoded(_ space: ConfigSpace) throws -> String {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("lspci-\(UUID().uuidString).txt")
    try hexDump(space).write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: try #require(lspci))
    process.arguments = ["-vvv", "-nn", "-F", file.path]
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: data, as: UTF8.self)
}

@Suite(.enabled(if: lspci != nil, "lspci (package pciutils) is not installed")) struct LspciTests {
    /// A function as an I225 lays itself out: power management, MSI-X, PCI Express, then AER and a serial number.
    private static func sample() -> ConfigSpace {
        var space = ConfigSpace(
            PCIeIdentity(
                vendor: 0x8086,
                device: 0x15F2,
                subsystemVendor: 0x8086,
                subsystem: 0x0002,
                classCode: 0x02_0000,
                revision: 3
            ),
            baseAddressRegisters: [
                .init(index: 0, byteCount: 1 << 20),
                .init(index: 2, byteCount: 1 << 16, is64Bit: true, isPrefetchable: true),
            ]
        )
        space.write(0x10, .doubleWord, 0xE000_0000)
        space.write(0x18, .doubleWord, 0x1000_0000)
        space.write(0x1C, .doubleWord, 0x0000_0008)
        space.write(ConfigSpace.Offset.command, .word, 0x0006)
        space.addCapability(id: 0x01, at: 0x40, body: [0x23, 0xC8, 0x00, 0x00, 0x00, 0x00])
        // Table of 5 vectors at the start of BAR 2, pending bits at 0x2000 of it; enabled.
        space.addCapability(id: 0x11, at: 0x70, body: [0x04, 0x80, 0x02, 0x00, 0x00, 0x00, 0x02, 0x20, 0x00, 0x00])
        space.addExtendedCapability(id: 0x0003, version: 1, at: 0x100, body: [8, 7, 6, 5, 4, 3, 2, 1])
        return space
    }

    @Test func lspciReadsWhatWasMeant() throws {
        let text = try decoded(Self.sample())
        for line in [
            "01:00.0 Ethernet controller [0200]:",
            "[8086:15f2] (rev 03)",
            "Subsystem:",
            "[8086:0002]",
            "Control: I/O- Mem+ BusMaster+",
            "Status: Cap+",
            "Region 0: Memory at e0000000 (32-bit, non-prefetchable)",
            "Region 2: Memory at 810000000 (64-bit, prefetchable)",
            "Capabilities: [40] Power Management version 3",
            "Capabilities: [70] MSI-X: Enable+ Count=5 Masked-",
            "Vector table: BAR=2 offset=00000000",
            "PBA: BAR=2 offset=00002000",
        ] {
            #expect(text.contains(line), "\(line) is not in:\n\(text)")
        }
        #expect(!text.contains("Unknown header") && !text.contains("<chain broken>"))
    }
}
