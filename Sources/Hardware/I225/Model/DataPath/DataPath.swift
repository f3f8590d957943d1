// All that a burst touches, as one value: the owner's class is entered once per poll, not once per queue.

import Backing
import Ethernet
import I225Wire
import Memory

/// Both directions of all queues, and the wire.
struct DataPath: ~Copyable {
    var receiver: ReceiveEngine
    var mac: MAC
    var transmitQueues: InlineArray<4, TransmitQueue>
    private let budget: Int
    /// A burst stopped because the wire was full: nothing wakes the device when it drains.
    private(set) var isWireFull = false

    init(_ port: consuming WirePort, _ options: I225Options, _ memory: IOVASpace) {
        mac = MAC(port.transmit, options)
        receiver = ReceiveEngine(port.receive, memory)
        transmitQueues = InlineArray { TransmitQueue(number: $0, memory) }
        budget = options.pollBudget
    }

    /// CTRL.RST: what was programmed and what was begun is forgotten.
    mutating func reset() {
        mac.stamps.reset()
        receiver.reset()
        for index in 0..<4 { transmitQueues[index].reset() }
    }

    /// What a poll came to.
    struct Progress {
        var hasWorked = false
        /// Queues with a new write-back, as bits.
        var received: UInt32 = 0
        var transmitted: UInt32 = 0
        /// Transmit queues whose driver may wait for the news: for room, since a quarter of the ring is done, or to hand over
        /// more of a TCP send, of which Linux lets a card have little at a time (tcp_small_queue_check).
        var awaited: UInt32 = 0
    }

    /// Takes frames off the wire that nobody can receive.
    mutating func ignoreArrivals() -> Bool {
        isWireFull = false
        return receiver.drain(budget: budget) > 0
    }

    /// One burst in.
    mutating func receive(
        _ doorbells: DoorbellPage,
        speed: LinkSpeed,
        time: borrowing TimeSync,
        _ progress: inout Progress
    ) {
        for queue in 0..<4 { receiver.queues[queue].begin(doorbells.load(I225.queueCount &+ queue)) }
        let burst = receiver.run(budget: budget, latency: speed.receiveLatency, time: time, tap: &mac.tap)
        for queue in 0..<4 { receiver.queues[queue].hardware.endBurst() }
        progress.received = burst.queues
        if burst.frames > 0 { progress.hasWorked = true }
    }

    /// One burst out of each queue.
    mutating func transmit(
        _ doorbells: DoorbellPage,
        now: UInt64,
        speed: LinkSpeed,
        time: borrowing TimeSync,
        _ progress: inout Progress
    ) {
        isWireFull = false
        mac.begin(now: now, speed: speed, time: time)
        for queue in 0..<4 where transmitQueues[queue].hardware.isEnabled {
            let burst = transmitQueues[queue].run(doorbells.load(queue), budget: budget, mac: &mac)
            transmitQueues[queue].hardware.endBurst()
            if burst.isBlocked { isWireFull = true }
            if burst.hasAdvanced { progress.hasWorked = true }
            let bit: UInt32 = 1 &<< UInt32(truncatingIfNeeded: queue)
            if burst.hasWrittenBack { progress.transmitted |= bit }
            if transmitQueues[queue].takeAwaited(burst) { progress.awaited |= bit }
        }
        mac.end()
    }
}
