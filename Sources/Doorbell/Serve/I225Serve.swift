// `doorbell serve i225`: virtual cards on Unix sockets, for QEMU or whatever speaks vfio-user, and a network between them.
//
//   QEMU ─ socket ─ server ─ I225 model ─ wire ─┬─ TAP      a thread per card: what one client does holds up no other's
//   QEMU ─ socket ─ server ─ I225 model ─ wire ─┘           device. The switch, if there is one, has a thread too.

import Backing
import Clock
import Ethernet
import Glibc
import I225Model
import Memory
import Synchronization
import VFIOUser

/// Cards to serve, and what they are plugged into.
public struct I225Serve: Sendable {
    /// Where clients come from.
    public enum Listener: Sendable, Equatable {
        /// A socket that is made at this path, and removed at the end.
        case path(String)
        /// A listening socket that whoever started this process has made (socket activation).
        case descriptor(Int32)
    }

    /// One card each, in the order of their addresses.
    public var listeners: [Listener]
    public var wires: [FarEnd]
    /// The first card's address; the others count up from it.
    public var firstAddress = StationAddress(MACAddress(value: 0x021B_2102_2500))
    /// What goes wrong with stamps, on every card.
    public var stampFaults: [StampFaultRule] = []
    /// Whether a card keeps its state for a client that comes back.
    public var keepsState = false

    public init(listeners: [Listener], wires: [FarEnd]) {
        self.listeners = listeners
        self.wires = wires
    }

    /// What passed, for the last line.
    public struct Summary: Codable, JSONDocument, Sendable {
        public let cards: [Card]

        public struct Card: Codable, Sendable {
            public let socket: String
            public let connections: UInt64
            public let brokenConnections: UInt64
            public let framesTransmitted: UInt64
            public let framesReceived: UInt64
            public let framesDropped: UInt64
            public let refusedDMA: UInt64
        }
    }

    /// Runs until `shouldStop` says so, asked ten times a second.
    ///
    /// - Parameters:
    ///   - onReady: the sockets are there; gets what to type for QEMU, where they have paths.
    ///   - onEvent: a line for the log, from any thread: clients that come and go, the cable.
    ///   - cableToggles: how often somebody has pulled or plugged the cable of every card so far.
    /// - Throws: `CannotRun` where this machine lacks what the wires need.
    public func run(
        onReady: (QEMUCommand?) -> Void,
        onEvent: @escaping @Sendable (String) -> Void,
        cableToggles: () -> Int,
        shouldStop: () -> Bool
    ) throws -> Summary {
        var cards: [ServedI225] = []
        // A card that was made is stopped, also when the next one cannot be.
        defer { for card in cards { card.stop() } }
        let network = try Network(cards: listeners.count, ends: wires, clock: .monotonic) {
            index,
            port,
            others,
            isPlugged in
            var options = I225Options()
            options.macAddress = firstAddress.advanced(by: index).bytes
            // A message wakes QEMU's main loop, which then keeps a guest's CPU from its next register write: with none held
            // back, a quarter of that CPU's time went there (Guests/README.md, "How fast").
            options.transmitMessageGapNanoseconds = 200_000
            for rule in stampFaults { options.stampFaults[rule.number] = rule.fault }
            let card = try ServedI225(
                listeners[index],
                options,
                port: port,
                others: others,
                keepsState: keepsState,
                onEvent: onEvent
            )
            if !isPlugged { card.setCable(plugged: false) }
            cards.append(card)
        }
        return withExtendedLifetime(network) {
            onReady(QEMUCommand(listeners))
            var toggles = 0
            while !shouldStop() {
                DeviceClock.monotonic.wait(nanoseconds: 100_000_000)
                while toggles < cableToggles() {
                    toggles += 1
                    let isPlugged = toggles % 2 == 0
                    for card in cards { card.setCable(plugged: isPlugged) }
                    onEvent("cable \(isPlugged ? "plugged" : "pulled")")
                }
            }
            return Summary(cards: cards.map { $0.summary() })
        }
    }
}

extension QEMUCommand {
    /// Nil where a socket has no path to name.
    init?(_ listeners: [I225Serve.Listener]) {
        let paths = listeners.compactMap { listener in
            if case .path(let path) = listener { absolutePath(path) } else { nil }
        }
        guard paths.count == listeners.count else { return nil }
        self.init(sockets: paths)
    }
}

private func absolutePath(_ path: String) -> String {
    guard !path.hasPrefix("/") else { return path }
    // SAFETY: with no buffer given, getcwd allocates one, which is copied and freed.
    guard let folder = unsafe getcwd(nil, 0) else { return path }
    defer { unsafe free(folder) }
    return unsafe String(cString: folder) + "/" + path
}

/// One card, its server, and the thread that owns both.
private final class ServedI225 {
    private let listener: I225Serve.Listener
    private let model: I225Model
    private let server: VFIOUserServer<I225Model>
    private let loop: PollingLoop

    init(
        _ listener: I225Serve.Listener,
        _ options: I225Options,
        port: consuming WirePort,
        others: [any Pollable],
        keepsState: Bool,
        onEvent: @escaping @Sendable (String) -> Void
    ) throws(SystemError) {
        let descriptor: OwnedDescriptor
        let name: String
        switch listener {
        case .path(let path):
            descriptor = try UnixSocket.listen(path: path)
            name = path
        case .descriptor(let number):
            descriptor = try UnixSocket.adopt(listener: number)
            name = "descriptor \(number)"
        }
        self.listener = listener
        model = I225Model(options: options, port: port, clock: .monotonic)
        var serverOptions = VFIOUserServerOptions()
        serverOptions.keepsState = keepsState
        server = VFIOUserServer(model, listener: descriptor, options: serverOptions) { onEvent("\(name): \($0)") }
        // Longer than a loop spins by itself: to wake takes some 50 µs, and between two frames of one TCP connection lie
        // 100 to 200. It doubled what a guest sends by one (Guests/README.md, "How fast").
        loop = PollingLoop([server] + others, spinNanoseconds: 300_000)
    }

    func setCable(plugged: Bool) { loop.perform { model.setCable(plugged: plugged) } }

    func summary() -> I225Serve.Summary.Card {
        var card: I225Serve.Summary.Card?
        loop.perform { card = makeSummary() }
        return card ?? makeSummary()
    }

    private func makeSummary() -> I225Serve.Summary.Card {
        let counters = model.counters
        let name: String
        switch listener {
        case .path(let path): name = path
        case .descriptor(let number): name = "\(number)"
        }
        return I225Serve.Summary.Card(
            socket: name,
            connections: server.counters.connections,
            brokenConnections: server.counters.brokenConnections,
            framesTransmitted: counters.framesTransmitted,
            framesReceived: counters.framesReceived,
            framesDropped: counters.framesDropped,
            refusedDMA: counters.dmaFaults
        )
    }

    func stop() {
        loop.stop()
        // SAFETY: the C string lives as long as the call.
        if case .path(let path) = listener { _ = unsafe unlink(path) }
    }
}
