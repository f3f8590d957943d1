// The side of a ring that puts entries in: the driver on Rx and completion rings, the program on Tx and fill rings.
// Room is reserved, then filled, then published: the driver reserves a completion's place when it takes the frame, as
// `xsk_tx_peek_release_desc_batch` in net/xdp/xsk.c does, so that a completion always has a place.

import Synchronization

/// Puts entries into a ring. One thread at a time.
@frozen @usableFromInline struct RingProducer: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): handed over by consuming.
    @usableFromInline let ring: SharedRing
    /// Room up to here is promised to somebody. Indices count on for ever, and wrap at 32 bits.
    @usableFromInline var reserved: UInt32
    /// Entries up to here are written.
    @usableFromInline var written: UInt32
    /// Entries up to here are the consumer's.
    @usableFromInline var published: UInt32
    @usableFromInline var knownConsumer: UInt32

    init(_ ring: SharedRing, position: UInt32, consumer: UInt32) {
        self.ring = ring
        reserved = position
        written = position
        published = position
        knownConsumer = consumer
    }

    /// Places reserved and not yet written.
    @inlinable var outstanding: UInt32 { reserved &- written }

    /// How many of `limit` places are free to reserve. A consumer index that went back, or past what was published, is
    /// a lie: it is counted, and the last true one holds.
    @inlinable mutating func room(_ limit: UInt32) -> UInt32 {
        var count = ring.size &- (reserved &- knownConsumer)
        if count < limit {
            let consumer = unsafe ring.consumer.pointee.load(ordering: .acquiring)
            if consumer &- knownConsumer <= published &- knownConsumer {
                knownConsumer = consumer
            } else {
                ring.countIndexError()
            }
            count = ring.size &- (reserved &- knownConsumer)
        }
        return count < limit ? count : limit
    }

    /// Promises `count` places. `room` has said that they are there.
    @inlinable mutating func reserve(_ count: UInt32) {
        reserved &+= count
    }

    /// Writes an address into the next place.
    @inlinable mutating func put(_ address: UInt64) {
        precondition(written != reserved, "no place was reserved for this entry")
        ring.setAddress(written, address)
        written &+= 1
    }

    /// Writes a descriptor into the next place.
    @inlinable mutating func put(_ address: UInt64, length: UInt32, options: UInt32) {
        precondition(written != reserved, "no place was reserved for this entry")
        ring.setDescriptor(written, address, length: length, options: options)
        written &+= 1
    }

    /// Hands all written entries to the consumer. Once per burst.
    @inlinable mutating func publish() {
        guard published != written else { return }
        published = written
        unsafe ring.producer.pointee.store(published, ordering: .releasing)
    }

    /// As `publish`, for the last time: in the end of a value nothing can be changed any more.
    func publishAtEnd() {
        unsafe ring.producer.pointee.store(written, ordering: .releasing)
    }

    /// As `publish`, ordered before a load of the need-wakeup flag: either this side sees the flag, or the other side,
    /// which looks once more after it has set the flag, sees the entries.
    @inlinable mutating func publishBeforeWakeupCheck() {
        guard published != written else { return }
        published = written
        unsafe ring.producer.pointee.store(published, ordering: .sequentiallyConsistent)
    }
}
