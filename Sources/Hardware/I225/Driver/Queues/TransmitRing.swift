// The driver's half of a Tx descriptor ring: the loop that the benchmark holds against C.
//
// Source: facts §4.2 and §9 item 8: done is told by DD at offset 12; one slot stays free, so that head == tail is empty.

import I225Wire
import Memory
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
    // SAFETY (whole type): `ring` and `cookies` hold `count` elements. An index is 0 at the start and goes back to 0
    // when it reaches `count`, so `next` and `clean` are always below it: the checks that are dropped could not fail.
    @usableFromInline let ring: DescriptorRing16
    @usableFromInline let cookies: UnsafeMutablePointer<UInt64>
    @usableFromInline let count: Int
    /// Where the next descriptor is written: the tail that the device is told.
    @usableFromInline var next = 0
    /// The oldest descriptor that is not reaped.
    @usableFromInline var clean = 0

    /// SAFETY: `ring` must outlive this value.
    @unsafe public init(_ ring: DescriptorRing16) {
        self.ring = ring
        self.count = ring.count
        unsafe cookies = .allocate(capacity: ring.count)
        unsafe cookies.initialize(repeating: 0, count: ring.count)
    }

    deinit { unsafe cookies.deallocate() }

    /// Descriptors that may be written now.
    @inlinable public var room: Int {
        let used = next &- clean
        return count &- 1 &- (used < 0 ? used &+ count : used)
    }

    /// Descriptors that the device has not given back.
    @inlinable public var inFlight: Int { count &- 1 &- room }

    /// The value for the tail register.
    @inlinable public var tail: UInt32 { UInt32(truncatingIfNeeded: next) }

    /// Writes descriptors for the first `limit` entries, as many as there is room for; how many.
    @inlinable public mutating func submit(_ entries: borrowing Burst<TransmitEntry>, limit: Int) -> Int {
        let submitted = min(limit, room, 32)
        let burst = unsafe entries.pointer
        var index = next
        for position in 0..<max(submitted, 0) {
            // SAFETY: `position` < 32, `index` < `count`.
            let entry = unsafe burst[position]
            unsafe ring.storeUnchecked(index, low: entry.iova, high: entry.high)
            unsafe cookies[index] = entry.cookie
            index &+= 1
            if index == count { index = 0 }
        }
        next = index
        return submitted
    }

    /// Writes one descriptor that carries no buffer of its own (a context); the caller has checked `room`.
    ///
    /// A context has no DD. Its cookie is `contextCookie`, and it is reaped with the data descriptor behind it.
    @inlinable public mutating func submitContext(low: UInt64, high: UInt64) {
        // SAFETY: `next` < `count`.
        unsafe ring.storeUnchecked(next, low: low, high: high)
        unsafe cookies[next] = Self.contextCookie
        next &+= 1
        if next == count { next = 0 }
    }

    @inlinable static var contextCookie: UInt64 { ~0 }

    /// Cookies of buffers that the device is done with, at most 32; how many.
    @inlinable public mutating func reap(_ reaped: inout InlineArray<32, UInt64>) -> Int {
        var index = clean
        let end = next
        var found = 0
        while index != end, found < 32 {
            // SAFETY: `index` < `count`, `found` < 32.
            let cookie = unsafe cookies[index]
            if cookie == Self.contextCookie {
                // Not done before the data behind it is: look there, and step over both.
                var data = index &+ 1
                if data == count { data = 0 }
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
        clean = index
        return found
    }

    /// Takes a buffer back from the device unsent; nil when none is left. Only for a queue that is switched off.
    public mutating func takeBack() -> UInt64? {
        while clean != next {
            // SAFETY: `clean` < `count`.
            let cookie = unsafe cookies[clean]
            clean += 1
            if clean == count { clean = 0 }
            if cookie != Self.contextCookie { return cookie }
        }
        return nil
    }
}
