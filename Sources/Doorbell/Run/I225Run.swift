// `doorbell run i225`: a wire with real programs on it, a virtual I225, our driver, and a host with real programs on it.
//
//   wire TAP ─ wire ─ I225 model │ driver ─ queue pair ─ pump ─ wire ─ netdev TAP
//   one thread                   │ another

import Backing
import Clock
import Ethernet
import Glibc
import I225Driver
import I225Model
import Leases
import Memory
import Netdev
import PTP

/// Where frames come from and go to.
public struct I225Run: Sendable {
    /// The TAP device that is the wire's far end.
    public var wireTAP: String
    /// The TAP device that is the card's network interface on the host.
    public var netdevTAP: String
    /// Where to write what passed the card, with its times.
    public var capturePath: String?

    public init(wireTAP: String, netdevTAP: String, capturePath: String?) {
        self.wireTAP = wireTAP
        self.netdevTAP = netdevTAP
        self.capturePath = capturePath
    }

    /// What passed, for the last line.
    public struct Summary: Codable, JSONDocument, Sendable {
        public let statistics: [String: UInt64]
        public let wire: Traffic
        public let netdev: Traffic
        public let captured: UInt64?
        public let captureLost: UInt64?
    }

    /// Frames between Linux and a wire.
    public struct Traffic: Codable, Sendable {
        public let framesIn: UInt64
        public let framesOut: UInt64
        public let lost: UInt64

        init(_ counters: TAPCounters) {
            framesIn = counters.framesIn
            framesOut = counters.framesOut
            lost =
                counters.tooLong + counters.runts + counters.interfaceDown + counters.noRoom + counters.refused
        }
    }

    private static let bufferBytes = 2048
    private static let bufferCount = 2048
    private static let ringEntries = 512

    /// Runs until `shouldStop` says so, asked ten times a second.
    ///
    /// - Parameters:
    ///   - onReady: both TAP devices are open and frames pass.
    ///   - onEvent: a line for the log: the link, a capture that fails.
    public func run(
        onReady: () -> Void,
        onEvent: (String) -> Void,
        shouldStop: () -> Bool
    ) throws -> Summary {
        let census = Census()
        let clock = DeviceClock.monotonic

        let wire = WirePair()
        let cardPort = wire.first
        let wireTap = TAPWire(try openTAP(wireTAP), port: wire.second, clock: clock)
        let host = WirePair()
        let netdevTap = TAPWire(try openTAP(netdevTAP), port: host.second, clock: clock)
        let hostPort = host.first
        var farEnd: [any Pollable] = [wireTap]
        let captureFile = try capturePath.map { try CaptureFile(path: $0, clock: clock) }
        if let captureFile { farEnd.append(captureFile.capture) }

        let card = VirtualI225(
            I225Options(),
            port: cardPort,
            farEnd: farEnd,
            capture: captureFile?.takeProducer(),
            census: census
        )
        var configuration = I225Configuration()
        // The interface on the host has an address of its own; the card is a cable to it.
        configuration.isPromiscuous = true
        configuration.stampsTransmitted = false
        var device = try card.open(configuration)
        try device.clock.setTime(PTPTime.now())
        var vectors = try device.enableInterrupts(queueCount: 1)
        let queue = try device.openQueuePair(0, entries: Self.ringEntries, vector: vectors[0].take())
        let memory = try card.backing.allocateDMA(
            byteCount: Self.bufferBytes * Self.bufferCount,
            .both,
            purpose: "netdev-buffers"
        )
        let pump = NetdevPump(
            queue: queue,
            port: hostPort,
            buffers: BufferPool(memory: memory, bufferBytes: Self.bufferBytes),
            clock: clock
        )
        let hostLoop = PollingLoop([pump, netdevTap])
        defer { hostLoop.stop() }

        onEvent("link up, \(device.link.speed) Mb/s")
        onReady()
        while !shouldStop() {
            clock.wait(nanoseconds: 100_000_000)
            let events = try device.service()
            if events.linkChanged {
                onEvent(device.link.isUp ? "link up, \(device.link.speed) Mb/s" : "link down")
            }
            if !events.hungQueues.isEmpty { onEvent("Tx queues stand still: \(events.hungQueues)") }
            if let failure = captureFile?.failure(on: card) { onEvent("\(failure)") }
        }
        hostLoop.stop()
        let statistics = device.statistics()
        let (wireTraffic, captured) = card.onModelThread {
            (Traffic(wireTap.counters), captureFile?.capture.counters)
        }
        return Summary(
            statistics: Dictionary(statistics.map { ($0.name, $0.value) }) { first, _ in first },
            wire: wireTraffic,
            netdev: Traffic(netdevTap.counters),
            captured: captured?.frames,
            captureLost: captured?.lost
        )
    }
}

/// A capture and the end of its ring that the card gets.
private final class CaptureFile {
    let capture: Capture
    private var producer: FrameProducer?

    init(path: String, clock: DeviceClock) throws(PcapngError) {
        let ring = FrameRing(capacity: 4 * 1024 * 1024)
        producer = consume ring.producer
        capture = Capture(
            ring.consumer,
            to: try PcapngWriter(path: path, hardware: "Doorbell virtual Intel I225-V"),
            queueNames: (0..<4).map { "i225-q\($0)" },
            clock: clock
        )
    }

    func takeProducer() -> FrameProducer? { producer.take() }

    func failure(on card: VirtualI225) -> PcapngError? { card.onModelThread { capture.takeFailure() } }
}

extension PTPTime {
    /// The time of day, UTC.
    static func now() -> PTPTime {
        var time = timespec()
        // SAFETY: the address of a local.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return PTPTime(totalNanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
