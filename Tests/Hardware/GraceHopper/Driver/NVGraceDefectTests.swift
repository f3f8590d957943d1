// The defects of the kernel's driver that a test can show, by their numbers in docs/coherent-memory-defects.md, which says
// how each test was seen to fail. Number 4 is one of speed: the benchmarks have it.

import Backing
import Glibc
import GraceHopperDriver
import GraceHopperModel
import GraceHopperWire
import Leases
import Memory
import PCIe
import Testing
import VFIOVariant

@Suite("Coherent memory without the kernel driver's defects")
struct NVGraceDefectTests {
    /// The device in a file, with a position that reads and writes move.
    private static func file(_ device: any VFIODevice, _ rig: Rig) throws(VFIOError) -> VFIOFile {
        try VFIOFile(device, census: rig.census)
    }

    private static func place(_ part: Part, _ offset: UInt64) -> Int64 { Int64(part.rawValue) << 40 + Int64(offset) }

    // MARK: The regions

    @Test(
        "defect 1: A read across the end of the reserved memory is as one across the usable",
        arguments: Part.allCases
    )
    func aReadAcrossTheEndIsWhole(part: Part) throws {
        let rig = try Rig()
        let file = try Self.file(try rig.device(), rig)
        try rig.store([1, 2, 3, 4], at: part.base + part.memory - 4)
        let buffer = try CallerBuffer()
        file.position = Self.place(part, part.memory - 4)
        let count = try unsafe file.read(buffer.lastBytes(8), count: 8)
        let position = file.position
        #expect(count == 8)
        #expect(buffer.contents(8) == [1, 2, 3, 4, 0xFF, 0xFF, 0xFF, 0xFF])
        #expect(position == Self.place(part, part.memory + 4))
    }

    @Test(
        "defect 2: A write across the end of the reserved memory is as one across the usable",
        arguments: Part.allCases
    )
    func aWriteAcrossTheEndIsWhole(part: Part) throws {
        let rig = try Rig()
        let file = try Self.file(try rig.device(), rig)
        let buffer = try CallerBuffer()
        buffer.fill([1, 2, 3, 4, 5, 6, 7, 8])
        file.position = Self.place(part, part.memory - 4)
        let count = try unsafe file.write(buffer.lastBytes(8), count: 8)
        let position = file.position
        #expect(count == 8)
        #expect(position == Self.place(part, part.memory + 4))
        #expect(try rig.memory(at: part.base + part.memory - 4, 4) == [1, 2, 3, 4])
    }

    @Test(
        "defect 3: Ones that cannot be copied to the caller are an error, and the position stays",
        arguments: Part.allCases
    )
    func onesThatCannotBeCopiedAreAnError(part: Part) throws {
        let rig = try Rig()
        let file = try Self.file(try rig.device(), rig)
        let buffer = try CallerBuffer()
        for (offset, room) in [(part.memory - 4, 4), (part.memory - 4, 7), (part.memory, 0), (part.bar - 8, 7)] {
            let start = Self.place(part, offset)
            file.position = start
            var result: Int32 = 0
            do throws(VFIOError) {
                _ = try unsafe file.read(buffer.lastBytes(room), count: 8)
            } catch {
                result = error.code
            }
            let position = file.position
            #expect(result == EFAULT)
            #expect(position == start)
        }
    }

    // MARK: Configuration space

    @Test("defect 5: A read that touches both BARs has both")
    func aReadOfBothBARsHasBoth() throws {
        let device = try Rig().open()
        defer { device.close() }
        try device.setConfig(0x18, 8, 0x45_8000_0000)
        try device.setConfig(0x20, 8, 0xA0_0000_0000)
        #expect(try device.config(0x1C, 8) == 0x0000_000C_0000_0045)
        #expect(
            try device.read(VFIORegion.config, 0x18, 16)
                == littleEndian(0x45_8000_000C, 8) + littleEndian(0xA0_0000_000C, 8)
        )
        #expect(try Array(device.read(VFIORegion.config, 0, 64)[0x20..<0x28]) == littleEndian(0xA0_0000_000C, 8))
    }

    @Test("defect 6: A write that touches both BARs is stored in both, and reported whole")
    func aWriteOfBothBARsIsWhole() throws {
        let device = try Rig().open()
        defer { device.close() }
        #expect(try device.write(VFIORegion.config, 0x1C, littleEndian(0x0000_0000_0000_0045, 8)) == 8)
        #expect(try device.write(VFIORegion.config, 0x18, [UInt8](repeating: 0xFF, count: 16)) == 16)
        #expect(try device.config(0x18, 8) == 0xFFFF_FFFF_8000_000C)
        #expect(try device.config(0x20, 8) == 0xFFFF_FFFF_0000_000C)
    }

    @Test("defect 7: A write that begins before region 2's BAR loses nothing")
    func aWriteBeforeABARLosesNothing() throws {
        let device = try Rig().open()
        defer { device.close() }
        #expect(try device.write(VFIORegion.config, 0x14, littleEndian(0x8000_0000_0000_0012, 8)) == 8)
        #expect(try device.config(0x14, 4) == 0x12)
        #expect(try device.config(0x18, 4) == 0x8000_000C)
        let whole = littleEndian(0x34_0100_0000, 8) + littleEndian(0x45_8000_0000, 8) + littleEndian(0xA0_0000_0000, 8)
        #expect(try device.write(VFIORegion.config, 0x10, whole) == 24)
        #expect(try device.config(0x10, 8) == 0x34_0100_000C)
        #expect(try device.config(0x18, 8) == 0x45_8000_000C)
        #expect(try device.config(0x20, 8) == 0xA0_0000_000C)
    }

    @Test("defect 8: A write of which the function refuses a part says how far it came")
    func aRefusedWriteSaysHowFarItCame() throws {
        let rig = try Rig()
        let backing = ForgetfulBacking(rig.inProcess())
        let device = try rig.take(backing)
        try device.open()
        defer { device.close() }
        backing.failsWritesFrom = 0x28
        #expect(try device.write(VFIORegion.config, 0x24, [0xA0, 0, 0, 0, 1, 2, 3, 4]) == 4)
        #expect(try device.config(0x24, 4) == 0xA0)
        // What goes on from there meets the error; so does what reaches nothing else.
        #expect(code { () throws(VFIOError) in try device.write(VFIORegion.config, 0x28, [1, 2, 3, 4]) } == EIO)
        // A read is all there or not at all.
        backing.readsLeft = 3
        #expect(code { () throws(VFIOError) in _ = try device.read(VFIORegion.config, 0x10, 24) } == EIO)
        backing.readsLeft = .max
    }

    @Test("defect 9: The function's own BAR under region 2 is nowhere to be seen")
    func theRealBARIsHidden() throws {
        let rig = try Rig()
        let device = try rig.open()
        defer { device.close() }
        // The function's own BAR has an address, and behind it are the memory's first bytes.
        try rig.store([0xDE, 0xAD, 0xBE, 0xEF], at: Rig.base)
        #expect(rig.model.readConfig(0x18, .doubleWord) & ~0xF != 0)
        for offset in UInt64(0x10)...0x1F {
            for count in [1, 2, 4, 8, 16] {
                let seen = try device.read(VFIORegion.config, offset, count)
                for (index, byte) in seen.enumerated() where (0x18...0x1F).contains(offset + UInt64(index)) {
                    #expect(byte == (offset + UInt64(index) == 0x18 ? 0xC : 0))
                }
            }
        }
        #expect(try device.read(2, 0, 4) == [0, 0, 0, 0])
        try device.setConfig(0x18, 8, .max)
        #expect(rig.model.readConfig(0x18, .doubleWord) != 0xFC00_000C, "no write of it reaches the function")
    }

    // MARK: The split

    @Test("defect 10: A BAR is no larger than its memory needs, whatever was rounded off")
    func noBARIsDoubled() throws {
        let block = MemorySplit.blockByteCount
        for blocks in [2, 4, 64, 128, 256] as [UInt64] {
            for rest in [0, 4096, 256 << 20, block - 4096] as [UInt64] {
                let split = try MemorySplit(
                    base: 0,
                    byteCount: blocks * block + 1 << 30 + rest,
                    needsReserve: true
                )
                #expect(split.usable.byteCount == blocks * block)
                #expect(split.usable.barByteCount == blocks * block)
            }
        }
        // Nothing but the reserve: no BAR of a size that is no power of two.
        #expect(
            code { () throws(VFIOError) in _ = try MemorySplit(base: 0, byteCount: 1 << 30, needsReserve: true) }
                == EINVAL
        )
    }

    @Test("defect 11: Memory whose last page nobody could map is refused")
    func partsOfPagesAreRefused() throws {
        let rig = try Rig()
        for (base, byteCount) in [(Rig.base, 3 << 30 + 0x800), (Rig.base + 0x800, 3 << 30)] as [(UInt64, UInt64)] {
            let properties = FirmwareProperties([MemoryProperties.base: base, MemoryProperties.byteCount: byteCount])
            let result = code { () throws(VFIOError) in _ = try rig.take(rig.inProcess(), properties: properties) }
            #expect(result == EINVAL)
        }
    }

    @Test("defect 12: That the link is down is told, not taken for firmware that says nothing")
    func aLinkThatIsDownIsTold() throws {
        let rig = try Rig { $0.memory.byteCount = 0 }
        let device = try rig.device()
        let silent = try rig.take(rig.inProcess(), properties: FirmwareProperties())
        guard case .plain(let down) = device.lending, case .plain(let absent) = silent.lending else {
            Issue.record("\(device.lending), \(silent.lending)")
            return
        }
        #expect(down.contains("link is down"))
        #expect(!absent.contains("link") && absent.contains(MemoryProperties.base))
    }

    @Test("defect 13: Nothing to use is found out before anything is made of it")
    func nothingToUseIsFoundOutFirst() {
        // Everything else about it is wrong as well.
        let result = code { () throws(VFIOError) in
            _ = try MemorySplit(base: .max - 4000, byteCount: 1 << 30 + 1, needsReserve: true)
        }
        #expect(result == EINVAL)
        let whole = code { () throws(VFIOError) in
            _ = try MemorySplit(base: .max - 4095, byteCount: 1 << 30, needsReserve: true)
        }
        #expect(whole == EINVAL)
    }

    // MARK: Mappings

    @Test("defect 14: A private mapping is refused; a shared one is of the region that was asked for")
    func privateMappingsAreRefused() throws {
        let rig = try Rig()
        let file = try Self.file(try rig.device(), rig)
        for part in Part.allCases {
            let place = Self.place(part, 0x2000)
            var result: Int32 = 0
            do throws(VFIOError) {
                _ = try file.map(byteCount: 4096, at: place, flags: MAP_PRIVATE)
            } catch {
                result = error.code
            }
            #expect(result == EINVAL)
            try rig.store([UInt8(part.rawValue)], at: part.base + 0x2000)
            let mapping = try file.map(byteCount: 4096, at: place)
            // SAFETY: a page is mapped.
            let seen = unsafe mapping.base.load(as: UInt8.self)
            #expect(seen == UInt8(part.rawValue))
        }
    }

    // MARK: Calls

    @Test("defect 15: Device features are the function's to answer, with memory and without", arguments: [true, false])
    func featuresAreTheFunctions(hasMemory: Bool) throws {
        let rig = try Rig()
        let device = try rig.take(rig.inProcess(), properties: hasMemory ? nil : FirmwareProperties())
        #expect(
            code { () throws(VFIOError) in _ = try device.feature(1 << 16, []) } == EBADF,
            "it is the core that says so"
        )
        try device.open()
        defer { device.close() }
        #expect(code { () throws(VFIOError) in _ = try device.feature(1 << 16, []) } == ENOTTY)
    }
}
