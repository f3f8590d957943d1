// The driver's half of a receive queue: the loop that a benchmark can hold against C.
//
// Source: mana_process_rx_cqe, mana_poll_rx_cq (mana_en.c of Linux 6.12 and 7.x): buffers come back in the order in which
// they were given, whatever a completion says of its request's place.

import MANAWire
import Netdev
import Registers
import Rings

/// What one look at the completions found.
@frozen public struct ReceiveTally: Sendable, Equatable {
    /// Completions of a type that nobody knows.
    public var unknown: UInt32 = 0
    /// Of another queue than this one.
    public var wrongQueue: UInt32 = 0
    /// Frames for which the device had no buffer.
    public var unexpected: UInt32 = 0
    /// Frames without a byte.
    public var empty: UInt32 = 0
    /// Frames longer than their buffer.
    public var damaged: UInt32 = 0
    /// Answers to FENCE_RQ.
    public var fences: UInt32 = 0
    /// Completions that told of several frames; see `ReceiveRing.takeCoalesced`.
    public var coalesced: UInt32 = 0
    /// The ring's owner bits cannot be: the queue is read no more.
    public var overflowed = false

    @inlinable public init() {}
    @inlinable public var isClean: Bool { self == ReceiveTally() }
}

/// A ring of buffers, their cookies, and the ring of completions.
@safe @frozen public struct ReceiveRing: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): handed over by consuming. (Accesses): `cookies` holds an element per unit of `work`, and is
    // indexed by masked unit numbers.
    public var work: WorkRing
    public var completions: CompletionRing
    @usableFromInline let cookies: UnsafeMutablePointer<UInt64>
    @usableFromInline var clean: UInt32 = 0
    @usableFromInline let signature: UInt32
    /// The key and the length of every buffer, as the piece's second quadword has them.
    @usableFromInline let pieceHigh: UInt64
    @usableFromInline let bufferBytes: UInt32
    public private(set) var isBroken = false
    @usableFromInline var tally = ReceiveTally()
    /// Completions of two frames, of three, and so on to eight.
    private var coalesced = InlineArray<7, UInt32>(repeating: 0)

    /// SAFETY: the memory behind both rings outlives this value.
    @unsafe public init(
        work: consuming WorkRing,
        completions: consuming CompletionRing,
        queue: UInt32,
        memoryKey: UInt32,
        bufferBytes: Int
    ) {
        let count = work.unitCount
        self.work = work
        self.completions = completions
        self.bufferBytes = UInt32(bufferBytes)
        signature = CompletionTail(queue: queue, isSend: false, owner: 0).raw
        pieceHigh = MemoryPiece(address: 0, key: memoryKey, length: UInt32(bufferBytes)).high
        unsafe cookies = .allocate(capacity: count)
        unsafe cookies.initialize(repeating: 0, count: count)
    }

    deinit { unsafe cookies.deallocate() }

    /// Buffers that may be provided now.
    @inlinable public var room: Int { work.unitCount &- Int(truncatingIfNeeded: work.head &- clean) }

    /// Dwords 0 and 1 of a receive request: one piece, eight bytes of nothing in line.
    @inlinable static var header: UInt64 { 0x201 &<< 32 }

    /// Gives the device the first `limit` buffers, as many as there is room for; how many.
    @inlinable public mutating func provide(_ buffers: borrowing Burst<NetdevBuffer>, limit: Int) -> Int {
        let provided = max(0, min(limit, room, 32))
        let burst = unsafe buffers.pointer
        var unit = work.head
        for position in 0..<provided {
            // SAFETY: `position` < 32.
            let buffer = unsafe burst[position]
            unsafe cookies[work.slot(unit)] = buffer.cookie
            work.store(unit, Self.header, 0, buffer.iova, pieceHigh)
            unit &+= 1
        }
        work.head = unit
        return provided
    }

    /// Frames that the device has written, at most 32; how many.
    @inlinable public mutating func reap(_ frames: inout Burst<ReceivedFrame>) -> Int {
        guard !isBroken else { return 0 }
        let burst = unsafe frames.pointer
        let owner = completions.owner
        var index = completions.head
        var unit = clean
        let end = work.head
        var found = 0
        var useless = 0
        while found < 32 {
            let tail = completions.loadTail(index)
            guard tail.owner == owner.bits(index) else {
                if owner.state(tail.owner, at: index) == .overflow { breakDown() }
                break
            }
            let type = CompletionHead(raw: completions.load(index, 0)).type
            let length = completions.load(index, 2) & 0xFFFF
            // One whole frame of this queue, for which a buffer is out, and which fits it: all else is seldom.
            guard tail.raw & CompletionRing.identity == signature, type == .received, unit != end,
                length &- 1 < bufferBytes
            else {
                clean = unit
                let added = unsafe takeOther(index, tail, type, into: burst, from: found)
                unit = clean
                guard let added else { break }
                index &+= 1
                found &+= added
                useless &+= added == 0 ? 1 : 0
                guard useless < CompletionRing.patience else { break }
                continue
            }
            // SAFETY: `found` < 32.
            unsafe burst[found] = frame(
                unit,
                length,
                completions.load(index, 4),
                ReceiveVerdict(raw: completions.load(index, 1))
            )
            found &+= 1
            unit &+= 1
            index &+= 1
        }
        completions.head = index
        clean = unit
        return found
    }

    /// A whole frame in the words of the service. mana_process_rx_cqe trusts a checksum that the device found right in
    /// both headers, and nothing else.
    @inlinable @inline(__always) func frame(
        _ unit: UInt32,
        _ length: UInt32,
        _ hash: UInt32,
        _ verdict: ReceiveVerdict
    ) -> ReceivedFrame {
        var frame = ReceivedFrame()
        frame.cookie = unsafe cookies[work.slot(unit)]
        frame.length = length
        frame.checksumIsGood = verdict[.ipGood] && (verdict[.tcpGood] || verdict[.udpGood])
        frame.hasVLANTag = verdict[.hasVLAN]
        frame.vlanTag = UInt16(truncatingIfNeeded: verdict[.vlan])
        let types = verdict.hashTypes.rawValue
        if types != 0 {
            frame.hash = hash
            // The number of the NDIS hash bit, counted from 1.
            frame.hashType = UInt8(truncatingIfNeeded: types.trailingZeroBitCount &+ 1)
        }
        return frame
    }

    /// Takes a completion that is not of one whole frame: the frames that it holds go to `burst`, from `found` on, and
    /// their buffers from `clean`. How many; nil: they do not all fit, and all frames of a completion leave in one burst.
    ///
    /// SAFETY: `burst` has 32 elements.
    @unsafe @inline(never) @usableFromInline mutating func takeOther(
        _ index: UInt32,
        _ tail: CompletionTail,
        _ type: CompletionType,
        into burst: UnsafeMutablePointer<ReceivedFrame>,
        from found: Int
    ) -> Int? {
        let capacity = self.capacity(tail, type)
        guard found &+ capacity <= 32 else { return nil }
        let verdict = ReceiveVerdict(raw: completions.load(index, 1))
        var added = 0
        while added < capacity {
            let (length, hash) = item(index, added, isOfEight: type == .receivedEight)
            if length == 0, added > 0 { break }
            guard clean != work.head else {
                tally.unexpected &+= 1
                break
            }
            var frame = frame(clean, length, hash, verdict)
            if type == .truncated || length &- 1 >= bufferBytes {
                frame = ReceivedFrame()
                frame.cookie = unsafe cookies[work.slot(clean)]
                frame.length = length
                frame.isDamaged = true
                if length == 0 { tally.empty &+= 1 } else { tally.damaged &+= 1 }
            }
            unsafe burst[found &+ added] = frame
            added &+= 1
            clean &+= 1
        }
        if added > 1 {
            tally.coalesced &+= 1
            coalesced[added &- 2] &+= 1
        }
        return added
    }

    /// How many frames a completion can hold.
    private mutating func capacity(_ tail: CompletionTail, _ type: CompletionType) -> Int {
        guard tail.raw & CompletionRing.identity == signature else {
            tally.wrongQueue &+= 1
            return 0
        }
        switch type {
        case .receivedFour: return 4
        case .receivedEight: return 8
        case .received, .truncated: return 1
        case .fence: tally.fences &+= 1
        default: tally.unknown &+= 1
        }
        return 0
    }

    /// Length and hash of frame `item` of a completion; see `ReceiveCompletion`.
    private func item(_ index: UInt32, _ item: Int, isOfEight: Bool) -> (UInt32, UInt32) {
        guard isOfEight else {
            return (completions.load(index, 2 &+ 3 &* item) & 0xFFFF, completions.load(index, 4 &+ 3 &* item))
        }
        let word = 2 &+ 3 &* (item &>> 1)
        let lengths = completions.load(index, word &+ 1)
        return item & 1 == 0
            ? (lengths & 0xFFFF, completions.load(index, word))
            : (lengths &>> 16, completions.load(index, word &+ 2))
    }

    @inline(never) @usableFromInline mutating func breakDown() {
        isBroken = true
        tally.overflowed = true
    }

    /// What was wrong, and which fences came, since the last call.
    public mutating func takeTally() -> ReceiveTally {
        let taken = tally
        tally = ReceiveTally()
        return taken
    }

    /// Completions of two frames, of three, and so on to eight, since the last call.
    mutating func takeCoalesced() -> InlineArray<7, UInt32> {
        let taken = coalesced
        coalesced = InlineArray(repeating: 0)
        return taken
    }

    @inlinable public var hasTally: Bool { !tally.isClean }

    /// Takes a buffer back from a device that has let go of the queue; nil when none is left.
    public mutating func takeBack() -> UInt64? {
        guard clean != work.head else { return nil }
        let cookie = unsafe cookies[work.slot(clean)]
        clean &+= 1
        return cookie
    }
}
