// The driver's half of a Tx descriptor ring: the loop that the benchmark holds against C.
//
// Source: igc_clean_tx_irq (Linux 6.12): done is told by DD, bit 0 of the dword at offset 12.

import I225Wire
import Rings

/// One buffer to send.
@frozen public struct TransmitEntry: Sendable {
    public var iova: UInt64
    /// Comes back when the device is done with the buffer.
    public var cookie: UInt64
    /// Quadword 1 of the descriptor.
    public var high: UInt64

    /// - Parameter bits: what quadword 1 has beyond a plain frame's: a stamp register, checksum insertion.
    @inlinable public init(iova: UInt64, cookie: UInt64, length: UInt32, bits: UInt64 = 0) {
        self.iova = iova
        self.cookie = cookie
        self.high = TransmitDataDescriptor.wholeFrame(length: length) | bits
    }

    @inlinable public init() { self.init(iova: 0, cookie: 0, length: 0) }
}

/// A ring of Tx descriptors and the cookies of the buffers in them. Concrete and free of references on purpose: it is
/// the hot loop.
@safe @frozen public struct TransmitRing: ~Copyable {
    // SAFETY (whole type): indices of `slots` stay below its count by construction; see there.
    @usableFromInline var slots: DriverRing16

    /// SAFETY: `ring` must outlive this value.
    @unsafe public init(_ ring: DescriptorRing16) { slots = unsafe DriverRing16(ring) }

    /// Descriptors that may be written now.
    @inlinable public var room: Int { slots.room }

    /// Descriptors that the device has not given back.
    @inlinable public var inFlight: Int { slots.inFlight }

    /// The value for the tail register.
    @inlinable public var tail: UInt32 { slots.tail }

    /// Writes descriptors for the first `limit` entries, as many as there is room for; how many.
    @inlinable public mutating func submit(_ entries: borrowing Burst<TransmitEntry>, limit: Int) -> Int {
        let submitted = min(limit, room, 32)
        let burst = unsafe entries.pointer
        let ring = slots.descriptors
        let cookies = unsafe slots.cookies
        let count = slots.count
        var index = slots.next
        for position in 0..<max(submitted, 0) {
            // SAFETY: `position` < 32, `index` < `count`.
            let entry = unsafe burst[position]
            unsafe ring.storeUnchecked(index, low: entry.iova, high: entry.high)
            unsafe cookies[index] = entry.cookie
            index &+= 1
            if index == count { index = 0 }
        }
        slots.next = index
        return submitted
    }

    /// Writes one descriptor that carries no buffer of its own (a context); the caller has checked `room`.
    ///
    /// A context has no DD. Its cookie is `contextCookie`, and it is reaped with the data descriptor behind it.
    @inlinable public mutating func submitContext(low: UInt64, high: UInt64) {
        // SAFETY: `next` is below the count.
        unsafe slots.descriptors.storeUnchecked(slots.next, low: low, high: high)
        unsafe slots.cookies[slots.next] = Self.contextCookie
        slots.next = slots.following(slots.next)
    }

    @inlinable static var contextCookie: UInt64 { ~0 }

    /// Cookies of buffers that the device is done with, at most 32; how many.
    @inlinable public mutating func reap(_ reaped: inout InlineArray<32, UInt64>) -> Int {
        let ring = slots.descriptors
        let cookies = unsafe slots.cookies
        let count = slots.count
        var index = slots.clean
        let end = slots.next
        var found = 0
        while index != end, found < 32 {
            // SAFETY: `index` < `count`, `found` < 32.
            let cookie = unsafe cookies[index]
            if cookie == Self.contextCookie {
                // Not done before the data behind it is: look there, and step over both.
                let data = slots.following(index)
                guard data != end, unsafe TransmitDataDescriptor.isDone(ring.loadHighUnchecked(data)) else { break }
                index = data
                continue
            }
            guard unsafe TransmitDataDescriptor.isDone(ring.loadHighUnchecked(index)) else { break }
            unsafe reaped[unchecked: found] = cookie
            found &+= 1
            index &+= 1
            if index == count { index = 0 }
        }
        slots.clean = index
        return found
    }

    /// Takes a buffer back from the device unsent; nil when none is left. Only for a queue that is switched off.
    public mutating func takeBack() -> UInt64? {
        while let cookie = slots.takeBack() {
            if cookie != Self.contextCookie { return cookie }
        }
        return nil
    }
}
