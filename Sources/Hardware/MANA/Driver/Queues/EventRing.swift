// The driver's half of an event ring. Source: mana_gd_process_eq_events (gdma_main.c of Linux 6.12 and 7.x).

import MANAWire
import Synchronization

/// What a look at the next slot of a ring found.
package enum TakenEvent: Equatable, Sendable {
    case none
    case event(Event)
    /// The owner bits are of a lap that cannot be: events are lost, or the device lies.
    case overflow
}

/// Reads events in the order in which the device wrote them. One owner.
@safe struct EventRing: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): handed over by consuming; atomics. (Accesses): `words` holds four per entry, and a slot is below
    // the entry count by construction.
    private let words: UnsafePointer<Atomic<UInt32>>
    private let owner: OwnerBits
    private(set) var head: UInt32

    /// SAFETY: `base` holds `byteCount` zeroed bytes, and outlives the ring.
    @unsafe init(base: UnsafeMutableRawPointer, byteCount: Int) {
        unsafe words = UnsafePointer(base.assumingMemoryBound(to: Atomic<UInt32>.self))
        owner = OwnerBits(entryCount: UInt32(byteCount / MANA.eventBytes))
        head = owner.first
    }

    var entryCount: Int { Int(owner.entryCount) }

    /// What the doorbell is told.
    var tail: UInt32 { owner.tail(head) }

    mutating func next() -> TakenEvent {
        let entry = unsafe words + owner.slot(head) * 4
        let tail = EventTail(raw: unsafe entry[3].load(ordering: .acquiring))
        switch owner.state(tail.owner, at: head) {
        case .empty: return .none
        case .overflow: return .overflow
        case .valid: break
        }
        head &+= 1
        return .event(
            Event(
                tail.type,
                unsafe entry[0].load(ordering: .relaxed),
                unsafe entry[1].load(ordering: .relaxed),
                unsafe entry[2].load(ordering: .relaxed)
            )
        )
    }
}
