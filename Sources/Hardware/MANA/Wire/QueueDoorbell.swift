// Doorbells: one 64-bit write to a doorbell page. What is written names the queue; the offset in the page its kind.
// Source: Linux union gdma_doorbell_entry and mana_gd_ring_doorbell (gdma_main.c), mana_gd_ring_dim of 7.x; DPDK
// drivers/net/mana/gdma.c for the 32-bit forms.

/// What kind of queue is rung, and so where in a doorbell page.
@frozen public enum DoorbellKind: Sendable, CaseIterable {
    case send, receive, completion, moderation, event

    /// Where in a doorbell page its 64-bit register is.
    @inlinable public var offset: UInt32 {
        switch self {
        case .send: 0x000
        case .receive: 0x400
        case .completion: 0x800
        case .moderation: 0x820
        case .event: 0xFF8
        }
    }

    /// The kind whose 64-bit register is at `offset` of a page; nil: none is.
    @inlinable public init?(offset: UInt32) {
        switch offset {
        case 0x000: self = .send
        case 0x400: self = .receive
        case 0x800: self = .completion
        case 0x820: self = .moderation
        case 0xFF8: self = .event
        default: return nil
        }
    }

    /// The kind whose 32-bit form is at `shortOffset` of a page; nil: none is.
    @inlinable public init?(shortOffset: UInt32) {
        switch shortOffset {
        case 0x010: self = .send
        case 0x410: self = .receive
        case 0x810: self = .completion
        case 0xFF0: self = .event
        default: return nil
        }
    }

    /// Where its 32-bit form is, if it has one.
    @inlinable public var shortOffset: UInt32? {
        switch self {
        case .send: 0x010
        case .receive: 0x410
        case .completion: 0x810
        case .moderation: nil
        case .event: 0xFF0
        }
    }
}

/// A doorbell's 64 bits: tail of a ring, and whether the next entry shall raise its interrupt.
@frozen public struct QueueDoorbell: Equatable, Sendable {
    public var id: UInt32
    /// Send and receive: bytes, 32 bits. Completion and event: entries modulo eight rings, 31 bits.
    public var tail: UInt32
    /// Completion and event alone.
    public var isArmed: Bool

    @inlinable public init(id: UInt32, tail: UInt32, isArmed: Bool = false) {
        self.id = id
        self.tail = tail
        self.isArmed = isArmed
    }

    /// What the 64 bits say when written to the doorbell of `kind`; `moderation` has a layout of its own.
    @inlinable public init(raw: UInt64, _ kind: DoorbellKind) {
        let high = UInt32(truncatingIfNeeded: raw &>> 32)
        let low = UInt32(truncatingIfNeeded: raw)
        switch kind {
        case .send, .receive, .moderation: self.init(id: low & 0xFF_FFFF, tail: high)
        case .completion: self.init(id: low & 0xFF_FFFF, tail: high & 0x7FFF_FFFF, isArmed: high &>> 31 != 0)
        case .event: self.init(id: low & 0xFFFF, tail: high & 0x7FFF_FFFF, isArmed: high &>> 31 != 0)
        }
    }

    /// The bits for the doorbell of `kind`; what does not fit is cut off.
    @inlinable public func raw(_ kind: DoorbellKind) -> UInt64 {
        switch kind {
        case .send, .receive, .moderation:
            return UInt64(id & 0xFF_FFFF) | UInt64(tail) &<< 32
        case .completion, .event:
            let mask: UInt32 = kind == .event ? 0xFFFF : 0xFF_FFFF
            return UInt64(id & mask) | UInt64(tail & 0x7FFF_FFFF) &<< 32 | (isArmed ? 1 &<< 63 : 0)
        }
    }
}

/// The 32-bit form: how far the tail moved since the last ring, not where it is.
@frozen public struct ShortDoorbell: Equatable, Sendable {
    public var id: UInt32
    /// Bytes of a work queue, entries of the others; 16 bits.
    public var increment: UInt32
    public var isArmed: Bool

    @inlinable public init(id: UInt32, increment: UInt32, isArmed: Bool = false) {
        self.id = id
        self.increment = increment
        self.isArmed = isArmed
    }

    @inlinable public init(raw: UInt32) {
        increment = raw & 0xFFFF
        id = (raw &>> 16) & 0xFFF
        isArmed = raw &>> 31 != 0
    }

    @inlinable public var raw: UInt32 {
        (increment & 0xFFFF) | (id & 0xFFF) &<< 16 | (isArmed ? 1 &<< 31 : 0)
    }
}

/// The doorbell that sets a completion queue's moderation.
@frozen public struct ModerationDoorbell: Equatable, Sendable {
    public var completionQueue: UInt32
    /// nil: as it was.
    public var microseconds: UInt16?
    public var completions: UInt8?

    @inlinable public init(completionQueue: UInt32, microseconds: UInt16?, completions: UInt8?) {
        self.completionQueue = completionQueue
        self.microseconds = microseconds
        self.completions = completions
    }

    @inlinable public init(raw: UInt64) {
        completionQueue = UInt32(truncatingIfNeeded: raw) & 0xFF_FFFF
        microseconds = raw & (1 &<< 47) == 0 ? nil : UInt16(truncatingIfNeeded: (raw &>> 32) & 0x3FF)
        completions = raw & (1 &<< 63) == 0 ? nil : UInt8(truncatingIfNeeded: raw &>> 48)
    }

    @inlinable public var raw: UInt64 {
        var raw = UInt64(completionQueue & 0xFF_FFFF)
        if let microseconds { raw |= UInt64(microseconds & 0x3FF) &<< 32 | 1 &<< 47 }
        if let completions { raw |= UInt64(completions) &<< 48 | 1 &<< 63 }
        return raw
    }
}
