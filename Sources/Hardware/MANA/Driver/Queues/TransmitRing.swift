// The driver's half of a send queue: the loop that a benchmark can hold against C.
//
// Source: mana_start_xmit, mana_poll_tx_cq (mana_en.c of Linux 6.12 and 7.x): every request has one completion, and they
// come in the order of the requests.

import MANAWire
import Rings

/// A frame's out-of-band data and its pieces, as quadwords of one or two basic units.
@frozen public struct TransmitWork: Sendable {
    /// Of the longest request.
    static let mostUnits = 2
    /// 1 or 2.
    public var units: UInt32 = 1
    // The first unit: header and, where the format is short, out-of-band data; then pieces.
    @usableFromInline var header: UInt64 = 0
    @usableFromInline var second: UInt64 = 0
    @usableFromInline var third: UInt64 = 0
    @usableFromInline var fourth: UInt64 = 0
    @usableFromInline var pieces: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    @inlinable public init() {}
}

/// A request of one basic unit.
@frozen public struct TransmitUnit: Sendable {
    @usableFromInline let first: UInt64
    @usableFromInline let second: UInt64
    @usableFromInline let third: UInt64
    @usableFromInline let fourth: UInt64

    @inlinable init(_ first: UInt64, _ second: UInt64, _ third: UInt64, _ fourth: UInt64) {
        self.first = first
        self.second = second
        self.third = third
        self.fourth = fourth
    }
}

/// What one look at the completions found.
@frozen public struct TransmitTally: Sendable, Equatable {
    /// Frames that the device refused (CQE_TX_SA_DROP and the like).
    public var errors: UInt32 = 0
    /// Completions of a type that nobody knows.
    public var unknown: UInt32 = 0
    /// Of another queue than this one.
    public var wrongQueue: UInt32 = 0
    /// Of requests that there are not.
    public var unexpected: UInt32 = 0
    /// The ring's owner bits cannot be: the queue is read no more.
    public var overflowed = false

    @inlinable public init() {}
    @inlinable public var isClean: Bool { self == TransmitTally() }
}

/// A ring of work requests, the cookies of their frames, and the ring of their completions.
@safe @frozen public struct TransmitRing: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): handed over by consuming. (Accesses): `cookies` and `spans` hold an element per unit of `work`,
    // and are indexed by masked unit numbers.
    public var work: WorkRing
    public var completions: CompletionRing
    @usableFromInline let cookies: UnsafeMutablePointer<UInt64>
    /// By the unit that a request begins with: how many it has.
    @usableFromInline let spans: UnsafeMutablePointer<UInt8>
    /// The oldest unit that the device has not given back.
    @usableFromInline var clean: UInt32 = 0
    /// Dword 15 of every completion of this queue, without its owner bits.
    @usableFromInline let signature: UInt32
    public private(set) var isBroken = false
    /// Errors since the last `takeTally`.
    @usableFromInline var tally = TransmitTally()

    /// SAFETY: the memory behind both rings outlives this value.
    @unsafe public init(work: consuming WorkRing, completions: consuming CompletionRing, queue: UInt32) {
        let count = work.unitCount
        self.work = work
        self.completions = completions
        signature = CompletionTail(queue: queue, isSend: true, owner: 0).raw
        unsafe cookies = .allocate(capacity: count)
        unsafe cookies.initialize(repeating: 0, count: count)
        unsafe spans = .allocate(capacity: count)
        unsafe spans.initialize(repeating: 1, count: count)
    }

    deinit {
        unsafe cookies.deallocate()
        unsafe spans.deallocate()
    }

    /// Units that may be written now.
    @inlinable public var room: Int { work.unitCount &- Int(truncatingIfNeeded: work.head &- clean) }

    /// Writes a request; the caller has checked that there is room for its units.
    @inlinable public mutating func submit(_ request: TransmitWork, cookie: UInt64) {
        let unit = work.head
        let slot = work.slot(unit)
        unsafe cookies[slot] = cookie
        unsafe spans[slot] = UInt8(truncatingIfNeeded: request.units)
        work.store(unit, request.header, request.second, request.third, request.fourth)
        if request.units > 1 {
            let pieces = request.pieces
            work.store(unit &+ 1, pieces.0, pieces.1, pieces.2, pieces.3)
        }
        work.head = unit &+ request.units
    }

    /// Writes a request of one unit, which most are; the caller has checked that there is room.
    @inlinable public mutating func submit(_ request: TransmitUnit, cookie: UInt64) {
        let unit = work.head
        let slot = work.slot(unit)
        unsafe cookies[slot] = cookie
        unsafe spans[slot] = 1
        work.store(unit, request.first, request.second, request.third, request.fourth)
        work.head = unit &+ 1
    }

    /// Cookies of frames that the device is done with, at most 32; how many.
    @inlinable public mutating func reap(_ reaped: inout InlineArray<32, UInt64>) -> Int {
        guard !isBroken else { return 0 }
        var index = completions.head
        var unit = clean
        let end = work.head
        let owner = completions.owner
        var found = 0
        var useless = 0
        while found < 32, useless < CompletionRing.patience {
            let tail = completions.loadTail(index)
            guard tail.owner == owner.bits(index) else {
                if owner.state(tail.owner, at: index) == .overflow { breakDown() }
                break
            }
            let head = CompletionHead(raw: completions.load(index, 0))
            index &+= 1
            guard tail.raw & CompletionRing.identity == signature, unit != end,
                head.raw & 0xFF == Self.sentByNetwork
            else {
                guard account(tail, head, isExpected: unit != end) else {
                    useless &+= 1
                    continue
                }
                unsafe reaped[unchecked: found] = cookies[work.slot(unit)]
                found &+= 1
                unit &+= UInt32(unsafe spans[work.slot(unit)])
                continue
            }
            let slot = work.slot(unit)
            unsafe reaped[unchecked: found] = cookies[slot]
            found &+= 1
            unit &+= UInt32(unsafe spans[slot])
        }
        completions.head = index
        clean = unit
        return found
    }

    /// Dword 0 of a good completion, as far as it does not say how good: type 32 of client 1.
    @inlinable static var sentByNetwork: UInt32 { 0x60 }

    /// Counts a completion that is not plain success; whether it ends a request all the same.
    @inline(never) @usableFromInline
    mutating func account(_ tail: CompletionTail, _ head: CompletionHead, isExpected: Bool) -> Bool {
        guard tail.raw & CompletionRing.identity == signature else {
            tally.wrongQueue &+= 1
            return false
        }
        // mana_poll_tx_cq believes nothing of a completion of another client.
        guard head.client == CompletionHead.networkClient else {
            tally.unknown &+= 1
            return false
        }
        guard isExpected else {
            tally.unexpected &+= 1
            return false
        }
        switch head.type.rawValue {
        case 33...41: tally.errors &+= 1
        case 32: break
        default: tally.unknown &+= 1
        }
        return true
    }

    @inline(never) @usableFromInline mutating func breakDown() {
        isBroken = true
        tally.overflowed = true
    }

    /// What was wrong since the last call.
    public mutating func takeTally() -> TransmitTally {
        let taken = tally
        tally = TransmitTally()
        return taken
    }

    /// Whether `takeTally` has something to tell.
    @inlinable public var hasTally: Bool { !tally.isClean }

    /// Whether the completions that are there, reaped or not, end all requests up to the tail that was rung last. Takes
    /// nothing: for the end of a queue. True too of a ring that makes no sense: no wait will tell.
    func isSettled(upTo rung: UInt32) -> Bool {
        guard !isBroken else { return true }
        var unit = clean
        for step in 0..<completions.owner.entryCount {
            guard unit != work.head, unit &<< 5 != rung else { return true }
            let index = completions.head &+ step
            let tail = completions.loadTail(index)
            switch completions.owner.state(tail.owner, at: index) {
            case .empty: return false
            case .overflow: return true
            case .valid: break
            }
            guard tail.raw & CompletionRing.identity == signature,
                CompletionHead(raw: completions.load(index, 0)).client == CompletionHead.networkClient
            else { continue }
            unit &+= UInt32(unsafe spans[work.slot(unit)])
        }
        return true
    }

    /// Takes a frame back from a device that has let go of the queue; nil when none is left.
    public mutating func takeBack() -> UInt64? {
        guard clean != work.head else { return nil }
        let slot = work.slot(clean)
        let cookie = unsafe cookies[slot]
        clean &+= UInt32(unsafe spans[slot])
        return cookie
    }
}
