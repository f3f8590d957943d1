// A ring of events as the device fills it, and the vector that tells of them.
// Source: Linux mana_gd_process_eq_events, mana_gd_ring_doorbell (gdma_main.c) of 6.12 and 7.x.

import MANAWire

package struct EventQueue: ~Copyable {
    /// The MSI-X vector.
    package let vector: Int
    private var ring: RingMemory
    private let owner: OwnerBits
    /// The next entry; counts up for ever.
    package private(set) var producer: UInt32
    /// Armed from the start: the test event that follows CREATE_QUEUE must interrupt.
    package private(set) var isArmed = true
    /// Events that could not be written: the driver took the ring's memory away.
    package private(set) var lost: UInt64 = 0
    package private(set) var pushed: UInt64 = 0
    /// What the driver rang last.
    private var tail: UInt32
    /// What goes wrong with its entries.
    private let faults: RingFaults?

    /// - Parameter faults: what goes wrong with its entries.
    package init(vector: Int, _ ring: consuming RingMemory, faults: RingFaults? = nil) {
        self.vector = vector
        owner = OwnerBits(entryCount: UInt32(truncatingIfNeeded: ring.byteCount / 16))
        producer = owner.first
        tail = owner.tail(owner.first)
        self.faults = faults
        self.ring = ring
        if faults != nil { self.ring.divert() }
    }

    /// Writes an event; true where the vector must be raised.
    package mutating func push(_ event: Event) -> Bool {
        let tail = EventTail(event.type, owner: owner.bits(producer))
        if ring.refresh() {
            let offset = owner.slot(producer) &* 16
            ring.store(offset, UInt64(event.detail0) | UInt64(event.detail1) << 32)
            ring.publish(offset &+ 8, UInt64(event.detail2) | UInt64(tail.raw) << 32)
            producer &+= 1
        } else if ring.way != .nowhere {
            pushOtherwise(event, tail)
        } else {
            lost &+= 1
            return false
        }
        pushed &+= 1
        defer { isArmed = false }
        return isArmed
    }

    /// Writes an event that cannot go the plain way.
    @inline(never) private mutating func pushOtherwise(_ event: Event, _ tail: EventTail) {
        ring.putEntry([event.detail0, event.detail1, event.detail2, tail.raw], at: &producer, owner, faults)
    }

    /// The driver has rung: it has read up to `tail`. True where it is armed and has not read all: the vector is due now.
    package mutating func ring(tail: UInt32, isArmed arms: Bool) -> Bool {
        self.tail = tail
        guard arms else { return false }
        guard owner.tail(producer) == tail else {
            isArmed = false
            return true
        }
        isArmed = true
        return false
    }

    /// The 32-bit doorbell: how many more the driver has read.
    package mutating func ring(movedBy increment: UInt32, isArmed arms: Bool) -> Bool {
        ring(tail: owner.tail(tail &+ increment), isArmed: arms)
    }
}
