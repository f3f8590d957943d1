// BAR 1: accesses of any size and length, at the memory's end and the window's, against the memory itself.

import Backing
import Clock
import Glibc
import GraceHopperModel
import GraceHopperWire
import Memory
import PCIe
import Simulation
import Testing

@Suite struct ApertureTests {
    private func read(_ model: GraceHopperModel, _ offset: UInt64, count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0x55, count: count)
        var span = bytes.mutableSpan
        // SAFETY: UInt8s have no padding, and any bytes are some.
        var raw = unsafe span.mutableBytes
        model.read(bar: 2, offset, into: &raw)
        return bytes
    }

    private func write(_ model: GraceHopperModel, _ offset: UInt64, _ bytes: [UInt8]) {
        // SAFETY: UInt8s have no padding.
        unsafe model.write(bar: 2, offset, from: bytes.span.bytes)
    }

    @Test func theWindowAndItsMappingAreTheMemory() throws {
        let rig = try Rig()
        let bar = try #require(rig.model.mappableBARs.first)
        #expect(rig.model.mappableBARs.count == 1 && bar.index == 2 && bar.areas == [0..<64 << 20])
        let address = unsafe mmap(
            nil,
            4096,
            PROT_READ | PROT_WRITE,
            MAP_SHARED,
            bar.fileDescriptor,
            off_t(bar.fileOffset) + 8192
        )
        // SAFETY: checked before it is used, and unmapped at the end.
        guard let mapping = unsafe address, unsafe mapping != MAP_FAILED else {
            Issue.record("mmap: errno \(errno)")
            return
        }
        defer { unsafe munmap(mapping, 4096) }
        rig.model.write(bar: 2, 8192, .doubleWord, 0xDEAD_BEEF)
        let seen = unsafe mapping.load(as: UInt32.self)
        #expect(seen == 0xDEAD_BEEF)
        unsafe mapping.storeBytes(of: 0x0102_0304_0506_0708, toByteOffset: 8, as: UInt64.self)
        #expect(rig.model.read(bar: 2, 8200, .quadWord) == 0x0102_0304_0506_0708)
        #expect(rig.model.read(bar: 2, 8201, .word) == 0x0607)
        #expect(rig.memory(8200) == [8, 7, 6, 5, 4, 3, 2, 1])
    }

    /// Memory that ends inside the window, at 1 MiB and 5 bytes.
    @Test func beyondTheMemoryIsNothing() throws {
        let rig = try Rig { $0.memory.byteCount = 1 << 20 | 5 }
        #expect(rig.model.mappableBARs.first?.areas == [0..<1 << 20])
        write(rig.model, (1 << 20) - 3, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        #expect(read(rig.model, (1 << 20) - 4, count: 12) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 0xFF, 0xFF, 0xFF])
        #expect(rig.model.read(bar: 2, 1 << 20, .quadWord) == 0xFFFF_FF08_0706_0504)
        #expect(rig.model.read(bar: 2, 1 << 21, .doubleWord) == 0xFFFF_FFFF)
        #expect(read(rig.model, .max - 2, count: 8) == [UInt8](repeating: 0xFF, count: 8))
        write(rig.model, .max - 2, [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(rig.model.counters.accessesBeyondMemory == 6)
    }

    @Test func theWindowEndsWhereTheMemoryGoesOn() throws {
        let rig = try Rig { $0.apertureByteCount = 1 << 20 }
        write(rig.model, (1 << 20) - 2, [1, 2, 3, 4])
        #expect(rig.memory((1 << 20) - 2, count: 4) == [1, 2, 0, 0])
        #expect(read(rig.model, (1 << 20) - 2, count: 4) == [1, 2, 0xFF, 0xFF])
    }

    @Test func withMemorySpaceOffNothingIsThere() throws {
        let rig = try Rig()
        write(rig.model, 0, [1, 2, 3, 4])
        rig.model.writeConfig(ConfigSpace.Offset.command, .word, 0)
        #expect(read(rig.model, 0, count: 4) == [0xFF, 0xFF, 0xFF, 0xFF])
        write(rig.model, 0, [9, 9, 9, 9])
        let lent = unsafe rig.model.memory(bar: 2, 0..<4) != nil
        #expect(!lent)
        #expect(rig.memory(0, count: 4) == [1, 2, 3, 4])
    }

    @Test func longReadsCanBeLent() throws {
        let rig = try Rig()
        write(rig.model, 100, [1, 2, 3])
        // SAFETY: copied at once.
        func lent(_ bar: Int, _ range: Range<UInt64>) -> [UInt8]? {
            unsafe rig.model.memory(bar: bar, range).map { bytes in unsafe Array(bytes) }
        }
        #expect(lent(2, 100..<103) == [1, 2, 3])
        #expect(lent(2, (64 << 20) - 1..<64 << 20 + 1) == nil)
        #expect(lent(0, 0..<4) == nil)
    }

    /// The memory of a machine that keeps some of its own for the device: the model reaches it as its host does.
    @Test func memoryOfTheMachineIsReachedWhereFirmwareSaysItIs() throws {
        let rig = try Rig {
            $0.memory.place = .machine
            $0.memory.base = 0x1_0000_0000
        }
        #expect(rig.model.physicalMemory == nil && rig.model.mappableBARs.isEmpty)
        #expect(rig.model.properties[MemoryProperties.base] == 0x1_0000_0000)
        #expect(rig.model.read(bar: 2, 0, .doubleWord) == 0xFFFF_FFFF, "nobody has lent it yet")
        let machine = try SharedMemory(byteCount: 8192, name: "machine")
        // SAFETY: unmapped before `machine` ends.
        unsafe try rig.model.host.memory.map(iova: 0x1_0000_0000, base: machine.base, byteCount: 8192, .both)
        rig.model.write(bar: 2, 4096, .quadWord, 0x1122_3344_5566_7788)
        let seen = unsafe machine.base.load(fromByteOffset: 4096, as: UInt64.self)
        #expect(seen == 0x1122_3344_5566_7788)
        #expect(read(rig.model, 4096, count: 8) == [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11])
        #expect(rig.model.read(bar: 2, 8192, .doubleWord) == 0xFFFF_FFFF, "not lent")
        try rig.model.host.memory.unmap(iova: 0x1_0000_0000)
        #expect(rig.model.read(bar: 2, 4096, .doubleWord) == 0xFFFF_FFFF)
    }

    /// Random stretches against a flat copy of the window.
    @Test(arguments: UInt64(1)...4)
    func anyStretchIsTheMemorys(seed: UInt64) throws {
        let memoryBytes = 3 << 12 | 7
        let rig = try Rig {
            $0.memory.byteCount = UInt64(memoryBytes)
            $0.apertureByteCount = 1 << 14
        }
        var random = SeededRandom(seed: seed)
        var reference = [UInt8](repeating: 0, count: memoryBytes)
        for _ in 0..<2000 {
            let offset = Int.random(in: 0..<(1 << 14) + 64, using: &random)
            let count = Int.random(in: 1...200, using: &random)
            if Bool.random(using: &random) {
                let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
                write(rig.model, UInt64(offset), bytes)
                for (place, byte) in bytes.enumerated() where offset + place < memoryBytes {
                    reference[offset + place] = byte
                }
            } else {
                let expected = (offset..<offset + count).map { $0 < memoryBytes ? reference[$0] : 0xFF }
                #expect(read(rig.model, UInt64(offset), count: count) == expected)
            }
        }
        #expect(rig.memory(0, count: memoryBytes) == reference)
    }
}
