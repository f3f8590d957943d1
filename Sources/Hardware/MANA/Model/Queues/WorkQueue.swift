// A ring of work requests, send or receive, as the device walks it. Source: Linux mana_gd_post_work_request and
// mana_gd_wq_ring_doorbell (gdma_main.c) of 6.12 and 7.x; DPDK drivers/net/mana/gdma.c for the 32-bit doorbell.

import MANAWire

/// Requests between the device's head and the driver's tail, both in bytes and 32 bits wide.
package struct WorkQueue: ~Copyable {
    package var ring: RingMemory
    /// The first request that the device has not done with.
    package private(set) var head: UInt32 = 0
    /// How far requests can be read: what the driver rang, or, of a ring in remote memory, what has come of it.
    package private(set) var tail: UInt32 = 0
    /// What the driver rang.
    private var rung: UInt32 = 0
    /// The ring lies in remote memory.
    private var isRemote = false
    /// Fetches that the far end refused.
    package private(set) var refusedFetches: UInt64 = 0
    /// Tails that the ring cannot have, ignored.
    package private(set) var badTails: UInt64 = 0

    package init(_ ring: consuming RingMemory) {
        self.ring = ring
        // So that the first doorbell already tells what is here from what is not.
        if self.ring.liesInRemoteMemory { _ = refresh() }
    }

    /// A basic unit.
    package static var unitBytes: UInt32 { 32 }

    /// Bytes of the requests that wait.
    @inline(__always) package var available: Int { Int(truncatingIfNeeded: tail &- head) }

    /// Whether there are requests that are still on their way from remote memory.
    @inline(__always) package var isWaiting: Bool { rung != tail }

    /// Whether a request of `byteCount` bytes is here in part alone.
    @inline(__always) package func isWaiting(for byteCount: Int) -> Bool { isWaiting && byteCount > available }

    /// To be called before each burst; where it is false nothing may be read.
    @inline(__always) package mutating func refresh() -> Bool { ring.refresh() || refreshOtherwise() }

    @inline(never) private mutating func refreshOtherwise() -> Bool {
        switch ring.way {
        case .nowhere: return false
        case .direct:
            // It was remote until the memory map changed.
            ring.endFetch()
            ring.divert(false)
            isRemote = false
            tail = rung
        case .remote:
            if !isRemote {
                isRemote = true
                ring.lookThroughWindow()
                // It is diverted so that it comes by here again if the memory map changes.
                ring.divert()
                tail = head
            }
            fetch()
        }
        return true
    }

    /// Takes what has come from remote memory, and asks for what follows it.
    private mutating func fetch() {
        switch ring.takeFetched() {
        case .underWay: return
        case .nothing: break
        case .here(let count):
            // The driver may have rung back meanwhile.
            tail = tail &+ min(UInt32(count), rung &- tail)
        case .refused:
            // None of what was rung for can be read. The next doorbell tries again.
            refusedFetches &+= 1
            rung = tail
        }
        // Not for every request that is done with: half a window at least.
        guard rung != tail, available <= RingMemory.mostFetched / 2 else { return }
        ring.beginFetch(
            Int(truncatingIfNeeded: tail),
            byteCount: min(Int(rung &- tail), RingMemory.mostFetched - available)
        )
    }

    /// Where in the ring the request at the head is, for its completion.
    @inline(__always) package var headOffset: UInt32 {
        head & UInt32(truncatingIfNeeded: ring.byteCount &- 1)
    }

    /// The driver has rung. A tail that is no whole unit, behind the head or more than a ring ahead is ignored.
    package mutating func setTail(_ value: UInt32) {
        guard value % Self.unitBytes == 0, Int(value &- head) <= ring.byteCount else {
            badTails &+= 1
            return
        }
        rung = value
        guard isRemote else {
            tail = value
            return
        }
        // Back to what is here already: what is on its way is not wanted.
        if value &- head <= tail &- head {
            ring.endFetch()
            tail = value
        }
    }

    /// The driver has rung with the 32-bit doorbell.
    package mutating func moveTail(by increment: UInt32) { setTail(rung &+ increment) }

    /// The 8 bytes at `offset` from the head, a multiple of 8. `ring` must be reachable.
    @inline(__always) package func load(_ offset: Int) -> UInt64 {
        ring.load(Int(truncatingIfNeeded: head) &+ offset)
    }

    /// The request's header.
    @inline(__always) package var header: WorkRequestHeader {
        let word = load(0)
        return WorkRequestHeader(
            low: UInt32(truncatingIfNeeded: word),
            high: UInt32(truncatingIfNeeded: word &>> 32)
        )
    }

    /// Piece `index` of the list that starts at `listOffset` of the request.
    @inline(__always) package func piece(_ index: Int, listOffset: Int) -> MemoryPiece {
        let offset = listOffset &+ index &* MemoryPiece.byteCount
        return MemoryPiece(low: load(offset), high: load(offset &+ 8))
    }

    /// Goes past `byteCount` bytes, a multiple of 32, at most `available`.
    @inline(__always) package mutating func advance(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= available && byteCount & 31 == 0, "beyond the tail")
        head &+= UInt32(truncatingIfNeeded: byteCount)
    }
}
