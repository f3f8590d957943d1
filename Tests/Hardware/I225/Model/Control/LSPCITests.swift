// The configuration space as `lspci` reads it: a stock tool as the judge of capability chains. Skipped without pciutils.

import Glibc
import I225Model
import PCIe
import Testing

private let isInstalled = unsafe access("/usr/bin/lspci", X_OK) == 0

@Suite("lspci", .enabled(if: isInstalled))
struct LSPCITests {
    /// What `lspci -vv` says about the device; nil if it could not be run.
    private func report(_ rig: Rig) -> String? {
        var path = Array("/tmp/doorbell-lspci-XXXXXX".utf8CString)
        // SAFETY: `mkstemp` changes the path in place and keeps its length; the file is closed and removed below.
        let descriptor = unsafe mkstemp(&path)
        guard descriptor >= 0 else { return nil }
        defer { unsafe unlink(path) }
        let dump = Array(dump(rig).utf8)
        let written = unsafe write(descriptor, dump, dump.count)
        close(descriptor)
        guard written == dump.count else { return nil }

        let name = String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let pipe = unsafe popen("/usr/bin/lspci -vv -n -F \(name) 2>/dev/null", "r") else { return nil }
        var text: [UInt8] = []
        while case let byte = unsafe getc(pipe), byte != EOF { text.append(UInt8(truncatingIfNeeded: byte)) }
        return unsafe pclose(pipe) == 0 ? String(decoding: text, as: UTF8.self) : nil
    }

    /// The form of `lspci -xxxx`.
    private func dump(_ rig: Rig) -> String {
        func hex(_ value: Int) -> String { (value < 16 ? "0" : "") + String(value, radix: 16) }
        let rows = stride(from: 0, to: ConfigSpace.byteCount, by: 16).map { start in
            let bytes = (start..<start + 16).map { hex(Int(rig.model.readConfig(UInt16($0), .byte))) }
            return hex(start) + ": " + bytes.joined(separator: " ")
        }
        return "00:00.0 Ethernet\n" + rows.joined(separator: "\n") + "\n"
    }

    @Test func theToolFindsEveryCapability() throws {
        let rig = try Rig()
        let text = self.report(rig)
        let report = try #require(text)
        for line in [
            "0200: 8086:15f3 (rev 03)", "Mem+ BusMaster+", "Interrupt: pin A", "[40] Power Management version 3",
            "[70] MSI-X: Enable- Count=5 Masked-", "Vector table: BAR=3 offset=00000000", "PBA: BAR=3 offset=00002000",
            "[a0] Express (v2) Endpoint", "FLReset+", "LnkSta:\tSpeed 5GT/s, Width x1",
            "[100 v2] Advanced Error Reporting", "[140 v1] Device Serial Number 02-1b-21-ff-ff-02-25-00",
        ] {
            #expect(report.contains(line), "lspci does not say \"\(line)\"")
        }
        #expect(!report.contains("<?>") && !report.contains("<access denied>"))
    }
}
