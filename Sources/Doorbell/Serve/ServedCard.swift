// One card of `doorbell serve`: a model, its server, and the thread that owns both.

import Backing
import Clock
import Ethernet
import Glibc
import Memory
import VFIOUser

/// What makes network cards of one kind.
protocol NetworkCardDescription {
    associatedtype Model: ServedNetworkModel
    /// What the first card is called unless the user says otherwise.
    var firstAddress: StationAddress { get }
    func make(address: MACAddress, port: consuming WirePort) -> Model
}

/// A card's model as `doorbell serve` looks at it.
protocol ServedModel: PCIeModel {
    /// Frames that went out, came in, and came in vain; nil: the card has no wire.
    var passage: FramePassage? { get }
    /// Accesses to memory that were refused.
    var refusedDMA: UInt64 { get }
    /// What else came in that was out of the ordinary, by name.
    var oddities: [Oddity] { get }
    /// Has the model say what its driver asks of it, a line at a time.
    func trace(_ log: @escaping (String) -> Void)
}

/// A network card's model.
protocol ServedNetworkModel: ServedModel {
    func setCable(plugged: Bool)
    /// Asks the driver to take the card down and up again, if that is something that the card can ask.
    func requestReset()
}

struct FramePassage {
    var framesTransmitted: UInt64
    var framesReceived: UInt64
    var framesDropped: UInt64
}

/// How often something has happened so far.
struct Oddity: Equatable {
    /// As programs read it, e.g. `readsBeyondTheMemory`.
    var name: String
    var count: UInt64

    /// As people read it, e.g. `reads beyond the memory`.
    static func words(_ name: String) -> String {
        name.reduce(into: "") { $0 += $1.isUppercase ? " \($1.lowercased())" : "\($1)" }
    }
}

extension ServedNetworkModel {
    var oddities: [Oddity] { [] }
}

/// A card that is served.
final class ServedCard<Model: ServedModel> {
    private let listener: CardServe.Listener
    fileprivate let model: Model
    private let server: VFIOUserServer<Model>
    fileprivate let loop: PollingLoop
    private var told: [Oddity] = []

    /// - Parameter others: what the card's thread polls besides it.
    init(
        _ listener: CardServe.Listener,
        _ model: Model,
        others: [any Pollable] = [],
        keepsState: Bool,
        isTraced: Bool,
        onEvent: @escaping @Sendable (String) -> Void
    ) throws(SystemError) {
        let descriptor: OwnedDescriptor =
            switch listener {
            case .path(let path): try UnixSocket.listen(path: path)
            case .descriptor(let number): try UnixSocket.adopt(listener: number)
            }
        let name = listener.name
        self.listener = listener
        self.model = model
        var options = VFIOUserServerOptions()
        options.keepsState = keepsState
        server = VFIOUserServer(model, listener: descriptor, options: options) { onEvent("\(name): \($0)") }
        if isTraced {
            // A network card's driver has its guest's memory mapped and unmapped all the time.
            server.isTraced = model.passage == nil
            model.trace { onEvent("\(name): \($0)") }
            server.onVectors = { onEvent("\(name): \($0)") }
        }
        // Longer than a loop spins by itself: to wake takes some 50 µs, and between two frames of one TCP connection lie
        // 100 to 200. It doubled what a guest sends by one (Guests/README.md, "How fast").
        loop = PollingLoop([server] + others, spinNanoseconds: 300_000)
    }

    func summary() -> CardServe.Summary.Card {
        var card: CardServe.Summary.Card?
        loop.perform { card = makeSummary() }
        return card ?? makeSummary()
    }

    private func makeSummary() -> CardServe.Summary.Card {
        let passage = model.passage
        let oddities = model.oddities
        return CardServe.Summary.Card(
            socket: listener.name,
            connections: server.counters.connections,
            brokenConnections: server.counters.brokenConnections,
            framesTransmitted: passage?.framesTransmitted,
            framesReceived: passage?.framesReceived,
            framesDropped: passage?.framesDropped,
            refusedDMA: model.refusedDMA,
            oddities: oddities.isEmpty ? nil : Dictionary(uniqueKeysWithValues: oddities.map { ($0.name, $0.count) })
        )
    }

    /// What has happened since the last time, a line each: a client cannot make it more than there are kinds.
    func news() -> [String] {
        var lines: [String] = []
        loop.perform {
            let now = model.oddities
            for (place, oddity) in now.enumerated() {
                let before = place < told.count ? told[place].count : 0
                if oddity.count != before {
                    lines.append("\(listener.name): \(oddity.count &- before) \(Oddity.words(oddity.name))")
                }
            }
            told = now
        }
        return lines
    }

    func stop() {
        loop.stop()
        // SAFETY: the C string lives as long as the call.
        if case .path(let path) = listener { _ = unsafe unlink(path) }
    }
}

extension ServedCard where Model: ServedNetworkModel {
    func setCable(plugged: Bool) { loop.perform { model.setCable(plugged: plugged) } }

    func requestReset() { loop.perform { model.requestReset() } }
}
