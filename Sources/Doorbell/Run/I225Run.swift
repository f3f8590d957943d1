// `doorbell run i225`: a card, our driver, and a host with real programs on it. A virtual card comes with a wire that has
// real programs on it, too; a real one has a cable.
//
//   wire TAP ─ wire ─ I225 model │ driver ─ queue pair ─ pump ─ wire ─ netdev TAP
//   one thread                   │ another

import Backing
import Clock
import Ethernet
import I225Driver
import I225Model
import Leases
import LinuxVFIO
import VFIOUser

/// Where frames come from and go to.
public struct I225Run: Sendable {
    /// The card that is driven.
    public enum Card: Sendable {
        /// A virtual one. `wireTAP` is the TAP device that is the far end of its wire; what passes it is written, with its
        /// times, to a file at `capturePath`.
        case virtual(wireTAP: String, capturePath: String?)
        /// A function of this machine.
        case vfio(PCIAddress)
        /// One that another process serves at a Unix socket.
        case vfioUser(path: String)
    }

    public var card: Card
    /// The TAP device that is the card's network interface on the host.
    public var netdevTAP: String

    public init(card: Card, netdevTAP: String) {
        self.card = card
        self.netdevTAP = netdevTAP
    }

    /// What passed, for the last line.
    public struct Summary: Codable, JSONDocument, Sendable {
        public let statistics: [String: UInt64]
        /// A virtual card's wire.
        public let wire: Traffic?
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

    /// Runs until `shouldStop` says so, asked ten times a second.
    ///
    /// - Parameters:
    ///   - onReady: the TAP devices are open and frames pass.
    ///   - onEvent: a line for the log: the link, a capture that fails.
    /// - Throws: `CannotRun` where this machine lacks what the run needs.
    public func run(
        onReady: () -> Void,
        onEvent: (String) -> Void,
        shouldStop: () -> Bool
    ) throws -> Summary {
        let drive = I225Drive(netdevTAP: netdevTAP, clock: .monotonic, census: Census())
        do {
            switch card {
            case .virtual(let wireTAP, let capturePath):
                return try runVirtual(drive, wireTAP, capturePath, onReady, onEvent, shouldStop)
            case .vfio(let address):
                let backing = try LinuxVFIO(address, census: drive.census)
                return Summary(try drive.run(backing, onReady: onReady, onEvent: onEvent, shouldStop: shouldStop))
            case .vfioUser(let path):
                let backing = try VFIOUserBacking(path: path, census: drive.census)
                return Summary(try drive.run(backing, onReady: onReady, onEvent: onEvent, shouldStop: shouldStop))
            }
        } catch let obstacle as VFIOObstacle {
            throw CannotRun(description: "\(obstacle)")
        } catch let error as DeviceError where error.code == .hostLimit {
            throw CannotRun(description: "\(error)")
        }
    }

    private func runVirtual(
        _ drive: I225Drive,
        _ wireTAP: String,
        _ capturePath: String?,
        _ onReady: () -> Void,
        _ onEvent: (String) -> Void,
        _ shouldStop: () -> Bool
    ) throws -> Summary {
        let wire = WirePair()
        let cardPort = wire.first
        let wireTap = TAPWire(try openTAP(TAPEnd(name: wireTAP)), port: wire.second, clock: drive.clock)
        var farEnd: [any Pollable] = [wireTap]
        let captureFile = try capturePath.map { try CaptureFile(path: $0, clock: drive.clock) }
        if let captureFile { farEnd.append(captureFile.capture) }

        let virtual = VirtualI225(
            I225Options(),
            port: cardPort,
            farEnd: farEnd,
            capture: captureFile?.takeProducer(),
            census: drive.census
        )
        let result = try drive.run(virtual.backing, onReady: onReady, onEvent: onEvent) {
            if let failure = captureFile?.failure(on: virtual) { onEvent("\(failure)") }
            return shouldStop()
        }
        return virtual.onModelThread {
            Summary(result, wire: wireTap.counters, capture: captureFile?.capture.counters)
        }
    }
}

extension I225Run.Summary {
    init(_ result: I225Drive.Result, wire: TAPCounters? = nil, capture: CaptureCounters? = nil) {
        statistics = result.statistics
        self.wire = wire.map { I225Run.Traffic($0) }
        netdev = I225Run.Traffic(result.netdev)
        captured = capture?.frames
        captureLost = capture?.lost
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
