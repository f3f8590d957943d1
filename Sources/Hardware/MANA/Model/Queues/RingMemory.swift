// The memory of a ring: pages of 4 KiB that the driver listed one by one (CREATE_DMA_REGION), wherever each of them is.
// No entry straddles a page: events have 16 bytes, completions 64, basic units of work 32.
// Source: Linux mana_gd_create_dma_region (gdma_main.c) of 6.12 and 7.x.

import Memory
import Synchronization

/// A ring's bytes, by offset. They are looked up when the memory map has changed, not per access.
@safe package struct RingMemory: ~Copyable {
    // SAFETY: `addresses` and `pages` have `pageCount` elements from `init` to `deinit`. A page is followed only while
    // `isReachable`, or for rings that are not plain the way, says so of the present memory map: it cannot change within a
    // burst, because mapping and bursts share the owner's thread. Offsets are masked to the ring, and aligned to what is
    // loaded or stored. `window` has `windowBytes` once it is there, until `deinit`.

    /// How the ring is reached in the present memory map.
    package enum Way: Sendable, Equatable {
        /// The driver took its memory away.
        case nowhere
        case direct
        /// It lies in memory that is reached by transfers alone: see `RingMemory+Remote`.
        case remote
    }

    package static var pageBytes: Int { 4096 }
    /// The longest ring: 16 MiB, 4096 pages.
    package static var mostBytes: Int { 1 << 24 }

    let memory: IOVASpace
    private let access: DMAPermissions
    package let byteCount: Int
    private let mask: Int
    let addresses: UnsafeMutablePointer<UInt64>
    let pages: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    let pageCount: Int
    private var generation: UInt64 = 0
    private var isReachable = false
    /// As of the last `refresh`.
    package private(set) var way = Way.nowhere
    /// The owner wants nothing to go the plain way.
    private var isDiverted = false
    /// What is here of a remote ring, and the part of it that is on its way.
    var window: UnsafeMutableRawPointer?
    var fetch: (ticket: UInt64, offset: Int, byteCount: Int)?

    /// - Parameters:
    ///   - pages: where in the device's memory the ring's pages are, in the ring's order; each at a multiple of 4096.
    ///   - byteCount: a power of two, at least one page. What `pages` has beyond it is not used.
    /// - Returns: nil where those do not make a ring.
    package init?(_ memory: IOVASpace, pages list: [UInt64], byteCount: Int, _ access: DMAPermissions) {
        let pageCount = byteCount / Self.pageBytes
        guard byteCount >= Self.pageBytes, byteCount <= Self.mostBytes, byteCount.nonzeroBitCount == 1,
            list.count >= pageCount, list.allSatisfy({ $0 % UInt64(Self.pageBytes) == 0 })
        else { return nil }
        self.memory = memory
        self.access = access
        self.byteCount = byteCount
        self.pageCount = pageCount
        mask = byteCount - 1
        unsafe window = nil
        unsafe addresses = .allocate(capacity: pageCount)
        unsafe pages = .allocate(capacity: pageCount)
        for index in 0..<pageCount {
            unsafe (addresses + index).initialize(to: list[index])
            unsafe (pages + index).initialize(to: nil)
        }
    }

    deinit {
        if let fetch { memory.transfers.forget(fetch.ticket) }
        unsafe window?.deallocate()
        unsafe addresses.deallocate()
        unsafe pages.deallocate()
    }

    /// From now on `refresh` is always false, and entries are written by `put`; or no more.
    package mutating func divert(_ isDiverted: Bool = true) {
        self.isDiverted = isDiverted
        isReachable = !isDiverted && way == .direct
    }

    /// Whether all pages can be reached now, the plain way. To be called before each burst; where it says false nothing may
    /// be accessed but by `put`, and that only where `way` leads somewhere.
    @inline(__always) package mutating func refresh() -> Bool {
        if generation == memory.generation { return isReachable }
        return lookUp()
    }

    @inline(never) private mutating func lookUp() -> Bool {
        generation = memory.generation
        isReachable = false
        way = .nowhere
        if liesInRemoteMemory {
            way = .remote
            if unsafe window != nil { lookThroughWindow() }
            return false
        }
        for index in 0..<pageCount {
            let page = unsafe memory.address(addresses[index], length: Self.pageBytes, access)
            // What is lent at an odd place cannot hold the words that both sides change.
            guard let page = unsafe page, Int(bitPattern: page) % 64 == 0 else { return false }
            unsafe pages[index] = page
        }
        way = .direct
        isReachable = !isDiverted
        return isReachable
    }

    @unsafe @inline(__always) private func word(_ offset: Int) -> UnsafePointer<Atomic<UInt64>> {
        let place = offset & mask
        // SAFETY: `lookUp` has filled in every page, or `lookThroughWindow`.
        let page = unsafe pages[place &>> 12].unsafelyUnwrapped
        return unsafe UnsafePointer((page + (place & 4095)).assumingMemoryBound(to: Atomic<UInt64>.self))
    }

    /// The 8 bytes at `offset`, a multiple of 8; offsets beyond the end count from the start again.
    @inline(__always) package func load(_ offset: Int) -> UInt64 {
        assert(way != .nowhere && offset & 7 == 0)
        return unsafe word(offset).pointee.load(ordering: .relaxed)
    }

    @inline(__always) package func store(_ offset: Int, _ value: UInt64) {
        assert(isReachable && offset & 7 == 0)
        unsafe word(offset).pointee.store(value, ordering: .relaxed)
    }

    /// Publishes the 8 bytes, and with them all that was stored before.
    @inline(__always) package func publish(_ offset: Int, _ value: UInt64) {
        assert(isReachable && offset & 7 == 0)
        unsafe word(offset).pointee.store(value, ordering: .releasing)
    }

    /// Stores 64 bytes at `offset`, a multiple of 64, the last 8 of them last.
    @inline(__always) package func publish(_ offset: Int, _ entry: InlineArray<8, UInt64>) {
        assert(isReachable && offset & 63 == 0)
        let first = unsafe word(offset)
        for index in 0..<7 { unsafe first[index].store(entry[index], ordering: .relaxed) }
        unsafe first[7].store(entry[7], ordering: .releasing)
    }

    /// Writes an entry of dwords at `offset`, a multiple of 8, its last 8 bytes last: the way for rings that are not plain.
    @inline(never) package func put(_ offset: Int, _ dwords: [UInt32]) {
        precondition(way != .nowhere && offset & 7 == 0 && dwords.count & 1 == 0, "an entry, and a way for it")
        guard way == .direct else { return putRemotely(offset, dwords) }
        for index in stride(from: 0, to: dwords.count, by: 2) {
            let word = UInt64(dwords[index]) | UInt64(dwords[index + 1]) << 32
            // Releasing is what the last one needs, and costs the others nothing that matters here.
            unsafe self.word(offset &+ index * 4).pointee.store(word, ordering: .releasing)
        }
    }
}
