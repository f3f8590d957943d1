// All event queues of a function, and the vectors that are due.

import MANAWire

package struct EventQueues: ~Copyable {
    package var queues: SlotTable<EventQueue>
    /// Vectors to raise, a bit each.
    private var due: [UInt64]
    private var isAnyDue = false
    /// Events for queues that are not there.
    package private(set) var homeless: UInt64 = 0

    /// - Parameters:
    ///   - count: ids are below it.
    ///   - vectorCount: the function's vectors.
    package init(count: Int, vectorCount: Int) {
        queues = SlotTable(count: count)
        due = [UInt64](repeating: 0, count: (vectorCount + 63) / 64)
    }

    /// Writes an event to queue `id`, which may be anything.
    package mutating func push(_ event: Event, to id: Int) {
        guard queues.contains(id) else {
            homeless &+= 1
            return
        }
        if queues[id].push(event) { raise(queues[id].vector) }
    }

    /// The driver has rung queue `id`, which may be anything.
    package mutating func ring(_ id: Int, tail: UInt32, isArmed: Bool) {
        guard queues.contains(id) else { return }
        if queues[id].ring(tail: tail, isArmed: isArmed) { raise(queues[id].vector) }
    }

    private mutating func raise(_ vector: Int) {
        guard vector >= 0, vector / 64 < due.count else { return }
        due[vector / 64] |= 1 << UInt64(vector % 64)
        isAnyDue = true
    }

    /// The lowest vector that is due, which it is no more then.
    package mutating func takeVector() -> Int? {
        guard isAnyDue else { return nil }
        for index in due.indices where due[index] != 0 {
            let bit = due[index].trailingZeroBitCount
            due[index] &= due[index] - 1
            return index * 64 + bit
        }
        isAnyDue = false
        return nil
    }
}
