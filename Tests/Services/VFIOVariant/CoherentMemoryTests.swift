// The real driver of coherent memory through both doors: the local caller's descriptor, and the vfio-user server.

import Glibc
import GraceHopperModel
import Interrupts
import Leases
import Memory
import PCIe
import Simulation
import Synchronization
import Testing
import VFIOUser
import VFIOUserTestClient
import VFIOVariant

@Suite struct CoherentMemoryTests {
    private static let usableBAR: UInt64 = 4 << 30
    private static let reservedBAR: UInt64 = 2 << 30

    /// An access at the edge of memory or BAR: how many bytes are asked for, told, and memory.
    struct Edge: Sendable, CustomTestStringConvertible {
        let region: Int
        let offset: UInt64
        let count: Int
        /// nil: `EINVAL`.
        let told: Int?
        var inMemory = 0
        var testDescription: String { "\(count) bytes at 0x\(String(offset, radix: 16)) of region \(region)" }
    }

    static let edges: [Edge] = [(4, CoherentGPU.usableBytes, usableBAR), (2, CoherentGPU.reservedBytes, reservedBAR)]
        .flatMap { (region: Int, memory: UInt64, bar: UInt64) in
            [
                Edge(region: region, offset: 0, count: 8, told: 8, inMemory: 8),
                Edge(region: region, offset: memory - 8, count: 8, told: 8, inMemory: 8),
                Edge(region: region, offset: memory - 4, count: 8, told: 8, inMemory: 4),
                Edge(region: region, offset: memory - 0x1_0001, count: 0x4_0000, told: 0x4_0000, inMemory: 0x1_0001),
                Edge(region: region, offset: memory, count: 8, told: 8),
                Edge(region: region, offset: bar - 8, count: 8, told: 8),
                Edge(region: region, offset: bar - 4, count: 8, told: 4),
                Edge(region: region, offset: bar - 0x1_8000, count: 0x4_0000, told: 0x1_8000),
                Edge(region: region, offset: bar - 1, count: 0, told: 0),
                Edge(region: region, offset: bar, count: 1, told: nil),
                Edge(region: region, offset: bar, count: 0, told: nil),
                Edge(region: region, offset: 1 << 40 - 8, count: 8, told: nil),
            ]
        }

    @Test(arguments: edges)
    func accessesAtTheEdges(_ edge: Edge) throws {
        let gpu = try CoherentGPU()
        let file = try OpenFile(gpu.device, census: gpu.census)
        let place = OpenFile.position(edge.region, edge.offset)
        let pattern = (0..<edge.count).map { UInt8(truncatingIfNeeded: $0 &* 5 &+ 1) }
        guard let told = edge.told else {
            #expect(errorCode { () throws(VFIOError) in _ = try file.pread(edge.count, place) } == EINVAL)
            #expect(errorCode { () throws(VFIOError) in _ = try file.pwrite(pattern, place) } == EINVAL)
            return
        }
        #expect(try file.pwrite(pattern, place) == told)
        let expected = pattern.prefix(edge.inMemory) + [UInt8](repeating: 0xFF, count: told - edge.inMemory)
        #expect(try file.pread(edge.count, place) == Array(expected))
        // SAFETY: the GPU's memory, and no more of it than there is.
        let start = Int(edge.region == 2 ? CoherentGPU.usableBytes : 0) + Int(edge.offset)
        let stored = (0..<edge.inMemory).map { unsafe gpu.memory.bytes[start + $0] }
        #expect(stored == Array(pattern.prefix(edge.inMemory)))
    }

    /// The seam of the two parts in the file is one byte wide: usable memory ends where reserved memory begins.
    @Test func thePartsAreApart() throws {
        let gpu = try CoherentGPU()
        let file = try OpenFile(gpu.device, census: gpu.census)
        try file.pwrite([1], OpenFile.position(4, CoherentGPU.usableBytes - 1))
        try file.pwrite([2], OpenFile.position(2, 0))
        #expect(try file.pread(2, OpenFile.position(4, CoherentGPU.usableBytes - 1)) == [1, 0xFF])
        #expect(try file.pread(1, OpenFile.position(2)) == [2])
        let seam = Int(CoherentGPU.usableBytes)
        // SAFETY: inside the GPU's memory.
        let stored = unsafe [gpu.memory.bytes[seam - 1], gpu.memory.bytes[seam]]
        #expect(stored == [1, 2])
    }

    /// Region and length of a mapping, and whether there is that much memory.
    @Test(
        arguments: [
            (4, 0, CoherentGPU.usableBytes, nil), (4, CoherentGPU.usableBytes - 4096, 4096, nil),
            (4, CoherentGPU.usableBytes - 4096, 8192, EINVAL), (4, CoherentGPU.usableBytes, 4096, EINVAL),
            (4, 0, usableBAR, EINVAL), (4, 0, 0, EINVAL), (4, 0, 1 << 41, EINVAL), (3, 1 << 40 - 4096, 8192, EINVAL),
            (2, 0, CoherentGPU.reservedBytes, nil), (2, 0, CoherentGPU.reservedBytes + 4096, EINVAL),
            (2, 0, reservedBAR, EINVAL), (3, 0, 4096, EINVAL), (5, 0, 4096, EINVAL), (0, 0, 4096, EINVAL),
            (7, 0, 4096, EINVAL),
        ] as [(Int, UInt64, UInt64, Int32?)]
    )
    func whatIsMemoryIsMapped(region: Int, offset: UInt64, byteCount: UInt64, code: Int32?) throws {
        let gpu = try CoherentGPU()
        let file = try OpenFile(gpu.device, census: gpu.census)
        let error = errorCode { () throws(VFIOError) in
            let mapping = try file.file.map(byteCount: Int(byteCount), at: OpenFile.position(region, offset))
            #expect(mapping.byteCount == Int(byteCount))
            #expect(mapping.caching == (region == 2 ? .writeCombining : .writeBack))
        }
        #expect(error == code)
    }

    /// One file backs both BARs; a mapping of it, messages and the model see the same bytes.
    @Test func aClientMapsBothBARsOfOneFile() throws {
        let gpu = try CoherentGPU()
        let served = try ServedModel(ExportedFunction(gpu.device, over: gpu.model))
        let parts: [(index: UInt32, memory: UInt64, bar: UInt64, offset: UInt64)] = [
            (4, CoherentGPU.usableBytes, Self.usableBAR, 0),
            (2, CoherentGPU.reservedBytes, Self.reservedBAR, CoherentGPU.usableBytes),
        ]
        for part in parts {
            func info(_ room: UInt32) throws -> RegionInfo {
                let reply = try served.client.ask(.getRegionInfo) {
                    RegionInfo(argumentSize: room, index: part.index).writeRequest(to: &$0)
                }
                return try RegionInfo(reply.raw)
            }
            #expect(try info(32).flags == 7)
            let full = try info(64)
            #expect(full.size == part.bar && full.fileOffset == part.offset)
            #expect(full.mappedRanges == [MappedRange(offset: 0, size: part.memory)])
            let file = try #require(served.client.takeDescriptor(0))
            let place = off_t(part.offset + part.memory - 4096)
            let address = unsafe mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.raw, place)
            let page = try unsafe #require(address)
            defer { unsafe munmap(page, 4096) }
            // SAFETY: inside the page.
            unsafe page.storeBytes(of: 0xA1B2_C3D4, toByteOffset: 4092, as: UInt32.self)
            let edge = try served.client.read(region: Int(part.index), part.memory - 4, count: 8)
            #expect(edge == [0xD4, 0xC3, 0xB2, 0xA1, 0xFF, 0xFF, 0xFF, 0xFF])
            try served.client.write(region: Int(part.index), part.memory - 2, [7, 8, 9, 9])
            let word = unsafe page.load(fromByteOffset: 4092, as: UInt32.self)
            #expect(word == 0x0807_C3D4)
        }
        // The BARs as QEMU reads them: 64 bits wide, prefetchable.
        for offset: UInt64 in [0x10, 0x18, 0x20] { #expect(try served.client.read32(region: 7, offset) & 0xF == 0xC) }
        #expect(served.model.counters == ExportCounters())
    }

    @Test func aClientsResetClearsTheBARsAndKeepsTheMemory() throws {
        let gpu = try CoherentGPU()
        let served = try ServedModel(ExportedFunction(gpu.device, over: gpu.model))
        try served.client.write(region: 4, 0, [1, 2, 3, 4])
        try served.client.write32(region: 7, 0x20, 0xFFFF_FFFF)
        try served.client.write32(region: 7, 0x24, 0x12)
        #expect(try served.client.read32(region: 7, 0x24) == 0x12)
        _ = try served.client.ask(.resetDevice)
        #expect(
            try served.client.read(region: 7, 0x18, count: 16) == [0xC, 0, 0, 0, 0, 0, 0, 0, 0xC, 0, 0, 0, 0, 0, 0, 0]
        )
        #expect(try served.client.read(region: 4, 0, count: 4) == [1, 2, 3, 4])
    }

    /// Long runs come from where they are, and where they cross the memory's end they come all the same.
    @Test func longRunsThroughTheServer() throws {
        let gpu = try CoherentGPU()
        let served = try ServedModel(ExportedFunction(gpu.device, over: gpu.model))
        var random = SeededRandom(seed: 3)
        let pattern = (0..<0x10_0000).map { _ in UInt8.random(in: 0...255, using: &random) }
        let start = CoherentGPU.usableBytes - 0x8_0000
        try served.client.write(region: 4, start - 0x8_0000, pattern)
        #expect(try served.client.read(region: 4, start - 0x8_0000, count: 0x10_0000) == pattern)
        let tail = try served.client.read(region: 4, start, count: 0x10_0000)
        #expect(tail == pattern.suffix(0x8_0000) + [UInt8](repeating: 0xFF, count: 0x8_0000))
    }

    // MARK: Threads

    /// Four threads in one file: one resets, one reads across the edge, one maps and writes through the mapping, one asks
    /// for all there is to ask. Run with the thread sanitizer by Tests/System/sanitize.
    @Test func resetReadAndMapAtOnce() throws {
        let gpu = try CoherentGPU()
        do {
            let file = try OpenFile(gpu.device, census: gpu.census)
            let edge = OpenFile.position(4, CoherentGPU.usableBytes - 4)
            let ran = Mutex<[String: Int]>([:])
            let threads: [(String, @Sendable (Int) throws -> Void)] = [
                ("reset", { _ in _ = try file.request(.reset, [0]) }),
                (
                    "read",
                    { round in
                        let bytes = try file.pread(8, edge)
                        #expect(bytes.count == 8 && bytes.suffix(4).allSatisfy { $0 == 0xFF })
                        try file.pwrite([UInt8(truncatingIfNeeded: round)], edge)
                    }
                ),
                (
                    "map",
                    { round in
                        let mapping = try file.file.map(byteCount: 4096, at: OpenFile.position(2, 4096))
                        // SAFETY: inside the mapping, which nobody else writes to.
                        unsafe mapping.base.storeBytes(of: round, as: Int.self)
                        let stored = unsafe mapping.base.load(as: Int.self)
                        #expect(stored == round)
                    }
                ),
                (
                    "ask",
                    { round in
                        let info = try file.request(
                            .getRegionInfo,
                            words(64, 0, 2, 0, 0, 0, 0, 0) + [UInt8](repeating: 0, count: 32)
                        )
                        #expect(info.word(12) == 32)
                        try file.pwrite([0xFF, 0xFF, 0xFF, 0xFF], OpenFile.position(7, 0x20))
                        #expect(try file.pread(4, OpenFile.position(7, 0x20))[0] == 0x0C)
                        _ = try file.pread(4, OpenFile.position(0, 0))
                    }
                ),
            ]
            let rounds = 200
            inThreads(threads.count) { index in
                let (name, body) = threads[index]
                for round in 0..<rounds {
                    do { try body(round) } catch { Issue.record("\(name), round \(round): \(error)") }
                }
                ran.withLock { $0[name] = rounds }
            }
            #expect(ran.withLock { $0.count } == 4)
            #expect(file.file.refusedCalls == 0)
        }
        #expect(gpu.census.outstanding.isEmpty)
    }
}
