// The way out of the adapter: the send queues that have something to send, one after the other, and the wire.

import Ethernet
import MANAWire

struct TransmitEngine: ~Copyable {
    var queues: SlotTable<SendQueue>
    var wire: TransmitWire
    /// Send queues with requests, a bit each.
    private var waiting: LookupTable
    /// A burst stopped because the wire was full: nothing wakes the device when it drains.
    private(set) var isWireFull = false

    init(_ wire: consuming FrameProducer, _ limits: DataPathLimits) {
        queues = SlotTable(count: limits.sendQueues)
        waiting = LookupTable(count: limits.sendQueues / 32 + 1)
        self.wire = TransmitWire(wire, longestFrame: limits.longestFrame)
    }

    /// Queue `id` was rung, or is gone.
    mutating func note(_ id: Int, isWaiting: Bool) {
        let bit: UInt32 = 1 &<< UInt32(id & 31)
        waiting[id >> 5] = isWaiting ? waiting[id >> 5] | bit : waiting[id >> 5] & ~bit
    }

    /// One burst of each queue that has requests; whether anything moved.
    mutating func run(
        budget: Int,
        now: UInt64,
        _ ports: borrowing SlotTable<Port>,
        _ counters: inout FunctionCounters,
        _ events: inout EventQueues
    ) -> Bool {
        isWireFull = false
        var hasWorked = false
        wire.begin(now: now)
        for word in 0..<waiting.count {
            var rest = waiting[word]
            while rest != 0 {
                let id = word &* 32 &+ rest.trailingZeroBitCount
                rest &= rest &- 1
                if run(id, budget: budget, ports, &counters, &events) { hasWorked = true }
            }
        }
        wire.end()
        return hasWorked
    }

    private mutating func run(
        _ id: Int,
        budget: Int,
        _ ports: borrowing SlotTable<Port>,
        _ counters: inout FunctionCounters,
        _ events: inout EventQueues
    ) -> Bool {
        let port = queues[id].port
        let offset = ports.contains(port) ? ports[port].transmitOffset : nil
        let burst = queues[id].run(budget: budget, offset: offset, &wire, &counters)
        if burst.isBlocked { isWireFull = true }
        // Done, or its memory is gone: then the next doorbell makes it try again.
        if queues[id].work.available == 0 || burst.steps == 0, !burst.isWaiting { note(id, isWaiting: false) }
        if queues[id].completions.takeEvent() {
            events.push(.completion(of: queues[id].completions.id), to: queues[id].completions.eventQueue)
        }
        return burst.requests > 0 || burst.frames > 0
    }
}
