// A virtual Microsoft Azure Network Adapter: PCI function, shared-memory window, hardware channel, queues, in one owner's
// hands.
//
// Written to the contract of Linux's mana driver (6.12 to 7.x), which binds to it unmodified. All that comes in is
// hostile: an access has an answer, a request a status, a bad entry a counter.
//
//   window ─► channel set up ─► send ring ─► requests ─► resources, ports, queues ─► answers ─► receive ring
//   doorbells ─► channel, completion and event queues, data path ─► events ─► vectors
//   poll ─► data path: wire ─► receive queues, send queues ─► wire

import Backing
import Clock
import Ethernet
import MANAWire
import Memory
import PCIe

/// A virtual MANA. Requests are carried out as their doorbell is written; frames move when it is polled.
@safe public final class MANAModel: PCIeModel {
    public let host: DeviceHost
    public let options: MANAOptions

    var config: ConfigSpace
    var vectors: MSIXTable
    var window = SharedMemoryWindow()
    var channel: HardwareChannel?
    var events: EventQueues
    var path: DataPath
    var adapter: Adapter
    let entryFaults: EntryFaultBook
    /// How many requests the window has taken since the last reset.
    var windowRequests = 0
    /// The link of all ports, as the world outside has it.
    public internal(set) var isLinkUp = true

    var counts = MANACounters()
    /// What channels that are gone had counted.
    var channelCounts = (malformed: UInt64(0), lost: UInt64(0), unreachable: UInt64(0))

    /// Told what the driver does by window and channel, as it is done.
    public var onDriverStep: ((DriverStep) -> Void)?

    // What configuration space says, kept because every access and burst asks.
    var respondsToMemory = false
    var isBusMaster = false
    var messageCounts: [UInt64]
    let registerWords: [UInt64: UInt64]

    /// A device after power-on.
    ///
    /// - Parameters:
    ///   - port: the device's end of its wire.
    ///   - clock: the time that delays go by.
    public init(options: MANAOptions, port: consuming WirePort, clock: DeviceClock) {
        self.options = options
        let limits = options.limits
        host = DeviceHost(clock: clock, vectorCount: limits.tableVectors, doorbellCount: 0)
        config = ConfigSpaceImage.make(options)
        vectors = MSIXTable(count: limits.tableVectors)
        events = EventQueues(count: limits.eventQueues + 1, vectorCount: limits.tableVectors)
        path = DataPath(port, options.dataPathLimits)
        adapter = Adapter(options)
        entryFaults = EntryFaultBook(options.faults.entries)
        messageCounts = [UInt64](repeating: 0, count: limits.tableVectors)
        registerWords = options.registerWords
        startPorts()
        window.reset(options.faults.window)
    }

    public var identity: PCIeIdentity { ConfigSpaceImage.identity(options) }
    public var baseAddressRegisters: [BaseAddressRegister] { ConfigSpaceImage.baseAddressRegisters(options) }
    public var vectorCount: Int { options.limits.tableVectors }

    // MARK: The world outside

    /// Where a copy of every frame goes; see `CaptureTag`.
    public var capture: FrameProducer? {
        _read { yield path.capture }
        _modify { yield &path.capture }
    }

    /// Plugs or pulls the cable; drivers that know of links are told.
    public func setLink(up: Bool) {
        guard up != isLinkUp else { return }
        isLinkUp = up
        if adapter.driver.contains(.linkAware) { notify(.reconfiguration(up ? .linkUp : .linkDown)) }
    }

    /// Asks the driver to take the function down and up again.
    public func requestReset() { notify(Event(.resetRequest)) }

    /// Says that the device is being reprogrammed.
    public func announceReconfiguration() { notify(Event(.reconfiguration)) }

    /// Tells how long a request may take from now on.
    public func announceRequestTimeout(milliseconds: UInt32) {
        notify(.reconfiguration(.requestTimeout, milliseconds))
    }

    /// Asks the RDMA adapter's driver to stop, or lets it go on.
    public func announceService(_ service: ServiceEvent) { notify(.service(service)) }

    /// An event on the hardware channel's queue, if there is a channel and the function may write it.
    func notify(_ event: Event) {
        guard channel != nil, isBusMaster else { return }
        events.push(event, to: Int(HardwareChannel.id))
        sendMessages()
    }

    // MARK: Progress

    /// Does what is due: the window, the channel, then one burst per queue and direction, then messages.
    public func poll() -> Bool {
        let now = host.clock.now
        advance(now)
        // Without a link frames leave nobody and reach nobody.
        var worked = isBusMaster && isLinkUp ? path.poll(now: now, &events) : path.ignoreArrivals()
        if isBusMaster, path.tellModerated(now, &events) { worked = true }
        sendMessages()
        return worked
    }

    /// Moves everything that goes by time.
    func advance(_ now: UInt64) {
        if let due = window.due, due <= now { answerWindow() }
        serveChannel(now)
    }

    public var nextDeadline: UInt64? {
        let now = host.clock.now
        var deadline = window.due
        if let due = channel?.nextDeadline(after: now) { deadline = min(deadline ?? due, due) }
        if let due = path.moderationDeadline(now) { deadline = min(deadline ?? due, due) }
        if path.isWireFull { deadline = min(deadline ?? .max, now &+ 20_000) }
        return deadline
    }

    public var wakeDescriptors: [Int32] { [host.doorbells.wakeDescriptor, path.wakeDescriptor] }

    public func setSleeping(_ sleeping: Bool) {
        host.doorbells.setSleeping(sleeping)
        path.setSleeping(sleeping)
    }

    /// Sends the messages that are due and may be sent; the others are pending.
    func sendMessages() {
        while let vector = events.takeVector() {
            if vectors.fire(vector) { send(vector) }
        }
    }

    func send(_ vector: Int) {
        messageCounts[vector] &+= 1
        host.raise(vector)
    }

    // MARK: Counts

    /// The model's own counts, now.
    public var counters: MANACounters {
        var counters = counts
        counters.dmaFaults = host.memory.faults
        counters.strayDoorbells &+= path.strayDoorbells
        counters.badTails = path.badTails
        counters.malformedRequests = channelCounts.malformed &+ (channel?.malformed ?? 0)
        counters.answersLost = channelCounts.lost &+ (channel?.lost ?? 0)
        counters.homelessEvents = events.homeless
        counters.unreachableRings = path.unreachableRings &+ events.lost &+ channelCounts.unreachable
        counters.unreachableRings &+= (channel?.completions.lost ?? 0) &+ (channel?.refusedFetches ?? 0)
        counters.badBuffers = path.badBuffers
        counters.framesSent = path.framesSent
        counters.framesReceived = path.framesReceived
        counters.framesFiltered = path.framesFiltered
        counters.framesOfBadLength = path.framesOfBadLength
        counters.framesDropped = path.framesDropped
        counters.framesNotCaptured = path.framesNotCaptured
        counters.messages = messageCounts
        return counters
    }

    /// A counter of the function, as QUERY_GF_STAT answers it.
    public func statistic(_ statistic: FunctionStatistic) -> UInt64 { path.counters[statistic] }

    /// What the driver has said that it can do.
    public var driverCapabilities: DriverCapabilities { adapter.driver }

    /// What the driver holds of the device: 0 everywhere when all was given back.
    public var holdings: MANAHoldings { adapter.holdings }
}

extension MANAOptions {
    var dataPathLimits: DataPathLimits {
        var bounds = DataPathLimits()
        // Ids from 1 on: 0 is the hardware channel's.
        bounds.sendQueues = limits.sendQueues + 1
        bounds.receiveQueues = limits.receiveQueues + 1
        bounds.completionQueues = limits.completionQueues + 1
        bounds.ports = limits.ports
        bounds.longestFrame = longestFrame
        bounds.pollBudget = pollBudget
        return bounds
    }

    /// BAR 0's registers: 64-bit words by offset.
    var registerWords: [UInt64: UInt64] {
        let registers = AdapterRegisters.of(deviceID)
        var words = [
            UInt64(registers.doorbellOffset): layout.doorbellOffset,
            UInt64(registers.doorbellPageSize): UInt64(layout.doorbellPageBytes),
        ]
        if let place = registers.windowOffset {
            words[UInt64(place)] = layout.windowOffset
        } else {
            let base = layout.configurationBase
            words[UInt64(AdapterRegisters.configurationBase)] = base
            words[base + UInt64(AdapterRegisters.physicalWindowOffset)] = layout.windowOffset &- base
        }
        return words.merging(faults.registers) { $1 }
    }
}
