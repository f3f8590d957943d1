// Who an entry of a completion or event ring belongs to: three bits that count the laps of the ring.
// Source: Linux mana_gd_read_cqe and mana_gd_process_eq_events (gdma_main.c), INITIALIZED_OWNER_BIT, of 6.12 and 7.x.

/// The rule of owner bits for a ring of `entryCount` entries, a power of two. The producer's and the consumer's index
/// count up for ever from `entryCount`: memory starts as zeros, and the first lap writes ones.
@frozen public struct OwnerBits: Sendable, Equatable {
    /// What an entry's bits say to the consumer.
    @frozen public enum State: Sendable, Equatable {
        /// Not yet written in this lap.
        case empty
        case valid
        /// Of a lap that cannot be: the producer has overtaken the consumer, or the device lies.
        case overflow
    }

    public let entryCount: UInt32
    @usableFromInline let shift: UInt32

    /// Anything but a power of two is a programmer's error and traps.
    @inlinable public init(entryCount: UInt32) {
        precondition(entryCount.nonzeroBitCount == 1, "rings have a power of two of entries")
        self.entryCount = entryCount
        self.shift = UInt32(truncatingIfNeeded: entryCount.trailingZeroBitCount)
    }

    /// Where producer and consumer start.
    @inlinable public var first: UInt32 { entryCount }
    /// The slot of entry number `index`.
    @inlinable public func slot(_ index: UInt32) -> Int { Int(truncatingIfNeeded: index & (entryCount &- 1)) }
    /// The three bits that entry number `index` is written with.
    @inlinable public func bits(_ index: UInt32) -> UInt32 { (index &>> shift) & 7 }
    /// What a doorbell says of `index`: entries, modulo eight rings.
    @inlinable public func tail(_ index: UInt32) -> UInt32 { index & (entryCount &<< 3 &- 1) }

    /// What it means that the entry at the consumer's `index` has `bits`.
    @inlinable public func state(_ bits: UInt32, at index: UInt32) -> State {
        let valid = self.bits(index)
        if bits == valid { return .valid }
        return bits == (valid &- 1) & 7 ? .empty : .overflow
    }
}
