// Memory of huge pages, where the machine has some set aside; else plain pages, and nobody is told.

import Foundation
import Memory
import Testing

@Suite struct HugePageTests {
    /// Huge pages that nobody uses, as /proc/meminfo has it.
    private func freeHugePages() throws -> Int {
        let text = try String(contentsOfFile: "/proc/meminfo", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("HugePages_Free:") }
        return line.flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
    }

    @Test func isAsGoodAsMemoryOfPlainPages() throws {
        let free = try freeHugePages()
        let memory = try SharedMemory(byteCount: 3 << 20, name: "test", prefersHugePages: true)
        #expect(memory.byteCount == (free >= 2 ? 4 << 20 : 3 << 20))
        // SAFETY: inside the memory.
        let last = unsafe memory.base + (memory.byteCount - 1)
        unsafe #expect(last.load(as: UInt8.self) == 0)
        unsafe last.storeBytes(of: 7, as: UInt8.self)
        unsafe #expect(last.load(as: UInt8.self) == 7)
    }

    @Test func takesNoHugePageForALittleMemory() throws {
        let memory = try SharedMemory(byteCount: 8192, name: "test", prefersHugePages: true)
        #expect(memory.byteCount == 8192)
    }

    @Test func refusesWhatNoMachineHas() {
        #expect(throws: SystemError.self) {
            _ = try SharedMemory(byteCount: .max - 4096, name: "test", prefersHugePages: true)
        }
        #expect(throws: SystemError.self) { _ = try SharedMemory(byteCount: 0, name: "test", prefersHugePages: true) }
    }
}
