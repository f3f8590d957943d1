// The driver's half of an Rx descriptor ring: the loop that the benchmark holds against C.
//
// Source: igc_clean_rx_irq, igc_alloc_rx_buffers (Linux 6.12): a descriptor is done when its length is not zero; the slot behind the last refilled
// one has its length cleared, so that an old length is never taken for a new frame.

import I225Wire
import Netdev
import Rings

/// A ring of Rx descriptors and the cookies of the buffers in them. Concrete and free of references on purpose.
@safe @frozen public struct ReceiveRing: ~Copyable {
    // SAFETY (whole type): indices of `slots` stay below its count by construction; see there.
    @usableFromInline var slots: DriverRing16

    /// SAFETY: `ring` must outlive this value.
    @unsafe public init(_ ring: DescriptorRing16) { slots = unsafe DriverRing16(ring) }

    /// Buffers that may be provided now.
    @inlinable public var room: Int { slots.room }

    /// The value for the tail register.
    @inlinable public var tail: UInt32 { slots.tail }

    /// Gives the device the first `limit` buffers, as many as there is room for; how many.
    @inlinable public mutating func provide(_ buffers: borrowing Burst<NetdevBuffer>, limit: Int) -> Int {
        let provided = min(limit, room, 32)
        let burst = unsafe buffers.pointer
        let ring = slots.descriptors
        let cookies = unsafe slots.cookies
        let count = slots.count
        var index = slots.next
        for position in 0..<max(provided, 0) {
            // SAFETY: `position` < 32, `index` < `count`.
            unsafe ring.storeUnchecked(index, low: burst[position].iova, high: 0)
            unsafe cookies[index] = burst[position].cookie
            index &+= 1
            if index == count { index = 0 }
        }
        // The slot that stays free may hold an old write-back: its length must read zero (igc_alloc_rx_buffers).
        unsafe ring.storeHighUnchecked(index, 0)
        slots.next = index
        return provided
    }

    /// Frames, or parts of frames, that the device has written, at most 32; how many.
    @inlinable public mutating func reap(_ frames: inout Burst<ReceivedFrame>) -> Int {
        let burst = unsafe frames.pointer
        let ring = slots.descriptors
        let cookies = unsafe slots.cookies
        let count = slots.count
        var index = slots.clean
        let end = slots.next
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
        slots.clean = index
        return found
    }

    /// Takes a buffer back from the device unfilled; nil when none is left. Only for a queue that is switched off.
    public mutating func takeBack() -> UInt64? { slots.takeBack() }
}
