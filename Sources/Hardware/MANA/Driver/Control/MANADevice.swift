// A card under this driver: probe, ports, service, stop, in the order of mana_gd_probe and mana_probe (Linux 7.x).

import Backing
import Clock
import Interrupts
import Leases
import MANAWire
import Memory
import Netdev
import PCIe
import Registers

/// What `service` found.
public struct ServiceEvents: Sendable, Equatable {
    /// The link came or went.
    public var linkChanged = false
    /// The card asks to be reset, or does not answer any more: close ports and queues, then `suspend`, `pause`, `resume`.
    public var needsReset = false

    public init() {}
}

/// An open card. Its end has the card forget everything; queues that are still out then find it silent.
///
/// One control thread owns it. Ports and queues are made here and handed to their own threads.
public struct MANADevice<Backing: PCIeBacking>: ~Copyable {
    public let configuration: MANAConfiguration
    /// What the card has at most.
    public let limits: AdapterLimits
    /// How it went with the vectors.
    public let vectorStory: VectorStory
    /// Queue pairs of a port at most.
    public let queueCount: Int
    public let portCount: Int
    public private(set) var linkIsUp = true
    let adapter: MANAAdapter<Backing>
    private let ports: IndexPool
    private let recipe: SuspendedMANA<Backing>
    // In this order: the card forgets all, then its vectors are given back.
    private let registered: RegisteredAdapter<Backing>
    private let vectors: QueueVectors<Backing>
    private let vectorsEnd: VectorsEnd<Backing>

    /// Brings the card up as far as it goes without ports: vector 0, the channel, what the card can do, then exactly as
    /// many vectors as can be used.
    ///
    /// - Parameters:
    ///   - topology: the CPUs among which vectors are spread.
    ///   - node: the card's NUMA node, if it is known.
    ///   - census: counts what the driver lends of its own.
    /// - Throws: the step that failed, with what was expected and what came; nothing is left on loan.
    public init(
        _ backing: Backing,
        _ configuration: MANAConfiguration,
        topology: Topology,
        node: Int? = nil,
        clock: DeviceClock,
        census: Census
    ) throws(DeviceError) {
        try self.init(
            SuspendedMANA(
                backing: backing,
                configuration: configuration,
                topology: topology,
                node: node,
                clock: clock,
                census: census
            )
        )
    }

    init(_ recipe: SuspendedMANA<Backing>) throws(DeviceError) {
        let (backing, configuration) = (recipe.backing, recipe.configuration)
        try configuration.check(device: backing.name)
        try enableFunction(backing)
        let hardware = try MANAHardware(backing: backing, clock: recipe.clock)
        let spread = AffinitySpread(configuration.affinity, over: recipe.topology, near: recipe.node)
        let vectors = QueueVectors(backing, spread)
        let vectorsEnd = VectorsEnd(vectors)

        // The channel needs one vector. Where others cannot be added later, all come now (as Linux before 6.17): how many
        // ports share them is not known yet.
        let onlineCPUs = max(1, recipe.topology.online.count)
        let wanted = min(onlineCPUs, MANA.longestQueueList) + 1
        let before = vectors.settle(on: vectors.service.firstCount(atMost: wanted))
        guard before.count > 0 else {
            throw before.refusal ?? hardware.error(.noResource, "take vector 0", "the function has no MSI-X vector")
        }
        let channel = try HardwareChannel(hardware, timeoutNanoseconds: configuration.requestTimeoutNanoseconds)
        // From here on nothing is asked of a card that was closed.
        let open = OpenChannel(channel, recipe)
        try channel.test()
        let capabilities = try channel.verifyVersion(addsVectors: backing.canAddVectors)
        if capabilities.contains(.channelTimeout) { try channel.queryTimeout() }
        let device = try channel.findNetworkAdapter()
        let limits = try channel.queryLimits()

        // Before the rest of the vectors is taken, as Linux 7.x asks it: the queues of all ports can use them.
        let network = try channel.queryNetwork(device)
        guard network.portCount > 0 else {
            throw hardware.error(.badContents, "query network adapter", "no port, expected one or more")
        }
        // MAX_PORTS_IN_MANA_DEV
        let portCount = min(network.portCount, 256)
        let queues = try limits.queues(atMost: min(wanted - 1, configuration.queueLimit), hardware)
        let budget = VectorBudget(
            tableCount: backing.vectorCount,
            offered: Int(clamping: limits.vectors),
            onlineCPUs: onlineCPUs,
            queues: try limits.queues(atMost: queues * portCount, hardware)
        )
        guard budget.usable > 0 else {
            throw hardware.error(.noResource, "query limits", "the card offers no vector, expected one or more")
        }
        let after = vectors.settle(on: budget.usable)

        let registration = try channel.register(device)
        let registered = RegisteredAdapter(open, channel, device)
        _ = try hardware.doorbellPage(registration.doorbellPage, "register device")

        self.configuration = configuration
        self.limits = limits
        vectorStory = VectorStory(
            budget: budget,
            takenBefore: before.count,
            taken: after.count,
            refusal: after.refusal
        )
        // With one vector, the queue that there still is shares it with the channel, and is polled.
        queueCount = max(1, min(queues, after.count - 1))
        self.portCount = portCount
        adapter = MANAAdapter(
            channel,
            registration: registration,
            network: network,
            configuration: configuration,
            census: recipe.census
        )
        ports = IndexPool(kind: "MANA port", capacity: portCount, census: recipe.census)
        self.recipe = recipe
        self.registered = registered
        self.vectors = vectors
        self.vectorsEnd = vectorsEnd
    }

    /// Whether the card was removed, or has lost its power.
    public var isGone: Bool { adapter.hardware.isGone }

    /// The vectors on loan: their names, where they are handled, and what they count.
    public var vectorStatuses: [VectorStatus] { vectors.service.statuses }

    /// What went over the channel, and what went wrong.
    public var channelCounters: ChannelCounters { adapter.channel.counters }

    // MARK: ports

    /// Opens port `index`.
    public func openPort(_ index: Int = 0) throws(DeviceError) -> MANAPort<Backing> {
        guard let number = ports.take(index) else {
            throw adapter.error(.noResource, "open port \(index)", "it is open, or no port of \(portCount)")
        }
        let identity = try adapter.queryPort(index)
        return try MANAPort(
            adapter,
            identity: identity,
            number: number,
            queueCount: queueCount,
            vectors: vectors,
            statistics: recipe.statistics.queues(ofPort: index, count: queueCount)
        )
    }

    /// Every counter of a port, under the names of Linux's mana. The card counts for the function, not for a port.
    public func statistics(port: Int = 0) throws(DeviceError) -> [NetdevStatistic] {
        let function = try adapter.queryStatistics()
        return recipe.statistics.named(
            port: port,
            queueCount: queueCount,
            function: function,
            physical: try adapter.queryPhysicalStatistics()
        )
    }

    /// Megabits per second of an open port's link; nil if the card does not say.
    public func linkSpeed(_ port: borrowing MANAPort<Backing>) throws(DeviceError) -> Int? {
        try adapter.queryLinkSpeed(port.core.handle)
    }

    // MARK: service

    /// Readable when vector 0 fired: the control thread sleeps on it.
    public func channelEventDescriptor() -> Int32? { vectors.channelDescriptor() }

    /// What the card has to tell. Call it when vector 0 fired, and now and then; it costs little.
    ///
    /// - Throws: `deviceGone` when the card was removed.
    public mutating func service() throws(DeviceError) -> ServiceEvents {
        try adapter.hardware.checkPresent("service")
        _ = vectors.consumeChannel()
        let news = try adapter.channel.readEvents()
        var events = ServiceEvents()
        if let isUp = news.linkIsUp, isUp != linkIsUp {
            linkIsUp = isUp
            events.linkChanged = true
        }
        events.needsReset = news.resetIsRequested || news.isSuspect
        return events
    }

    // MARK: suspend and resume

    /// Has the card forget everything. Ports and queues that are still out are silent, whatever comes after.
    public consuming func suspend() -> SuspendedMANA<Backing> {
        let recipe = recipe
        Self.end(self)
        return recipe
    }

    private static func end(_ device: consuming MANADevice) {}
}

extension AdapterLimits {
    /// How many queue pairs there can be; at most `most`.
    fileprivate func queues<Backing>(
        atMost most: Int,
        _ hardware: MANAHardware<Backing>
    ) throws(DeviceError) -> Int {
        let offered = min(sendQueues, receiveQueues, completionQueues, eventQueues)
        guard offered > 0 else {
            throw hardware.error(.noResource, "query limits", "no queue of one kind, expected one or more: \(self)")
        }
        return min(most, Int(clamping: offered))
    }
}

/// An open channel. Its end silences all queues and ends it.
struct OpenChannel<Backing: PCIeBacking>: ~Copyable {
    private let channel: HardwareChannel<Backing>
    private let backing: Backing

    init(_ channel: HardwareChannel<Backing>, _ recipe: SuspendedMANA<Backing>) {
        self.channel = channel
        backing = recipe.backing
    }

    deinit {
        channel.hardware.close()
        channel.close()
        disableMastering(backing)
    }
}

/// A registered device. Its end deregisters it and ends the channel.
struct RegisteredAdapter<Backing: PCIeBacking>: ~Copyable {
    private let channel: HardwareChannel<Backing>
    private let device: AdapterDevice
    // After the device.
    private let open: OpenChannel<Backing>

    init(_ open: consuming OpenChannel<Backing>, _ channel: HardwareChannel<Backing>, _ device: AdapterDevice) {
        self.channel = channel
        self.device = device
        self.open = open
    }

    deinit {
        // From here on no queue rings any more, nor asks for anything.
        channel.hardware.close()
        guard !channel.hardware.isGone else { return }
        // A card that refuses loses the channel next, and with it the device.
        try? channel.deregister(device)
    }
}

/// Vectors that are not a queue's. Its end gives them back.
struct VectorsEnd<Backing: PCIeBacking>: ~Copyable {
    private let vectors: QueueVectors<Backing>

    init(_ vectors: QueueVectors<Backing>) { self.vectors = vectors }

    deinit { vectors.end() }
}

/// Takes a function's right to master the bus, as pci_disable_device does.
private func disableMastering(_ backing: some PCIeBacking) {
    let master: UInt32 = 0x4
    guard let command = try? backing.readConfig(ConfigSpace.Offset.command, .word), command != 0xFFFF else { return }
    try? backing.writeConfig(ConfigSpace.Offset.command, .word, command & ~master)
}
