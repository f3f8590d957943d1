// A card under this driver: probe, start, service, stop, in the order of igc_probe and __igc_open (Linux 6.12).

import Backing
import Clock
import I225Wire
import Interrupts
import Leases
import Memory
import Netdev
import Registers
import XSK

/// What `service` found.
public struct ServiceEvents: Sendable, Equatable {
    /// The link came, went, or has another speed.
    public var linkChanged = false
    /// The card was reset by something that is not this driver: close it and open it anew.
    public var wasReset = false
    /// Tx queues that have descriptors and have not moved since the last look: close and open them anew.
    public var hungQueues: [Int] = []

    public init() {}
}

/// An open card. Its end quiesces the card; queues that are still out then find it silent.
///
/// One control thread owns it. Queues are made here and handed to their own threads.
public struct I225Device<Backing: PCIeBacking>: ~Copyable {
    /// The station address, first byte in the lowest bits.
    public let address: UInt64
    public let configuration: I225Configuration
    public private(set) var link: LinkState
    /// The card's clock.
    public let clock: I225Clock<Backing>
    let hardware: I225Hardware<Backing>
    let stamps: TransmitStamps<Backing.BAR>
    private let numbers: (transmit: IndexPool, receive: IndexPool)
    private let queueStatistics: (transmit: [QueueStatistics], receive: [QueueStatistics])
    private var totals = I225Totals()
    private var statisticsDue: UInt64
    private var watchdog = TransmitWatchdog()
    private let vectors: InterruptVectors<Backing>
    private var otherVector: VectorLease?

    /// Brings the card up as far as it goes without queues: reset, checked, link negotiated, filters set, clock running.
    ///
    /// - Parameters:
    ///   - census: counts what the driver lends of its own: queue numbers.
    /// - Throws: the step that failed, with what was expected and what came; nothing is left on loan.
    public init(
        _ backing: Backing,
        _ configuration: I225Configuration,
        clock: DeviceClock,
        census: Census
    ) throws(DeviceError) {
        try configuration.check(device: backing.name)
        try enableFunction(backing)
        let hardware = try I225Hardware(backing: backing, clock: clock)
        try hardware.checkPresent("open")
        try hardware.reset()
        // From here on the card may be left in any state; the guard's end quiesces it.
        let started = StartedCard(hardware)
        try hardware.validateNVM()
        let address = try hardware.readAddress()
        hardware.bar.modify(I225Register.extendedControl) { $0[.driverLoaded] = true }
        try hardware.startLink(wantsFlowControl: configuration.wantsFlowControl)
        hardware.setFilters(address: address, configuration)
        hardware.startTransmitting()
        hardware.startReceiving(configuration)
        let stamps = TransmitStamps(hardware, configuration)
        let cardClock = I225Clock(hardware, stamps)
        cardClock.start()
        hardware.setStampMode(configuration, stamps)
        let link = try hardware.waitForLink(timeoutNanoseconds: configuration.linkTimeoutNanoseconds)

        self.clock = cardClock
        self.link = link
        self.address = address
        self.configuration = configuration
        self.hardware = hardware
        self.stamps = stamps
        self.started = started
        numbers = (
            IndexPool(kind: "Tx queue", capacity: I225.queueCount, census: census),
            IndexPool(kind: "Rx queue", capacity: I225.queueCount, census: census)
        )
        queueStatistics = (
            (0..<I225.queueCount).map { _ in QueueStatistics() },
            (0..<I225.queueCount).map { _ in QueueStatistics() }
        )
        vectors = InterruptVectors(backing)
        statisticsDue = clock.now
        applySpeed()
    }

    // Last of the fields: it quiesces the card after the vectors have been given back.
    private let started: StartedCard<Backing>

    /// Whether the card was removed, or has lost its power.
    public var isGone: Bool { hardware.isGone }

    // MARK: queues

    /// Opens Tx queue `index` with `entries` descriptors.
    public func openTransmitQueue(_ index: Int, entries: Int = 1024) throws(DeviceError) -> TransmitQueue<Backing> {
        guard let number = numbers.transmit.take(index) else {
            throw hardware.error(.noResource, "open Tx queue \(index)", "it is out on loan, or no queue of 0 to 3")
        }
        return try TransmitQueue(
            hardware,
            number: number,
            entries: entries,
            statistics: queueStatistics.transmit[index]
        )
    }

    /// Opens Rx queue `index` with `entries` descriptors for buffers of `bufferBytes`.
    public func openReceiveQueue(
        _ index: Int,
        entries: Int = 1024,
        bufferBytes: Int = 2048
    ) throws(DeviceError) -> ReceiveQueue<Backing> {
        guard let number = numbers.receive.take(index) else {
            throw hardware.error(.noResource, "open Rx queue \(index)", "it is out on loan, or no queue of 0 to 3")
        }
        return try ReceiveQueue(
            hardware,
            number: number,
            entries: entries,
            bufferBytes: bufferBytes,
            stamps: configuration.stampsReceived,
            statistics: queueStatistics.receive[index]
        )
    }

    /// Opens the queue pair `index` for frames of a network stack.
    ///
    /// - Parameter vector: the queue's, from `enableInterrupts`; without one the queue is polled.
    public func openQueuePair(
        _ index: Int,
        entries: Int = 1024,
        vector: consuming VectorLease? = nil
    ) throws(DeviceError) -> I225QueuePair<Backing> {
        let transmit = try openTransmitQueue(index, entries: entries)
        let receive = try openReceiveQueue(index, entries: entries)
        return I225QueuePair(transmit: transmit, receive: receive, vector: vector, hardware: hardware)
    }

    /// Opens the queue pair `index` for the frames of an XSK socket: its umem is mapped for the card.
    ///
    /// - Throws: `invalidArgument` if the umem's chunks are too short for a received frame. The card counts buffers in
    ///   whole KB, and would split frames that igc then shows as two.
    public func openXSKQueue(
        _ index: Int,
        _ pool: consuming XSKPool,
        entries: Int = 1024
    ) throws(DeviceError) -> XSKQueue<Backing> {
        let bufferBytes = pool.umem.receiveCapacity / 1024 * 1024
        let stampBytes = configuration.stampsReceived ? ReceiveStampHeader.byteCount : 0
        guard bufferBytes >= configuration.maximumFrameBytes + stampBytes else {
            throw hardware.error(
                .invalidArgument,
                "open XSK queue \(index)",
                "chunks of \(pool.umem.chunkSize) bytes leave \(bufferBytes) for frames of up to "
                    + "\(configuration.maximumFrameBytes + stampBytes), expected chunks of 4096"
            )
        }
        let mapping = try hardware.backing.mapDMA(pool.umem.memory, .both)
        let transmit = try openTransmitQueue(index, entries: entries)
        let receive = try openReceiveQueue(index, entries: entries, bufferBytes: pool.umem.receiveCapacity)
        let state = XSKQueueState(
            transmit: transmit,
            receive: receive,
            pool: pool,
            mapping: mapping,
            hardware: hardware,
            stamps: stamps,
            configuration: configuration
        )
        return XSKQueue(state)
    }

    // MARK: interrupts

    /// Takes vector 0 and those of queues `0..<queueCount`, one by one, and arms them.
    ///
    /// - Parameter spread: where their handlers are to run; nil: anywhere, as Linux's igc leaves it.
    /// - Returns: the queues' vectors, to hand to the queues' owners.
    public mutating func enableInterrupts(
        queueCount: Int,
        spread: AffinitySpread? = nil
    ) throws(DeviceError) -> InlineArray<4, VectorLease?> {
        guard (0...I225.queueCount).contains(queueCount), otherVector == nil else {
            throw hardware.error(.invalidArgument, "enable interrupts", "\(queueCount) queues, expected 0 to 4, once")
        }
        // Named as igc_request_msix names them.
        let name = hardware.backing.name
        let other = try vectors.take(0, name: name, cpus: spread?[0])
        var leases = InlineArray<4, VectorLease?> { _ in nil }
        var mask: UInt32 = 1
        for queue in 0..<queueCount {
            let vector = I225Hardware<Backing>.vector(ofQueue: queue)
            leases[queue] = try vectors.take(vector, name: "\(name)-TxRx-\(queue)", cpus: spread?[vector])
            mask |= 1 << UInt32(vector)
        }
        otherVector = consume other
        hardware.enableInterrupts(vectors: mask, gapMicroseconds: configuration.interruptGapMicroseconds)
        return leases
    }

    /// The vectors on loan: their names, and what they count.
    public var vectorStatuses: [VectorStatus] { vectors.statuses }

    /// Readable when vector 0 fired: the control thread sleeps on it; nil before `enableInterrupts`.
    public func otherEventDescriptor() -> Int32? {
        switch otherVector {
        case .some(let vector): vector.eventDescriptor()
        case .none: nil
        }
    }

    // MARK: service

    /// What is due: causes of vector 0, the link, counters before they wrap. Call it often; it costs little.
    ///
    /// - Throws: `deviceGone` when the card was removed.
    public mutating func service() throws(DeviceError) -> ServiceEvents {
        var events = ServiceEvents()
        var linkMayHaveChanged = false
        if otherVector?.consume() == true {
            let causes = hardware.readOtherCauses()
            if causes.stamped { stamps.collectAfterInterrupt() }
            linkMayHaveChanged = causes.linkChanged
            events.wasReset = causes.wasReset
            // One more look comes with the next message: what is latched meanwhile fires at the re-arm.
            hardware.rearm(1)
        }
        let now = hardware.clock.now
        if now >= statisticsDue {
            try hardware.checkPresent("service")
            totals.update(from: hardware.bar)
            statisticsDue = now &+ 2_000 * millisecond
            linkMayHaveChanged = true
            events.hungQueues = watchdog.look(hardware, linkIsUp: link.isUp)
        }
        if linkMayHaveChanged { events.linkChanged = try updateLink() }
        return events
    }

    /// Every counter, under the names of Linux's igc.
    public mutating func statistics() -> [NetdevStatistic] {
        totals.update(from: hardware.bar)
        let stamped = stamps.counters
        var all = totals.named
        all.append(NetdevStatistic("tx_timeout_count", watchdog.hangCount))
        all.append(NetdevStatistic("tx_hwtstamp_timeouts", stamped.timedOut))
        all.append(NetdevStatistic("tx_hwtstamp_skipped", stamped.skipped))
        for queue in 0..<I225.queueCount {
            all.append(NetdevStatistic("tx_queue_\(queue)_packets", queueStatistics.transmit[queue].packets))
            all.append(NetdevStatistic("tx_queue_\(queue)_bytes", queueStatistics.transmit[queue].bytes))
        }
        for queue in 0..<I225.queueCount {
            all.append(NetdevStatistic("rx_queue_\(queue)_packets", queueStatistics.receive[queue].packets))
            all.append(NetdevStatistic("rx_queue_\(queue)_bytes", queueStatistics.receive[queue].bytes))
            all.append(NetdevStatistic("rx_queue_\(queue)_drops", totals.queueDrops[queue]))
        }
        return all
    }

    /// What became of the requests for Tx stamps.
    public var stampCounters: TransmitStampCounters { stamps.counters }

    private mutating func updateLink() throws(DeviceError) -> Bool {
        let now = try hardware.readLink()
        guard now != link else { return false }
        link = now
        applySpeed()
        return true
    }

    private func applySpeed() {
        guard let speed = LinkSpeed(rawValue: link.speed) else { return }
        hardware.setLinkSpeed(speed)
        stamps.setLatency(nanoseconds: speed.transmitLatency)
    }
}

/// A card that was reset and may do anything from now on: its end makes it silent.
struct StartedCard<Backing: PCIeBacking>: ~Copyable {
    private let hardware: I225Hardware<Backing>

    init(_ hardware: I225Hardware<Backing>) { self.hardware = hardware }

    deinit {
        hardware.quiesce()
        // A card that is gone, or a PHY that does not answer, has no link to lose.
        try? hardware.stopLink()
    }
}
