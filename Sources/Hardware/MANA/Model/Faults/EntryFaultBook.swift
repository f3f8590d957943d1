// Which faults of entries have had their turn. One per model: rings come and go, and faults do not begin anew with them.

/// The faults of a model's entries, and how many entries each has seen. It belongs to the model's owner thread.
package final class EntryFaultBook {
    private let faults: [EntryFault]
    private var seen: [Int]

    package init(_ faults: [EntryFault]) {
        self.faults = faults
        seen = [Int](repeating: 0, count: faults.count)
    }

    /// What goes wrong with the entries of a ring of queue `queue`; nil: nothing ever does.
    package func faults(of ring: EntryFault.Ring, queue: UInt32) -> RingFaults? {
        let concerned = faults.indices.filter {
            faults[$0].ring == ring && (faults[$0].queue ?? queue) == queue
        }
        return concerned.isEmpty ? nil : RingFaults(book: self, ring: ring, concerned: concerned)
    }

    /// The kinds of fault whose turn it is, of those at `places`.
    fileprivate func take(_ places: [Int]) -> [EntryFault.Kind] {
        var due: [EntryFault.Kind] = []
        for place in places {
            if faults[place].occurrence == nil || faults[place].occurrence == seen[place] {
                due.append(faults[place].kind)
            }
            seen[place] += 1
        }
        return due
    }
}

/// What goes wrong with the entries of one ring. A class, so that a queue holds one word of it, most often nil.
package final class RingFaults {
    private let book: EntryFaultBook
    private let ring: EntryFault.Ring
    /// Places in the book.
    private let concerned: [Int]

    fileprivate init(book: EntryFaultBook, ring: EntryFault.Ring, concerned: [Int]) {
        self.book = book
        self.ring = ring
        self.concerned = concerned
    }

    /// Changes an entry, given as its dwords, of which the last one holds the owner bits.
    ///
    /// - Parameter entryCount: of the ring.
    /// - Returns: how often it is to be written.
    func apply(to words: inout [UInt32], entryCount: UInt32) -> Int {
        var times = 1
        let last = words.count - 1
        for kind in book.take(concerned) {
            switch kind {
            case .lap(let count): words[last] = words[last] &+ (count & 7) << 29
            case .queue(let queue) where ring.holdsEvents: Self.set(queue, 0xFF_FFFF, &words[0])
            case .queue(let queue): Self.set(queue, 0xFF_FFFF, &words[last])
            case .otherSide where !ring.holdsEvents: words[last] ^= 1 << 24
            case .offset(let offset): setOffset(offset, &words)
            case .word(let index, let value) where words.indices.contains(index): words[index] = value
            case .otherSide, .word: break
            case .lost: times = 0
            case .repeated(let more): times = min(1 + max(0, more), Int(entryCount) * 8)
            case .overrun: times = 1 + Int(entryCount)
            }
        }
        return times
    }

    private static func set(_ value: UInt32, _ mask: UInt32, _ word: inout UInt32) {
        word = word & ~mask | value & mask
    }

    /// Where a completion says which request it ends: one dword, another for each kind of queue.
    private func setOffset(_ offset: UInt32, _ words: inout [UInt32]) {
        switch ring {
        case .channelCompletions: words[3] = offset
        case .sendCompletions: Self.set(offset, ~0x1F, &words[2])
        case .receiveCompletions: words[14] = offset
        case .channelEvents, .events: break
        }
    }
}
