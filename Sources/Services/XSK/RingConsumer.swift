// The side of a ring that takes entries out: the driver on Tx and fill rings, the program on Rx and completion rings.

import Synchronization

/// Takes entries out of a ring. One thread at a time.
@frozen @usableFromInline struct RingConsumer: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): handed over by consuming.
    @usableFromInline let ring: SharedRing
    /// The next entry to take; counts on for ever, and wraps at 32 bits.
    @usableFromInline var position: UInt32
    @usableFromInline var knownProducer: UInt32

    init(_ ring: SharedRing, position: UInt32) {
        self.ring = ring
        self.position = position
        knownProducer = position
    }

    /// How many entries are there to take, at most `limit`. An index that is more than the ring's size ahead is a lie:
    /// it is counted, and the ring is empty until it is true again.
    @inlinable mutating func available(_ limit: UInt32) -> UInt32 {
        var count = knownProducer &- position
        if count < limit {
            let producer = unsafe ring.producer.pointee.load(ordering: .acquiring)
            count = producer &- position
            guard count <= ring.size else {
                knownProducer = position
                ring.countIndexError()
                return 0
            }
            knownProducer = producer
        }
        return count < limit ? count : limit
    }

    /// Goes past `count` entries and lets the producer have their room. Once per burst.
    @inlinable mutating func release(_ count: UInt32) {
        position &+= count
        unsafe ring.consumer.pointee.store(position, ordering: .releasing)
    }
}
