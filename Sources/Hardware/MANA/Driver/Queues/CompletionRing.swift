// The driver's half of a completion ring. Source: mana_gd_read_cqe, mana_gd_poll_cq (gdma_main.c of Linux 6.12 and 7.x).

import MANAWire
import Synchronization

/// Reads completions in the order in which the device wrote them. One owner; part of the hot loops.
@safe @frozen public struct CompletionRing: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): handed over by consuming; atomics. (Accesses): `words` holds 16 per entry, and a slot is below
    // the entry count by construction.
    @usableFromInline let words: UnsafePointer<Atomic<UInt32>>
    @usableFromInline let owner: OwnerBits
    /// Number of the next completion.
    public var head: UInt32
    /// What the device was last told of `head`.
    @usableFromInline var told: UInt32

    /// SAFETY: `base` holds `entryCount` zeroed completions, and outlives the ring.
    @unsafe public init(base: UnsafeMutableRawPointer, entryCount: Int) {
        unsafe words = UnsafePointer(base.assumingMemoryBound(to: Atomic<UInt32>.self))
        owner = OwnerBits(entryCount: UInt32(entryCount))
        head = owner.first
        told = owner.first
    }

    /// Of dword 15: whose the completion is. Four bits are reserved, three are the owner's.
    @inlinable static var identity: UInt32 { 0x01FF_FFFF }

    /// Completions of no use that one look takes at the most: a device can write them as fast as they are read.
    @inlinable static var patience: Int { 64 }

    /// What the doorbell is told.
    @inlinable public var tail: UInt32 { owner.tail(head) }

    /// Whether the device must be told how far the driver is: it has to hear it once in eight laps (Linux: once in four).
    @inlinable public var isOverdue: Bool { head &- told >= owner.entryCount &<< 2 }

    /// The doorbell has been rung.
    @inlinable public mutating func wasTold() { told = head }

    /// The last dword of entry number `index`, and with it everything that the device wrote before it.
    @inlinable func loadTail(_ index: UInt32) -> CompletionTail {
        CompletionTail(raw: unsafe words[owner.slot(index) &* 16 &+ 15].load(ordering: .acquiring))
    }

    /// Dword `word` of entry number `index`, below 15.
    @inlinable func load(_ index: UInt32, _ word: Int) -> UInt32 {
        unsafe words[owner.slot(index) &* 16 &+ (word & 15)].load(ordering: .relaxed)
    }

    /// All of a completion, for those that come seldom.
    func data(_ index: UInt32) -> CompletionData {
        var data = CompletionData()
        for word in 0..<15 { data.words[word] = load(index, word) }
        return data
    }

    /// Whether a fence waits among the completions that have not been read. Reads them without taking them: for the end of
    /// a queue.
    func holdsFence(of queue: UInt32) -> Bool {
        for step in 0..<owner.entryCount {
            let index = head &+ step
            let tail = loadTail(index)
            guard owner.state(tail.owner, at: index) == .valid else { return false }
            if !tail.isSend, tail.queue == queue, CompletionHead(raw: load(index, 0)).type == .fence { return true }
        }
        return false
    }
}
