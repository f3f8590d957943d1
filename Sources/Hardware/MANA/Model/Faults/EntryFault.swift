// Entries of completion and event rings that lie: laps that cannot be, queues that are not there, places outside of their
// ring, entries that never come and rings that are overrun. A driver finds them by owner bits and by looking twice.
// Source: Linux mana_gd_read_cqe, mana_gd_process_eq_events (gdma_main.c), mana_poll_tx_cq, mana_process_rx_cqe (mana_en.c),
// mana_hwc_rx_event_handler (hw_channel.c) of 6.12 and 7.x for what is looked at.

/// One entry, or each, of a kind of ring that goes wrong.
public struct EntryFault: Sendable, Equatable {
    public enum Ring: Sendable, Equatable, CaseIterable {
        // Of the hardware channel.
        case channelCompletions
        case channelEvents
        // Of the network adapter.
        case sendCompletions
        case receiveCompletions
        case events

        /// Whether its entries are events, of 16 bytes; else they are completions, of 64.
        public var holdsEvents: Bool { self == .channelEvents || self == .events }
    }

    public enum Kind: Sendable, Equatable {
        /// Its owner bits are those of so many laps later: 7 is the last lap, an empty slot; 1 to 6 cannot be.
        case lap(UInt32)
        /// A completion names this work queue, an event this completion queue, 24 bits; whatever the event is.
        case queue(UInt32)
        /// A completion of a send queue says that it is of a receive queue, or the other way about. Events have no side.
        case otherSide
        /// A completion says that its request is at this byte of the work ring. Events name no request.
        case offset(UInt32)
        /// The dword of this index has other bits; without an effect where the entry has no such dword.
        case word(Int, UInt32)
        /// It is not written, and the next one takes its slot. The driver is told of it all the same.
        case lost
        /// It is written so many times more.
        case repeated(Int)
        /// It is written until the ring is full once more: the device overtakes a driver that has read all before it.
        case overrun
    }

    public var ring: Ring
    /// The id of the completion or event queue; nil: any.
    public var queue: UInt32?
    /// Which entry of such rings, counted from 0 and not anew with a new ring; nil: each.
    public var occurrence: Int?
    public var kind: Kind

    public init(_ kind: Kind, in ring: Ring, queue: UInt32? = nil, occurrence: Int? = 0) {
        self.kind = kind
        self.ring = ring
        self.queue = queue
        self.occurrence = occurrence
    }
}
