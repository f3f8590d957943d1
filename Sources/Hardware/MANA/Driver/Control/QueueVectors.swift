// The vectors of a card: vector 0 for the channel before there is one, the rest when the card has said how many.
// Source: mana_gd_setup_hwc_irqs, mana_gd_setup_dyn_irqs, mana_gd_query_max_resources (gdma_main.c of Linux 7.x).

import Backing
import Interrupts
import Leases
import MANAWire
import Synchronization

/// How it went with a card's vectors.
public struct VectorStory: Sendable, Equatable {
    /// What could be used at most, and by whose word.
    public var budget: VectorBudget
    /// Taken before the channel was there: one where vectors can be added, else all that might be used.
    public var takenBefore: Int
    /// Taken when the card had answered.
    public var taken: Int
    /// Why there are no more, if there are fewer than could be used.
    public var refusal: DeviceError?
}

/// The vectors of a card and who has them: those of queues are handed out and taken anew.
///
/// The lock is held for the books alone: attaching or detaching a vector may be a system call or a message to another
/// process, and the control thread looks at vector 0 meanwhile.
final class QueueVectors<Backing: PCIeBacking>: @unchecked Sendable {
    // SAFETY (Sendable): the books are behind a lock; all else is immutable, and backings may be asked from any thread.

    private struct Books: ~Copyable {
        var held = HeldVectors()
        var spread: AffinitySpread
        /// Vectors that were taken at the bring-up: no more are used.
        var count = 0
        /// Those that a queue's opener is about to attach anew.
        var attached: Set<Int> = []
    }

    /// What there is for a queue.
    private enum Choice: ~Copyable {
        case held(VectorLease)
        case free(Int, cpus: CPUSet?)
        case nothing
    }

    let service: InterruptVectors<Backing>
    private let books: Mutex<Books>
    private let name: String

    init(_ backing: Backing, _ spread: AffinitySpread) {
        service = InterruptVectors(backing)
        name = backing.name
        books = Mutex(Books(spread: spread))
    }

    /// As Linux names them.
    private static func name(_ index: Int, _ function: String) -> String {
        index == MANA.channelVector ? "mana_hwc@pci:\(function)" : "mana_q\(index - 1)@pci:\(function)"
    }

    /// Takes vectors until there are `count`; gives back what is above. How many there are, and why not more. For the
    /// bring-up, before any queue is there.
    func settle(on count: Int) -> (count: Int, refusal: DeviceError?) {
        let name = name
        let spread = books.withLock { books in
            books.spread.place(upTo: count)
            return books.spread
        }
        var held = books.withLock { exchange(&$0.held, with: HeldVectors()) }
        held.giveBack(from: count)
        let refusal = service.fill(&held, upTo: count, name: { Self.name($0, name) }, cpus: { spread[$0] })
        let taken = held.count
        var kept = Optional(held)
        books.withLock { books in
            if let held = kept.take() { books.held = held }
            books.count = taken
        }
        return (taken, refusal)
    }

    /// A vector for a queue: the one of its number, or the lowest that no queue has, be it of another port. nil: there is
    /// none, and the queue is polled.
    func take(forQueue queue: Int) throws(DeviceError) -> VectorLease? {
        switch books.withLock({ choose(queue + 1, &$0) }) {
        case .held(let lease): return lease
        case .nothing: return nil
        case .free(let index, let cpus):
            defer { books.withLock { _ = $0.attached.remove(index) } }
            return try service.take(index, name: Self.name(index, name), cpus: cpus)
        }
    }

    private func choose(_ preferred: Int, _ books: inout Books) -> Choice {
        let isFree = { [service] (index: Int, attached: Set<Int>) in
            service.status(index) == nil && !attached.contains(index)
        }
        for index in [preferred] + (1..<max(1, books.count)) where index < books.count {
            if let lease = books.held.take(index) { return .held(lease) }
            guard isFree(index, books.attached) else { continue }
            books.attached.insert(index)
            return .free(index, cpus: books.spread[index])
        }
        return .nothing
    }

    /// Whether the channel's vector fired since the last call.
    func consumeChannel() -> Bool { books.withLock { $0.held.consume(MANA.channelVector) } }

    func channelDescriptor() -> Int32? { books.withLock { $0.held.eventDescriptor(MANA.channelVector) } }

    /// Gives back all that are not a queue's.
    func end() {
        let held = books.withLock { books in
            books.count = 0
            return exchange(&books.held, with: HeldVectors())
        }
        _ = consume held
    }
}
