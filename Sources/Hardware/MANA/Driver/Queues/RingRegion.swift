// Memory of a ring, and the card's handle for it. Source: mana_gd_create_dma_region, mana_gd_destroy_dma_region
// (gdma_main.c of Linux 6.12 and 7.x).

import Backing
import Leases
import MANAWire
import Memory

/// Memory that the card knows as a region, by its pages. Its end has the card forget the region, unless a queue took it:
/// then the queue's end did.
@safe struct RingRegion<Backing: PCIeBacking>: ~Copyable {
    /// Pages that fit a request: no ring is longer (the card's own bound is the channel's page).
    static var mostPages: Int { (MANA.messageBytes - CreateRegion.byteCount) / 8 }

    let handle: UInt64
    let byteCount: Int
    var isTaken = false
    private let adapter: MANAAdapter<Backing>
    private let mark: CensusMark
    // Last: the memory goes when the card has let go of it.
    private let memory: DMABuffer

    init(_ adapter: MANAAdapter<Backing>, byteCount: Int, purpose: String) throws(DeviceError) {
        let operation = "create region for \(purpose)"
        let pages = byteCount / MANA.pageBytes
        guard byteCount >= MANA.shortestRingBytes, byteCount.nonzeroBitCount == 1, pages <= Self.mostPages else {
            throw adapter.error(.invalidArgument, operation, "\(byteCount) bytes, expected a power of two from 4096 up")
        }
        let memory = try adapter.hardware.backing.allocateDMA(byteCount: byteCount, .both, purpose: purpose)
        let base = memory.iova
        guard base % UInt64(MANA.pageBytes) == 0 else {
            throw adapter.error(.invalidArgument, operation, "memory at \(hex(base)), expected whole pages")
        }
        var request = adapter.request(CreateRegion.self, elementBytes: 8 * pages)
        request[.length] = UInt64(byteCount)
        request[.pageCount] = UInt32(pages)
        request[.listedCount] = UInt32(pages)
        for page in 0..<pages { request[.pages, page] = base + UInt64(page * MANA.pageBytes) }
        let handle = try adapter.channel.send(request)[.region]
        guard handle != 0 else { throw adapter.error(.badContents, operation, "handle 0") }
        self.handle = handle
        self.byteCount = byteCount
        self.adapter = adapter
        self.memory = memory
        mark = adapter.census.mark("MANA region")
    }

    deinit {
        guard !isTaken else { return }
        let (adapter, handle) = (adapter, handle)
        adapter.undo { () throws(DeviceError) in
            var request = adapter.request(DestroyRegion.self)
            request[.region] = handle
            _ = try adapter.channel.send(request)
        }
    }

    /// SAFETY: good for `byteCount` bytes as long as the region.
    @unsafe var base: UnsafeMutableRawPointer { unsafe memory.base }
}
