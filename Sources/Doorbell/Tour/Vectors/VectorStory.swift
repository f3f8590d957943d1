// The story `mana-vectors`: a virtual MANA is brought up with one vector, asked how many can be used, and given exactly
// those; frames of many flows then come in on every queue and go back out. Beside it the old way, all vectors first. What the
// driver tells is held against what the card saw.

import Backing
import Clock
import Ethernet
import Interrupts
import Leases
import MANADriver
import MANAModel

/// Brings a card up for every offer, has it carry frames, and reports.
public struct VectorStory: Sendable {
    public static let id = "mana-vectors"

    /// How vectors are taken, and how many the card says may be used (max_msix).
    public struct Offer: Sendable, Equatable, CustomStringConvertible {
        public enum Scheme: String, Sendable, Codable {
            /// All that might be used before the channel is there: for backings that cannot add a vector to others.
            case fixed = "static"
            /// One for the channel, the others when it has told how many.
            case dynamic
        }

        public let scheme: Scheme
        public let vectors: Int

        public init(_ scheme: Scheme, vectors: Int) {
            self.scheme = scheme
            self.vectors = vectors
        }

        public var description: String { "\(scheme.rawValue), offer of \(vectors)" }
    }

    public var machine: VectorMachine
    public var offers: [Offer]
    public var framesPerQueue: Int

    public init(
        on machine: VectorMachine = .sixteenCPUs,
        offers: [Offer] = Self.usualOffers,
        framesPerQueue: Int = 4_000
    ) {
        self.machine = machine
        self.offers = offers
        self.framesPerQueue = framesPerQueue
    }

    /// All of a table of 17 and few of it, the old way; two, few and all, on demand.
    public static let usualOffers =
        [17, 5].map { Offer(.fixed, vectors: $0) } + [2, 5, 17].map { Offer(.dynamic, vectors: $0) }

    /// As many as a driver can use: one per CPU, and the channel's.
    private var wanted: Int { machine.topology.online.count + 1 }

    /// - Parameter progress: called before every run with its offer, and how much of the story is done, 0...1.
    public func run(progress: (Offer, Double) -> Void) throws -> SystemReport {
        var failures: [String] = []
        var runs: [VectorRun] = []
        for (place, offer) in offers.enumerated() {
            progress(offer, Double(place) / Double(offers.count))
            let (run, problems) = try run(offer)
            runs.append(run)
            failures += problems.map { "\(offer): \($0)" }
        }
        return SystemReport(
            id: Self.id,
            held: failures.isEmpty,
            figures: .vectors(
                VectorFigures(
                    machine: machine.name,
                    cpus: machine.topology.online.count,
                    node: machine.node,
                    framesPerQueue: framesPerQueue,
                    runs: runs
                )
            ),
            failures: failures
        )
    }

    private func run(_ offer: Offer) throws -> (VectorRun, problems: [String]) {
        var options = MANAOptions()
        options.limits.tableVectors = wanted
        options.limits.vectors = UInt32(clamping: offer.vectors)
        let wire = WirePair()
        let cardEnd = wire.first
        let card = VirtualMANA(options, port: cardEnd, farEnd: [])
        let log = BringUpLog()
        card.onModelThread { log.follow(card.model) }
        // The rule of the kernel that takes vectors this way.
        var configuration = MANAConfiguration()
        configuration.affinity = offer.scheme == .fixed ? .allAtOnce : .oneThenOneEach
        var run =
            switch offer.scheme {
            case .fixed: try work(FixedVectors(card.backing), configuration, card.census, offer, wire.second, log)
            case .dynamic: try work(card.backing, configuration, card.census, offer, wire.second, log)
            }
        run.enabledAtEnd = card.onModelThread { BringUpLog.enabledVectors(card.model) }
        var problems = run.problems(wanted: wanted, expectedCPUs: expectedCPUs(configuration.affinity, run))
        if !card.census.outstanding.isEmpty { problems.append("still on loan at the end: \(card.census.outstanding)") }
        let holdings = card.onModelThread { card.model.holdings }
        if holdings != MANAHoldings() { problems.append("the card still holds at the end: \(holdings)") }
        return (run, problems)
    }

    /// Where the vectors must be. On demand they come in two steps: placed all at once they are in the same places. The old
    /// way places all that are taken, and keeps those places when some are given back.
    private func expectedCPUs(_ rule: AffinityRule, _ run: VectorRun) -> [String?] {
        let placed = run.scheme == .fixed ? run.takenBefore : run.taken
        let cpus = rule.spread(placed, over: machine.topology, near: machine.node)
        return cpus.prefix(run.taken).map { $0?.description }
    }

    /// Everything that is lent lives in here, and is back when it returns.
    private func work<Backing: PCIeBacking>(
        _ backing: Backing,
        _ configuration: MANAConfiguration,
        _ census: Census,
        _ offer: Offer,
        _ farEnd: consuming WirePort,
        _ log: BringUpLog
    ) throws -> VectorRun {
        var fastest = BringUpTimes(channelNanoseconds: .max, wholeNanoseconds: .max)
        func open() throws -> MANADevice<Backing> {
            let start = DeviceClock.monotonic.now
            let device = try MANADevice(
                backing,
                configuration,
                topology: machine.topology,
                node: machine.node,
                clock: .monotonic,
                census: census
            )
            let whole = DeviceClock.monotonic.now &- start
            if whole < fastest.wholeNanoseconds {
                let channel = (log.channel?.at ?? start) &- start
                fastest = BringUpTimes(channelNanoseconds: channel, wholeNanoseconds: whole)
            }
            return device
        }
        // The first time finds cold caches, and any may find a busy machine. Each is a card that is given back as a whole.
        for _ in 0..<4 { _ = try open() }
        var device = try open()
        let entries = 256
        let port = try device.openPort()
        let frames = port.queueCount * framesPerQueue
        let traffic = FlowTraffic(to: port.address, from: farEnd, frames: frames, returnsFrames: true)
        for index in 0..<port.queueCount {
            let queue = try port.openQueuePair(index, entries: entries)
            try traffic.add(queue, buffers: 2 * entries, on: backing)
        }
        try port.steer()
        return try traffic.run {
            _ = try device.service()
            return try VectorRun(
                offer,
                device,
                log,
                fastest,
                queueCount: port.queueCount,
                framesPerQueue: framesPerQueue
            )
        }
    }
}
