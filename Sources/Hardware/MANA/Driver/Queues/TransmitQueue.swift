// A send queue of the card under a driver, on loan. Source: mana_create_txq, mana_destroy_txq, mana_dealloc_queues
// (mana_en.c of Linux 6.12 and 7.x).

import Backing
import Clock
import MANAWire
import Netdev
import Registers

/// The send side of a queue pair. Its end waits for the frames that the card was told of, and has the card destroy the
/// queue.
struct TransmitQueue<Backing: PCIeBacking>: ~Copyable {
    var ring: TransmitRing
    let format: TransmitFormat
    let statistics: QueueStatistics
    let longestFrame: UInt32
    private let doorbell: DoorbellPlace<Backing.BAR>
    private let hardware: MANAHardware<Backing>
    private let adapter: MANAAdapter<Backing>
    private let id: UInt32
    private let completionQueue: UInt32
    /// What the doorbell was last told.
    private var rung: UInt32 = 0
    /// A frame was turned away for want of room, and there has been none for the longest request since.
    private var isStopped = false
    // After the ring: the queue, then its memory.
    private var work: WorkQueue<Backing>

    /// - Parameter entries: basic units of the ring: frames that ask for nothing need one, others two.
    init(_ port: PortCore<Backing>, entries: Int, eventQueue: UInt32, statistics: QueueStatistics) throws(DeviceError) {
        let adapter = port.adapter
        try adapter.checkRing(entries: entries, "open send queue")
        let work = try WorkQueue(
            adapter,
            .send,
            port: port.handle,
            workBytes: entries * MANA.basicUnitBytes,
            completionBytes: entries * MANA.completionBytes,
            eventQueue: eventQueue
        )
        doorbell = try adapter.hardware.doorbellPage(adapter.registration.doorbellPage, "open send queue")
        format = TransmitFormat(
            sendQueue: work.id,
            completionQueue: work.completionQueue,
            memoryKey: adapter.registration.memoryKey,
            portOffset: port.transmit.portOffset,
            allowsShort: port.transmit.allowsShortFormat
        )
        // SAFETY: the rings live in `work`, which ends after `ring`.
        ring = unsafe TransmitRing(work: work.workRing, completions: work.completionRing, queue: work.id)
        self.statistics = statistics
        longestFrame = UInt32(adapter.longestFrame)
        hardware = adapter.hardware
        self.adapter = adapter
        id = work.id
        completionQueue = work.completionQueue
        self.work = work
    }

    deinit { Self.drain(adapter, ring, rung: rung) }

    /// Ends the queue on the card. Frames that it had and did not send are `ring.takeBack`'s.
    mutating func stop() {
        Self.drain(adapter, ring, rung: rung)
        work.end()
    }

    /// Waits until the card is done with all that it was told of, 120 s at most (mana_dealloc_queues). A card that is not
    /// done by then is reset: it may be reading frames whose memory is about to be another's.
    private static func drain(_ adapter: MANAAdapter<Backing>, _ ring: borrowing TransmitRing, rung: UInt32) {
        let hardware = adapter.hardware
        guard hardware.isOpen, !ring.isSettled(upTo: rung) else { return }
        // Looked at in this function alone: a closure would keep the ring for itself.
        let start = hardware.clock.now
        let deadline = start &+ 120_000 * millisecond
        var interval = microsecond
        while hardware.isOpen, !hardware.isGone {
            // Looked for here, after the look at the card: what it does because of that look counts.
            guard !ring.isSettled(upTo: rung) else { return }
            let now = hardware.clock.now
            guard now < deadline else { return adapter.reset() }
            hardware.clock.wait(nanoseconds: min(interval, deadline - now))
            interval = hardware.longerInterval(interval, waited: now &- start)
        }
    }

    /// Tells the card about everything submitted, and, before it forgets, what has been reaped.
    mutating func ringTail() {
        guard hardware.isOpen else { return }
        if ring.work.tail != rung {
            rung = ring.work.tail
            doorbell.ring(.send, QueueDoorbell(id: id, tail: rung))
        }
        if ring.completions.isOverdue { ringCompletions(isArmed: false) }
    }

    /// Has the card tell of the next completion.
    mutating func arm() {
        guard hardware.isOpen else { return }
        ringCompletions(isArmed: true)
    }

    private mutating func ringCompletions(isArmed: Bool) {
        ring.completions.wasTold()
        doorbell.ring(
            .completion,
            QueueDoorbell(id: completionQueue, tail: ring.completions.tail, isArmed: isArmed)
        )
    }

    /// Cookies of sent frames; how many. What was wrong with others is counted.
    @inline(__always) mutating func reap(_ cookies: inout InlineArray<32, UInt64>) -> Int {
        let count = ring.reap(&cookies)
        if ring.hasTally { countErrors() }
        if isStopped { wake() }
        return count
    }

    /// Counts that the stack has to wait for room (Linux: netif_tx_stop_queue), once until there is some.
    @inline(never) mutating func stopForRoom() {
        guard !isStopped else { return }
        isStopped = true
        statistics.stops.add()
    }

    @inline(never) private mutating func wake() {
        guard ring.room >= TransmitWork.mostUnits else { return }
        isStopped = false
        statistics.wakes.add()
    }

    @inline(never) private mutating func countErrors() {
        let tally = ring.takeTally()
        statistics.transmitErrors.add(UInt64(tally.errors))
        statistics.transmitUnknown.add(UInt64(tally.unknown))
        statistics.wrongQueue.add(UInt64(tally.wrongQueue))
        statistics.unexpected.add(UInt64(tally.unexpected))
        if tally.overflowed { statistics.overflows.add() }
    }

    /// Whether a frame takes the short way: it asks for nothing, and the card can send it.
    @inline(__always) func isPlain(_ buffer: NetdevBuffer, _ offload: TransmitOffload) -> Bool {
        buffer.length &- 1 < longestFrame && offload == TransmitOffload() && !format.isAlwaysLong
    }

    /// The work request for a frame; nil if the card cannot do it.
    @inline(never) func work(for buffer: NetdevBuffer, _ offload: TransmitOffload) -> TransmitWork? {
        guard buffer.length > 0, buffer.length <= longestFrame || offload.segmentSize > 0 else { return nil }
        guard offload != TransmitOffload() else { return format.long(iova: buffer.iova, length: buffer.length) }
        return format.offloaded(buffer, offload)
    }

    /// Takes a frame for sending; false if there is no room for it, or the card cannot do what it asks for.
    @inline(__always) mutating func submit(_ buffer: NetdevBuffer, _ offload: TransmitOffload) -> Bool {
        if isPlain(buffer, offload) {
            guard ring.room >= 1 else {
                stopForRoom()
                return false
            }
            ring.submit(format.plain(iova: buffer.iova, length: buffer.length), cookie: buffer.cookie)
        } else {
            guard let work = work(for: buffer, offload) else { return false }
            guard ring.room >= Int(work.units) else {
                stopForRoom()
                return false
            }
            ring.submit(work, cookie: buffer.cookie)
        }
        count(buffer, offload)
        return true
    }

    /// Counts a frame that was submitted.
    @inline(__always) func count(_ buffer: NetdevBuffer, _ offload: TransmitOffload) {
        statistics.transmitPackets.add()
        statistics.transmitBytes.add(UInt64(buffer.length))
        if format.isAlwaysLong || offload.vlanTag != nil {
            statistics.longFormat.add()
        } else {
            statistics.shortFormat.add()
        }
        if offload.segmentSize > 0 {
            statistics.segmentedPackets.add()
            statistics.segmentedBytes.add(UInt64(buffer.length))
        } else if offload.checksumStart != 0 {
            statistics.checksums.add()
        }
    }
}

extension MANAAdapter {
    /// The card's longest frame, or this driver's limit.
    var longestFrame: Int { min(network.longestFrame ?? configuration.maximumFrameBytes, 0xFFFF) }

    /// Rings are whole pages, and powers of two.
    func checkRing(entries: Int, _ operation: String) throws(DeviceError) {
        let least = MANA.shortestRingBytes / MANA.basicUnitBytes
        guard entries >= least, entries <= 8192, entries.nonzeroBitCount == 1 else {
            throw error(
                .invalidArgument,
                operation,
                "\(entries) entries, expected a power of two from \(least) to 8192"
            )
        }
    }
}
