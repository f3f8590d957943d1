// A send queue of the card under a driver, on loan. Source: mana_create_txq, mana_destroy_txq (mana_en.c of Linux 6.12
// and 7.x).

import Backing
import MANAWire
import Netdev
import Registers

/// The send side of a queue pair. Its end has the card destroy the queue; frames that it had are not sent any more.
struct TransmitQueue<Backing: PCIeBacking>: ~Copyable {
    var ring: TransmitRing
    let format: TransmitFormat
    let statistics: QueueStatistics
    let longestFrame: UInt32
    private let doorbell: DoorbellPlace<Backing.BAR>
    private let hardware: MANAHardware<Backing>
    private let id: UInt32
    private let completionQueue: UInt32
    /// What the doorbell was last told.
    private var rung: UInt32 = 0
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
        id = work.id
        completionQueue = work.completionQueue
        self.work = work
    }

    /// Ends the queue on the card. Frames that it had are `ring.takeBack`'s.
    mutating func stop() { work.end() }

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
        return count
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
            guard ring.room >= 1 else { return false }
            ring.submit(format.plain(iova: buffer.iova, length: buffer.length), cookie: buffer.cookie)
        } else {
            guard let work = work(for: buffer, offload), ring.room >= Int(work.units) else { return false }
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
