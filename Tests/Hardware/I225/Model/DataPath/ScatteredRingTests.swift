// Rings whose pages an IOMMU puts side by side for the device and that are anywhere in memory: what a driver in a guest
// has, whose IOMMU maps page by page.

import Backing
import Glibc
import I225Model
import I225Wire
import Memory
import Registers
import Testing

/// The pages of some memory, mapped a second time with other memory between them.
@safe private final class Scattered {
    private let base: UnsafeMutableRawPointer
    private let byteCount: Int

    /// Takes `memory` away from the device and lends it anew, page by page, in mappings that do not continue each other.
    init(_ memory: Lent, _ rig: Rig) throws {
        let pages = memory.buffer.byteCount / 4096
        byteCount = pages * 2 * 4096
        let place = unsafe mmap(nil, byteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        let reserved = unsafe try #require(unsafe place)
        unsafe base = reserved
        try rig.model.host.memory.unmap(iova: memory.iova)
        for page in 0..<pages {
            // SAFETY: inside what was reserved; the pages are those of `memory`, which outlives the rig's queues.
            let place = unsafe base + (pages - 1 - page) * 8192
            let protection = PROT_READ | PROT_WRITE
            let descriptor = memory.buffer.memory.fileDescriptor
            let mapped = unsafe mmap(place, 4096, protection, MAP_SHARED | MAP_FIXED, descriptor, page * 4096)
            unsafe #expect(mapped == place)
            unsafe try rig.model.host.memory.map(
                iova: memory.iova + UInt64(page * 4096),
                base: place,
                byteCount: 4096,
                .both
            )
        }
    }

    deinit { unsafe munmap(base, byteCount) }
}

@Suite struct ScatteredRingTests {
    @Test func sendsFromARingOfScatteredPages() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try TransmitBench(rig, count: 768)
        let scattered = try Scattered(bench.ring, rig)
        for number in 0..<1536 {
            let frame = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 64)
            let slot = bench.put(frame)
            bench.ring()
            #expect(bench.isDone(slot), "descriptor \(number)")
            #expect(rig.sent() == [frame], "frame \(number)")
            bench.ring.setWord(0, at: slot * 16 + 8)
        }
        _ = scattered
    }

    @Test func receivesIntoARingOfScatteredPages() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try ReceiveBench(rig, count: 512, provide: 0)
        let scattered = try Scattered(bench.ring, rig)
        bench.provide(511)
        rig.poll()
        for slot in 0..<511 {
            let frame = [UInt8](repeating: UInt8(truncatingIfNeeded: slot), count: 64)
            rig.arriveAndPoll(frame)
            #expect(bench.bytes(slot) == frame, "descriptor \(slot)")
        }
        _ = scattered
    }
}
