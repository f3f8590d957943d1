// A receive queue of the card under a driver, on loan. Source: mana_create_rxq, mana_destroy_rxq, mana_fence_rq
// (mana_en.c of Linux 6.12 and 7.x).

import Backing
import Clock
import MANAWire
import Memory
import Netdev
import Registers
import Rings

/// The receive side of a queue pair. Its end takes the queue out of the port's spread, waits until the card is done with
/// what was on its way, and has it destroy the queue: the buffers are nobody's but their owner's then.
struct ReceiveQueue<Backing: PCIeBacking>: ~Copyable {
    var ring: ReceiveRing
    let statistics: QueueStatistics
    private let port: PortCore<Backing>
    private let index: Int
    private let doorbell: DoorbellPlace<Backing.BAR>
    private let id: UInt32
    private let completionQueue: UInt32
    private let object: UInt64
    private var rung: UInt32 = 0
    private var work: WorkQueue<Backing>

    /// - Parameter bufferBytes: of every buffer provided; the card writes no more into one.
    init(
        _ port: PortCore<Backing>,
        index: Int,
        entries: Int,
        bufferBytes: Int,
        eventQueue: UInt32,
        statistics: QueueStatistics
    ) throws(DeviceError) {
        let adapter = port.adapter
        let operation = "open receive queue \(index)"
        try adapter.checkRing(entries: entries, operation)
        guard bufferBytes >= adapter.configuration.maximumFrameBytes, bufferBytes <= 0xFFFF else {
            throw adapter.error(
                .invalidArgument,
                operation,
                "buffers of \(bufferBytes) bytes, expected \(adapter.configuration.maximumFrameBytes) to 65535"
            )
        }
        let work = try WorkQueue(
            adapter,
            .receive,
            port: port.handle,
            workBytes: entries * MANA.basicUnitBytes,
            // One more than there are buffers, for the fence.
            completionBytes: 2 * entries * MANA.completionBytes,
            eventQueue: eventQueue
        )
        doorbell = try adapter.hardware.doorbellPage(adapter.registration.doorbellPage, operation)
        // SAFETY: the rings live in `work`, which ends after `ring`.
        ring = unsafe ReceiveRing(
            work: work.workRing,
            completions: work.completionRing,
            queue: work.id,
            memoryKey: adapter.registration.memoryKey,
            bufferBytes: bufferBytes
        )
        port.join(index, object: work.object)
        self.statistics = statistics
        self.port = port
        self.index = index
        id = work.id
        completionQueue = work.completionQueue
        object = work.object
        self.work = work
    }

    deinit { Self.drain(port, index: index, object: object, queue: id, ring.completions) }

    /// Ends the queue on the card. Buffers that it had are `ring.takeBack`'s.
    mutating func stop() {
        Self.drain(port, index: index, object: object, queue: id, ring.completions)
        work.end()
    }

    /// Waits, 10 s at most, until nothing is on its way to the queue.
    private static func drain(
        _ port: PortCore<Backing>,
        index: Int,
        object: UInt64,
        queue: UInt32,
        _ completions: borrowing CompletionRing
    ) {
        guard port.leave(index) else { return }
        let adapter = port.adapter
        guard adapter.hardware.isOpen, !adapter.hardware.isGone else { return }
        do throws(DeviceError) {
            try adapter.fence(object)
        } catch {
            return
        }
        // Looked at in this function alone: a closure would keep the ring for itself.
        let deadline = adapter.hardware.clock.now &+ 10_000 * millisecond
        var interval = microsecond
        while !completions.holdsFence(of: queue), adapter.hardware.clock.now < deadline, !adapter.hardware.isGone {
            adapter.hardware.clock.wait(nanoseconds: interval)
            interval = min(interval * 2, millisecond)
        }
    }

    /// Tells the card about everything provided, and, before it forgets, what has been reaped.
    mutating func ringTail() {
        guard port.adapter.hardware.isOpen else { return }
        if ring.work.tail != rung {
            rung = ring.work.tail
            doorbell.ring(.receive, QueueDoorbell(id: id, tail: rung))
        }
        if ring.completions.isOverdue { ringCompletions(isArmed: false) }
    }

    mutating func arm() {
        guard port.adapter.hardware.isOpen else { return }
        ringCompletions(isArmed: true)
    }

    private mutating func ringCompletions(isArmed: Bool) {
        ring.completions.wasTold()
        doorbell.ring(
            .completion,
            QueueDoorbell(id: completionQueue, tail: ring.completions.tail, isArmed: isArmed)
        )
    }

    /// Received frames; how many. What was wrong with others is counted.
    mutating func reap(_ frames: inout Burst<ReceivedFrame>) -> Int {
        let count = ring.reap(&frames)
        if ring.hasTally { countErrors() }
        guard count > 0 else { return 0 }
        var bytes: UInt64 = 0
        for index in 0..<count { bytes &+= UInt64(frames[index].length) }
        statistics.receivePackets.add(UInt64(count))
        statistics.receiveBytes.add(bytes)
        return count
    }

    @inline(never) private mutating func countErrors() {
        let tally = ring.takeTally()
        statistics.receiveUnknown.add(UInt64(tally.unknown))
        statistics.wrongQueue.add(UInt64(tally.wrongQueue))
        statistics.unexpected.add(UInt64(tally.unexpected))
        statistics.receiveEmpty.add(UInt64(tally.empty))
        statistics.receiveDamaged.add(UInt64(tally.damaged))
        if tally.overflowed { statistics.overflows.add() }
        guard tally.coalesced > 0 else { return }
        let coalesced = ring.takeCoalesced()
        for index in coalesced.indices { statistics.coalesced[index].add(UInt64(coalesced[index])) }
    }
}
