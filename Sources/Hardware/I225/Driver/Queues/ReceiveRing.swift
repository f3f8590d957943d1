// The driver's half of an Rx descriptor ring: the loop that the benchmark holds against C.
//
// Source: facts §4.1 and §9 item 8: a descriptor is done when its length is not zero; the slot behind the last refilled
// one has its length cleared, so that an old length is never taken for a new frame.

import I225Wire
import Memory
import Netdev
import Rings

/// A ring of Rx descriptors and the cookies of the buffers in them. Concrete and free of references on purpose.
@safe @frozen public struct ReceiveRing: ~Copyable {
    // SAFETY (whole type): as for TransmitRing: indices stay below `count` by construction.
    @usableFromInline let ring: DescriptorRing16
    @usableFromInline let cookies: UnsafeMutablePointer<UInt64>
    @usableFromInline let count: Int
    /// Where the next buffer goes: the tail that the device is told.
    @usableFromInline var next = 0
    /// The oldest buffer that the device has not filled.
    @usableFromInline var clean = 0

    /// SAFETY: `ring` must outlive this value.
    @unsafe public init(_ ring: DescriptorRing16) {
        self.ring = ring
        self.count = ring.count
        unsafe cookies = .allocate(capacity: ring.count)
        unsafe cookies.initialize(repeating: 0, count: ring.count)
    }

    deinit { unsafe cookies.deallocate() }

    /// Buffers that may be provided now.
    @inlinable public var room: Int {
        let used = next &- clean
        return count &- 1 &- (used < 0 ? used &+ count : used)
    }

    /// The value for the tail register.
    @inlinable public var tail: UInt32 { UInt32(truncatingIfNeeded: next) }

    /// Gives the device the first `limit` buffers, as many as there is room for; how many.
    @inlinable public mutating func provide(_ buffers: borrowing Burst<NetdevBuffer>, limit: Int) -> Int {
        let provided = min(limit, room, 32)
        let burst = unsafe buffers.pointer
        var index = next
        for position in 0..<max(provided, 0) {
            // SAFETY: `position` < 32, `index` < `count`.
            unsafe ring.storeUnchecked(index, low: burst[position].iova, high: 0)
            unsafe cookies[index] = burst[position].cookie
            index &+= 1
            if index == count { index = 0 }
        }
        // The slot that stays free may hold an old write-back: its length must read zero (igc_alloc_rx_buffers).
        unsafe ring.storeHighUnchecked(index, 0)
        next = index
        return provided
    }

    /// Frames, or parts of frames, that the device has written, at most 32; how many.
    @inlinable public mutating func reap(_ frames: inout Burst<ReceivedFrame>) -> Int {
        var index = clean
        let end = next
        let burst = unsafe frames.pointer
        var found = 0
        while index != end, found < 32 {
            // SAFETY: `index` < `count`, `found` < 32.
            let high = unsafe ring.loadHighUnchecked(index)
            guard ReceiveWriteBack.length(high) != 0 else { break }
            let low = unsafe ring.loadLowUnchecked(index)
            unsafe burst[found] = ReceivedFrame(cookie: cookies[index], low: low, high: high)
            found &+= 1
            index &+= 1
            if index == count { index = 0 }
        }
        clean = index
        return found
    }

    /// Takes a buffer back from the device unfilled; nil when none is left. Only for a queue that is switched off.
    public mutating func takeBack() -> UInt64? {
        guard clean != next else { return nil }
        // SAFETY: `clean` < `count`.
        let cookie = unsafe cookies[clean]
        clean += 1
        if clean == count { clean = 0 }
        return cookie
    }
}
