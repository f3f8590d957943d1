// All event queues of a function, and the vectors that are due.

import Ethernet
import MANAWire

package struct EventQueues: ~Copyable {
    package var queues: SlotTable<EventQueue>
    /// Vectors to raise, a bit each.
    private var due: LookupTable
    private var isAnyDue = false
    /// Events for queues that are not there.
    package private(set) var homeless: UInt64 = 0
    /// Events that queues which are gone could not write.
    private var retiredLost: UInt64 = 0

    /// - Parameters:
    ///   - count: ids are below it.
    ///   - vectorCount: the function's vectors.
    package init(count: Int, vectorCount: Int) {
        queues = SlotTable(count: count)
        due = LookupTable(count: vectorCount / 32 + 1)
    }

    /// Ends a queue, if there is one.
    package mutating func remove(_ id: Int) {
        guard queues.contains(id) else { return }
        retiredLost &+= queues[id].lost
        queues.remove(id)
    }

    package mutating func removeAll() {
        for id in 0..<queues.count { remove(id) }
    }

    /// Events that could not be written: the driver took a ring's memory away.
    package var lost: UInt64 {
        var sum = retiredLost
        for id in 0..<queues.count where queues.contains(id) { sum &+= queues[id].lost }
        return sum
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

    /// The driver has rung queue `id`, which may be anything, with the 32-bit doorbell.
    package mutating func ring(_ id: Int, movedBy increment: UInt32, isArmed: Bool) {
        guard queues.contains(id) else { return }
        if queues[id].ring(movedBy: increment, isArmed: isArmed) { raise(queues[id].vector) }
    }

    private mutating func raise(_ vector: Int) {
        guard vector >= 0, vector / 32 < due.count else { return }
        due[vector / 32] |= 1 << UInt32(vector % 32)
        isAnyDue = true
    }

    /// The lowest vector that is due, which it is no more then.
    package mutating func takeVector() -> Int? {
        guard isAnyDue else { return nil }
        for index in 0..<due.count where due[index] != 0 {
            let bit = due[index].trailingZeroBitCount
            due[index] &= due[index] - 1
            return index * 32 + bit
        }
        isAnyDue = false
        return nil
    }
}
