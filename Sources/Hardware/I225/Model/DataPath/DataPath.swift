// All that a burst touches, as one value: the owner's class is entered once per poll, not once per queue.

import Backing
import Ethernet
import I225Wire
import Memory

/// Both directions of all queues, and the wire.
@safe struct DataPath: ~Copyable {
    var receiver: ReceiveEngine
    var mac: TransmitMAC
    var transmitQueues = InlineArray<4, TransmitQueue> { TransmitQueue(number: $0) }
    var tap = CaptureTap()
    // SAFETY: allocated by init with `TransmitQueue.scratchBytes`, freed by deinit, lent to one burst at a time.
    private let scratch: UnsafeMutableRawPointer
    private let budget: Int
    /// A burst stopped because the wire was full: nothing wakes the device when it drains.
    private(set) var isWireFull = false

    init(_ port: consuming WirePort, _ options: I225Options) {
        mac = TransmitMAC(port.transmit, options: options)
        receiver = ReceiveEngine(port.receive)
        budget = options.pollBudget
        unsafe scratch = .allocate(byteCount: TransmitQueue.scratchBytes, alignment: 64)
    }

    deinit { unsafe scratch.deallocate() }

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
    }

    /// Frames come and nobody can receive them.
    mutating func ignoreArrivals() -> Bool { receiver.drain(budget: budget).frames > 0 }

    /// One burst in.
    mutating func receive(_ host: DeviceHost, speed: LinkSpeed, time: borrowing TimeSync, _ progress: inout Progress) {
        receiver.begin(host)
        let burst = receiver.run(
            budget: budget,
            receiveLatency: speed.receiveLatency,
            time: time,
            capture: &tap,
            memory: host.memory
        )
        progress.received = burst.queues
        if burst.frames > 0 { progress.hasWorked = true }
    }

    /// One burst out of each queue.
    mutating func transmit(
        _ host: DeviceHost,
        now: UInt64,
        speed: LinkSpeed,
        time: borrowing TimeSync,
        _ progress: inout Progress
    ) {
        isWireFull = false
        mac.begin(now: now, speed: speed, isCapturing: tap.isOpen)
        for queue in 0..<4 where transmitQueues[queue].hardware.isEnabled {
            let burst = unsafe transmitQueues[queue].run(
                host.doorbells.load(queue),
                budget: budget,
                mac: &mac,
                time: time,
                capture: &tap,
                memory: host.memory,
                scratch: scratch
            )
            if burst.isBlocked { isWireFull = true }
            guard burst.hasAdvanced else { continue }
            progress.transmitted |= 1 &<< UInt32(truncatingIfNeeded: queue)
            progress.hasWorked = true
        }
        mac.end()
    }
}
