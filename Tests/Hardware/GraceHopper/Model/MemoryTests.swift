// The memory behind the coherent link, what firmware says of it, and the window to it in BAR 1.

import Backing
import Clock
import Glibc
import GraceHopperModel
import GraceHopperWire
import Memory
import PCIe
import Testing

@Suite struct MemoryTests {
    @Test func firmwareTellsWhereTheMemoryIs() throws {
        let rig = try Rig { $0.memory.base = 0x1234_0000_0000 }
        let memory = try #require(rig.model.physicalMemory)
        #expect(memory.base == 0x1234_0000_0000)
        #expect(memory.byteCount == 4 << 30)
        #expect(rig.model.properties[MemoryProperties.base] == memory.base)
        #expect(rig.model.properties[MemoryProperties.byteCount] == memory.byteCount)
    }

    @Test(arguments: [true, false], [true, false])
    func aPropertyCanBeAbsent(tellsBase: Bool, tellsByteCount: Bool) throws {
        let rig = try Rig {
            $0.firmware.tellsBase = tellsBase
            $0.firmware.tellsByteCount = tellsByteCount
        }
        #expect((rig.model.properties[MemoryProperties.base] != nil) == tellsBase)
        #expect((rig.model.properties[MemoryProperties.byteCount] != nil) == tellsByteCount)
        #expect(rig.model.physicalMemory != nil)
    }

    @Test func withTheLinkDownThereIsNoMemory() throws {
        let rig = try Rig { $0.memory.byteCount = 0 }
        #expect(rig.model.physicalMemory == nil)
        #expect(rig.model.properties[MemoryProperties.byteCount] == 0)
        #expect(rig.model.mappableBARs.isEmpty)
        #expect(rig.model.read(bar: GraceHopper.apertureBAR, 0, .quadWord) == .max)
        #expect(rig.model.counters.accessesBeyondMemory == 1)
    }

    /// Nobody has touched it, so it costs nothing.
    @Test func halfATerabyteOfMemoryIsSparse() throws {
        let rig = try Rig { $0.memory.byteCount = 480 << 30 }
        let descriptor = try #require(rig.model.physicalMemory).fileDescriptor
        var status = stat()
        // SAFETY: the address of a local.
        unsafe #expect(fstat(descriptor, &status) == 0)
        #expect(status.st_size == 480 << 30)
        #expect(status.st_blocks == 0)
        rig.model.write(bar: GraceHopper.apertureBAR, 0, .quadWord, 1)
        unsafe #expect(fstat(descriptor, &status) == 0)
        #expect(status.st_blocks > 0 && status.st_blocks * 512 <= 2 << 20)
    }

    @Test func addressesThatWrapAreRefused() throws {
        var options = GraceHopperOptions()
        options.memory.base = .max - 4095
        options.memory.byteCount = 8192
        #expect(throws: (any Error).self) { try GraceHopperModel(options: options, clock: .monotonic) }
    }
}
