// Memory lent as memory: what can be mapped, and that a mapping, reads and writes, and the GPU see the same bytes.

import Glibc
import GraceHopperDriver
import GraceHopperModel
import Leases
import Memory
import Testing
import VFIOVariant

/// More than half of a process's address space, so that it can be mapped once and not twice.
private let moreThanHalf = 70 << 40

/// Whether so much can be mapped at all: not under a sanitizer, which keeps most of the space for itself.
private func addressSpaceHolds(_ byteCount: Int) -> Bool {
    let base = unsafe mmap(nil, byteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard unsafe base != MAP_FAILED else { return false }
    return unsafe munmap(base, byteCount) == 0
}

@Suite("Mappings of coherent memory")
struct MappingTests {
    @Test("What is written through a mapping is read by call and by the GPU, and the reverse", arguments: Part.allCases)
    func coherence(part: Part) throws {
        let rig = try Rig()
        let device = try rig.open()
        defer { device.close() }
        let last = part.memory - 4096
        let mapping = try device.map(region: part.rawValue, last..<part.memory)
        // SAFETY: 4096 bytes are mapped.
        unsafe mapping.base.storeBytes(of: 0x1122_3344, toByteOffset: 4092, as: UInt32.self)
        #expect(try device.read(part.rawValue, part.memory - 4, 8) == [0x44, 0x33, 0x22, 0x11, 0xFF, 0xFF, 0xFF, 0xFF])
        #expect(try rig.memory(at: part.base + part.memory - 4, 4) == [0x44, 0x33, 0x22, 0x11])
        try device.write(part.rawValue, part.memory - 8, [9, 8, 7, 6, 5, 4, 3, 2])
        let seen = unsafe mapping.base.load(fromByteOffset: 4088, as: UInt64.self)
        #expect(seen == 0x0203_0405_0607_0809)
        try rig.store([0xAB], at: part.base + last)
        let first = unsafe mapping.base.load(as: UInt8.self)
        #expect(first == 0xAB)
    }

    @Test("Two mappings meet at the seam, and neither shows the other's bytes")
    func seam() throws {
        let rig = try Rig()
        let device = try rig.open()
        defer { device.close() }
        let below = try device.map(region: 4, Part.usable.memory - 4096..<Part.usable.memory)
        let above = try device.map(region: 2, 0..<4096)
        // SAFETY: 4096 bytes of each are mapped.
        unsafe below.base.storeBytes(of: 0x11, toByteOffset: 4095, as: UInt8.self)
        unsafe above.base.storeBytes(of: 0x22, toByteOffset: 0, as: UInt8.self)
        #expect(try rig.memory(at: Part.reserved.base - 1, 2) == [0x11, 0x22])
        #expect(try device.read(4, Part.usable.memory - 1, 2) == [0x11, 0xFF])
        #expect(try device.read(2, 0, 1) == [0x22])
    }

    @Test("All of a part can be mapped, and all of it as its user needs it cached", arguments: Part.allCases)
    func whole(part: Part) throws {
        let rig = try Rig()
        let device = try rig.open()
        defer { device.close() }
        let mapping = try device.map(region: part.rawValue, 0..<part.memory)
        #expect(mapping.byteCount == Int(part.memory))
        #expect(mapping.caching == (part == .usable ? .writeBack : .writeCombining))
        let region = try device.region(part.rawValue)
        let memory = try #require(region.memory)
        #expect(region.byteCount == part.bar && region.is64Bit && region.isPrefetchable)
        #expect(memory.areas == [0..<part.memory])
        #expect(memory.caching == mapping.caching)
        // One file holds both parts, side by side.
        #expect(memory.fileOffset == part.base - Rig.base)
        #expect(memory.fileDescriptor == rig.model.physicalMemory?.fileDescriptor)
    }

    @Test("What is not all memory cannot be mapped", arguments: MappingRow.all.filter { $0.code != EOVERFLOW })
    func refusals(row: MappingRow) throws {
        let rig = try Rig()
        let device = try rig.open()
        defer { device.close() }
        let result = code { () throws(VFIOError) in
            _ = try device.map(region: 4, row.offset..<row.offset + row.byteCount)
        }
        #expect(result == row.code)
        #expect(device.counters.refusedMappings == (row.code == 0 ? 0 : 1))
        #expect(rig.census.outstanding.isEmpty)
    }

    @Test("A region that is no memory cannot be mapped", arguments: [-1, 0, 1, 3, 5, 6, 7, 8, 9, Int.max])
    func otherRegions(region: Int) throws {
        let device = try Rig().open()
        defer { device.close() }
        #expect(code { () throws(VFIOError) in _ = try device.map(region: region, 0..<4096) } == EINVAL)
    }

    @Test("Every mapping is counted, ends with its value, and outlives close and reset")
    func leases() throws {
        let rig = try Rig()
        let device = try rig.open()
        do {
            let first = try device.map(region: 4, 0..<4096)
            let second = try device.map(region: 2, 0..<8192)
            #expect(rig.census.outstanding == ["region mapping": 2])
            try device.write(4, 0, [1])
            try device.write(2, 0, [1])
            #expect(rig.census.outstanding == ["region mapping": 2, "memory window": 2])
            try device.reset()
            device.close()
            #expect(rig.census.outstanding == ["region mapping": 2])
            // SAFETY: both are still mapped.
            unsafe first.base.storeBytes(of: 7, as: UInt8.self)
            unsafe second.base.storeBytes(of: 8, as: UInt8.self)
        }
        #expect(rig.census.outstanding.isEmpty)
        #expect(try rig.memory(at: Rig.base, 1) == [7])
        #expect(try rig.memory(at: Part.reserved.base, 1) == [8])
    }

    @Test(
        "Where the driver's own mapping cannot be had, accesses are ENOMEM, and nothing stays out",
        .enabled(if: addressSpaceHolds(moreThanHalf))
    )
    func noRoomForTheWindow() throws {
        let rig = try Rig { $0.memory.byteCount = UInt64(moreThanHalf) }
        let device = try rig.open()
        defer { device.close() }
        for _ in 0..<2 {
            #expect(code { () throws(VFIOError) in _ = try device.read(4, 0, 8) } == ENOMEM)
            #expect(code { () throws(VFIOError) in try device.write(4, 0, [1]) } == ENOMEM)
            #expect(code { () throws(VFIOError) in _ = try device.map(region: 4, 0..<68 << 40) } == ENOMEM)
            #expect(rig.census.outstanding.isEmpty)
        }
        // What needs no memory, and what there is room for, goes on.
        let end = try device.region(4).byteCount
        #expect(try device.read(4, end - 4, 4) == [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(try device.read(2, 0, 4) == [0, 0, 0, 0])
        let mapping = try device.map(region: 4, 0..<4096)
        #expect(mapping.byteCount == 4096)
        #expect(device.counters.refusedReads == 2 && device.counters.refusedMappings == 2)
    }
}
