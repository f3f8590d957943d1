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
final class QueueVectors<Backing: PCIeBacking>: @unchecked Sendable {
    // SAFETY (Sendable): the books are behind a lock, under which alone the service attaches; all else is immutable.
    private struct Books: ~Copyable {
        var held = HeldVectors()
        var spread: AffinitySpread
        /// Vectors that were taken at the bring-up: no more are used.
        var count = 0
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

    /// Takes vectors until there are `count`; gives back what is above. How many there are, and why not more.
    func settle(on count: Int) -> (count: Int, refusal: DeviceError?) {
        let name = name
        return books.withLock { books in
            books.spread.place(upTo: count)
            books.held.giveBack(from: count)
            let spread = books.spread
            let refusal = service.fill(
                &books.held,
                upTo: count,
                name: { Self.name($0, name) },
                cpus: { spread[$0] }
            )
            books.count = books.held.count
            return (books.count, refusal)
        }
    }

    /// The vector of a queue; nil if there is none for it, or another port's queue has it: then it is polled.
    func take(forQueue queue: Int) throws(DeviceError) -> VectorLease? {
        let index = queue + 1
        let name = name
        return try books.withLock { books throws(DeviceError) -> VectorLease? in
            guard index < books.count else { return nil }
            if let lease = books.held.take(index) { return lease }
            guard service.status(index) == nil else { return nil }
            return try service.take(index, name: Self.name(index, name), cpus: books.spread[index])
        }
    }

    /// Whether the channel's vector fired since the last call.
    func consumeChannel() -> Bool { books.withLock { $0.held.consume(MANA.channelVector) } }

    func channelDescriptor() -> Int32? { books.withLock { $0.held.eventDescriptor(MANA.channelVector) } }

    /// Gives back all that are not a queue's.
    func end() {
        books.withLock { books in
            books.held.giveBack(from: 0)
            books.count = 0
        }
    }
}
