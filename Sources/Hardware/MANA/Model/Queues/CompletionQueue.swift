// A ring of completions as the device fills it: owner bits, and one event to its event queue for each time it is armed.
// A device does not know how far the driver has read: drivers ring once in several laps, and find an overflow themselves.
// Source: Linux mana_gd_read_cqe, mana_gd_poll_cq, mana_gd_ring_cq (gdma_main.c) of 6.12 and 7.x.

import MANAWire

package struct CompletionQueue: ~Copyable {
    package let id: UInt32
    /// The event queue that hears of it.
    package let eventQueue: Int
    private var ring: RingMemory
    private let owner: OwnerBits
    /// The next entry; counts up for ever.
    package private(set) var producer: UInt32
    /// The next completion has its event at once.
    package private(set) var isArmed: Bool
    /// The next completion has its event when moderation lets it.
    private var isArmedWithPatience = false
    package private(set) var moderation = CompletionModeration()
    /// The last tail that was rung.
    private var tail: UInt32
    /// Whether something was posted that no event has told of.
    private var hasNews = false
    /// Completions that could not be written: the driver took the ring's memory away.
    package private(set) var lost: UInt64 = 0
    package private(set) var posted: UInt64 = 0
    /// What goes wrong with its entries.
    private let faults: RingFaults?

    /// - Parameters:
    ///   - isArmed: of CREATE_WQ_OBJ false, the driver arms it; of the hardware channel true.
    ///   - faults: what goes wrong with its entries.
    package init(
        id: UInt32,
        eventQueue: Int,
        _ ring: consuming RingMemory,
        isArmed: Bool = false,
        faults: RingFaults? = nil
    ) {
        self.id = id
        self.eventQueue = eventQueue
        owner = OwnerBits(entryCount: UInt32(truncatingIfNeeded: ring.byteCount / 64))
        producer = owner.first
        tail = owner.tail(owner.first)
        self.isArmed = isArmed
        self.faults = faults
        self.ring = ring
        if faults != nil { self.ring.divert() }
    }

    /// To be called before a burst of `post`; false where completions would be lost.
    @inline(__always) package mutating func refresh() -> Bool { ring.refresh() || ring.way != .nowhere }

    /// Writes a completion of work queue `queue`, given as its first seven quadwords and dword 14.
    @inline(__always) package mutating func post(
        _ entry: InlineArray<7, UInt64>,
        last: UInt32 = 0,
        queue: UInt32,
        isSend: Bool
    ) {
        guard ring.refresh() else { return postOtherwise(entry, last, queue, isSend) }
        let tail = CompletionTail(queue: queue, isSend: isSend, owner: owner.bits(producer))
        let whole: InlineArray<8, UInt64> = [
            entry[0], entry[1], entry[2], entry[3], entry[4], entry[5], entry[6],
            UInt64(last) | UInt64(tail.raw) &<< 32,
        ]
        ring.publish(owner.slot(producer) &* 64, whole)
        producer &+= 1
        posted &+= 1
        hasNews = true
    }

    /// Writes a completion that cannot go the plain way: there is none, or something is to go wrong with it.
    @inline(never) private mutating func postOtherwise(
        _ entry: InlineArray<7, UInt64>,
        _ last: UInt32,
        _ queue: UInt32,
        _ isSend: Bool
    ) {
        guard ring.way != .nowhere else {
            lost &+= 1
            return
        }
        var words: [UInt32] = []
        for index in 0..<7 {
            words += [UInt32(truncatingIfNeeded: entry[index]), UInt32(truncatingIfNeeded: entry[index] >> 32)]
        }
        words += [last, CompletionTail(queue: queue, isSend: isSend, owner: owner.bits(producer)).raw]
        ring.putEntry(words, at: &producer, owner, faults)
        posted &+= 1
        hasNews = true
    }

    /// Writes a completion of work queue `queue`.
    package mutating func post(_ data: CompletionData, queue: UInt32, isSend: Bool) {
        let words = data.words
        post(
            InlineArray { UInt64(words[2 * $0]) | UInt64(words[2 * $0 + 1]) << 32 },
            last: words[14],
            queue: queue,
            isSend: isSend
        )
    }

    /// Whether an event is due: something was posted, and the queue is armed, which it is no more then. Once per burst.
    @inline(__always) package mutating func takeEvent() -> Bool {
        guard hasNews, isArmed else { return false }
        hasNews = false
        isArmed = false
        return true
    }

    /// The driver has rung: it has read up to `tail`. True where it is armed and has not read all: an event is due now.
    package mutating func ring(tail: UInt32, isArmed arms: Bool) -> Bool {
        self.tail = tail
        return arms && arm()
    }

    private mutating func arm() -> Bool {
        hasNews = false
        isArmed = false
        isArmedWithPatience = moderation.isOn
        moderation.restart()
        guard !isArmedWithPatience else { return false }
        isArmed = unread == 0
        return !isArmed
    }

    /// Completions behind the tail that was rung last.
    private var unread: UInt32 { owner.tail(producer &- tail) }

    /// The 32-bit doorbell: how many more the driver has read.
    package mutating func ring(movedBy increment: UInt32, isArmed arms: Bool) -> Bool {
        ring(tail: owner.tail(tail &+ increment), isArmed: arms)
    }

    // MARK: Moderation

    /// Sets how long completions wait; nil: as it was. True where an event is due now.
    package mutating func moderate(microseconds: UInt16?, completions: UInt16?) -> Bool {
        moderation.set(microseconds: microseconds, completions: completions)
        return (isArmed || isArmedWithPatience) && arm()
    }

    /// Whether completions have waited long enough for their event, which is due then.
    package mutating func takeModeratedEvent(_ now: UInt64) -> Bool {
        guard isArmedWithPatience, moderation.isDue(unread: unread, now) else { return false }
        isArmedWithPatience = false
        hasNews = false
        moderation.restart()
        return true
    }

    /// When the next event is due, if nothing else happens.
    package func moderationDeadline(_ now: UInt64) -> UInt64? {
        isArmedWithPatience ? moderation.deadline(unread: unread, now) : nil
    }
}
