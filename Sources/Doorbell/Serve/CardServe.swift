// `doorbell serve`: virtual cards on Unix sockets, for QEMU or whatever speaks vfio-user, and a network between them.
//
//   QEMU ─ socket ─ server ─ model ─ wire ─┬─ TAP      a thread per card: what one client does holds up no other's
//   QEMU ─ socket ─ server ─ model ─ wire ─┘           device. The switch, if there is one, has a thread too.

import Clock
import Ethernet
import Glibc

/// Cards to serve, and what they are plugged into.
public struct CardServe: Sendable {
    /// What is served: all cards are of one kind.
    public enum Kind: Sendable {
        case i225(I225Card)
        case mana(MANACard)
        case graceHopper(GraceHopperCard)
    }

    /// Where clients come from.
    public enum Listener: Sendable, Equatable {
        /// A socket that is made at this path, and removed at the end.
        case path(String)
        /// A listening socket that whoever started this process has made (socket activation).
        case descriptor(Int32)

        var name: String {
            switch self {
            case .path(let path): path
            case .descriptor(let number): "descriptor \(number)"
            }
        }
    }

    public var kind: Kind
    /// One card each, in the order of their addresses.
    public var listeners: [Listener]
    /// Of network cards.
    public var wires: [FarEnd]
    /// The first card's address; the others count up from it. nil: one of the maker's.
    public var firstAddress: StationAddress?
    /// Whether a card keeps its state for a client that comes back.
    public var keepsState = false
    /// Whether the log has every vector that a client attaches, and what else a card tells.
    public var isTraced = false

    public init(_ kind: Kind, listeners: [Listener], wires: [FarEnd] = []) {
        self.kind = kind
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
            // Nil: a card without a wire.
            public let framesTransmitted: UInt64?
            public let framesReceived: UInt64?
            public let framesDropped: UInt64?
            public let refusedDMA: UInt64
            /// What else came in that was out of the ordinary, by name; nil: a card that does not tell.
            public let oddities: [String: UInt64]?
        }
    }

    /// What whoever runs this hears and says meanwhile.
    public struct Attendance {
        /// The sockets are there; gets what to type for QEMU, where they have paths, and what else there is to know.
        public var onReady: (QEMUCommand?, [String]) -> Void
        /// A line for the log, from any thread: clients that come and go, the cable.
        public var onEvent: @Sendable (String) -> Void
        /// How often somebody has pulled or plugged the cable of every card so far.
        public var cableToggles: () -> Int
        /// How often the cards were to ask their drivers for a reset so far.
        public var resetRequests: () -> Int
        /// Asked ten times a second.
        public var shouldStop: () -> Bool

        public init(
            onReady: @escaping (QEMUCommand?, [String]) -> Void,
            onEvent: @escaping @Sendable (String) -> Void,
            cableToggles: @escaping () -> Int,
            resetRequests: @escaping () -> Int = { 0 },
            shouldStop: @escaping () -> Bool
        ) {
            self.onReady = onReady
            self.onEvent = onEvent
            self.cableToggles = cableToggles
            self.resetRequests = resetRequests
            self.shouldStop = shouldStop
        }
    }

    /// Runs until it is told to stop.
    ///
    /// - Throws: `CannotRun` where this machine lacks what the wires need.
    public func run(_ attendance: Attendance) throws -> Summary {
        switch kind {
        case .i225(let card): try serve(card, attendance)
        case .mana(let card): try serve(card, attendance)
        case .graceHopper(let card): try serve(card, attendance)
        }
    }

    private func serve<Description: NetworkCardDescription>(
        _ description: Description,
        _ attendance: Attendance
    ) throws -> Summary {
        var cards: [ServedCard<Description.Model>] = []
        // A card that was made is stopped, also when the next one cannot be.
        defer { for card in cards { card.stop() } }
        let first = firstAddress ?? description.firstAddress
        let network = try Network(cards: listeners.count, ends: wires, clock: .monotonic) {
            index,
            port,
            others,
            isPlugged in
            let card = try ServedCard(
                listeners[index],
                description.make(address: first.advanced(by: index), port: port),
                others: others,
                keepsState: keepsState,
                isTraced: isTraced,
                onEvent: attendance.onEvent
            )
            if !isPlugged { card.setCable(plugged: false) }
            cards.append(card)
        }
        return withExtendedLifetime(network) {
            attendance.onReady(QEMUCommand(listeners), [])
            var toggles = 0
            var resets = 0
            attend(cards, attendance) {
                while toggles < attendance.cableToggles() {
                    toggles += 1
                    let isPlugged = toggles % 2 == 0
                    for card in cards { card.setCable(plugged: isPlugged) }
                    attendance.onEvent("cable \(isPlugged ? "plugged" : "pulled")")
                }
                while resets < attendance.resetRequests() {
                    resets += 1
                    for card in cards { card.requestReset() }
                    attendance.onEvent("reset asked for")
                }
            }
            return Summary(cards: cards.map { $0.summary() })
        }
    }

    /// Looks after the cards, ten times a second, until it is told to stop.
    func attend<Model>(_ cards: [ServedCard<Model>], _ attendance: Attendance, _ look: () -> Void = {}) {
        while !attendance.shouldStop() {
            DeviceClock.monotonic.wait(nanoseconds: 100_000_000)
            look()
            guard isTraced else { continue }
            for card in cards { card.news().forEach(attendance.onEvent) }
        }
    }
}

extension QEMUCommand {
    /// Nil where a socket has no path to name.
    init?(_ listeners: [CardServe.Listener], guest: Guest = Guest()) {
        let paths = listeners.compactMap { listener in
            if case .path(let path) = listener { absolutePath(path) } else { nil }
        }
        guard paths.count == listeners.count else { return nil }
        self.init(sockets: paths, guest: guest)
    }
}

private func absolutePath(_ path: String) -> String {
    guard !path.hasPrefix("/") else { return path }
    // SAFETY: with no buffer given, getcwd allocates one, which is copied and freed.
    guard let folder = unsafe getcwd(nil, 0) else { return path }
    defer { unsafe free(folder) }
    return unsafe String(cString: folder) + "/" + path
}
