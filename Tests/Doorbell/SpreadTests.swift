// `doorbell spread`: a machine's sysfs in, the CPUs of vectors out.

import Doorbell
import Foundation
import Interrupts
import Testing

@Suite struct SpreadTests {
    /// Two nodes with two cores each, two threads a core, as sysfs shows them.
    private func sysfs(_ body: (String) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "sysfs-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        func write(_ path: String, _ text: String) throws {
            let file = root.appending(path: "devices/system/\(path)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data("\(text)\n".utf8).write(to: file)
        }
        try write("cpu/online", "0-7")
        for cpu in 0..<8 { try write("cpu/cpu\(cpu)/topology/thread_siblings_list", "\(cpu & ~1)-\(cpu | 1)") }
        try write("node/online", "0-1")
        for node in 0..<2 {
            try write("node/node\(node)/cpulist", node == 0 ? "0-3" : "4-7")
            try write("node/node\(node)/distance", node == 0 ? "10 20" : "20 10")
        }
        try body(root.path)
    }

    @Test func linuxsRulesOverAMachinesSysfs() throws {
        try sysfs { root in
            let old = try VectorSpread(9, .allAtOnce, near: 1, sysfs: root)
            #expect(old.cpus == ["4", "4-5", "6-7", "4-5", "6-7", "0-1", "2-3", "0-1", "2-3"])
            let new = try VectorSpread(9, VectorSpread.newestRule, near: 1, sysfs: root)
            #expect(new.text == "4-5\n0\n1\n2\n3\n4\n5\n6\n7")
            #expect(try VectorSpread(0, .allAtOnce, near: nil, sysfs: root).cpus.isEmpty)
        }
    }

    @Test func whatIsNoTopologyIsAnError() {
        #expect(throws: (any Error).self) {
            try VectorSpread(1, .allAtOnce, near: nil, sysfs: "/nonexistent")
        }
    }
}
