// One card of `doorbell serve`: a model, its server, and the thread that owns both.

import Backing
import Clock
import Ethernet
import Glibc
import Memory
import VFIOUser

/// What makes cards of one kind.
protocol CardDescription {
    associatedtype Model: ServedModel
    /// What the first card is called unless the user says otherwise.
    var firstAddress: StationAddress { get }
    func make(address: MACAddress, port: consuming WirePort) -> Model
}

/// A network card's model as `doorbell serve` looks at it.
protocol ServedModel: PCIeModel {
    /// Frames that went out, came in, and came in vain; accesses to memory that were refused.
    var passage: CardPassage { get }
    func setCable(plugged: Bool)
    /// Asks the driver to take the card down and up again, if that is something that the card can ask.
    func requestReset()
    /// Has the model say what its driver asks of it, a line at a time.
    func trace(_ log: @escaping (String) -> Void)
}

struct CardPassage {
    var framesTransmitted: UInt64
    var framesReceived: UInt64
    var framesDropped: UInt64
    var refusedDMA: UInt64
}

/// A card that is served.
final class ServedCard<Model: ServedModel> {
    private let listener: CardServe.Listener
    private let model: Model
    private let server: VFIOUserServer<Model>
    private let loop: PollingLoop

    /// - Parameter others: what the card's thread polls besides it.
    init(
        _ listener: CardServe.Listener,
        _ model: Model,
        others: [any Pollable],
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
            model.trace { onEvent("\(name): \($0)") }
            server.onVectors = { onEvent("\(name): \($0)") }
        }
        // Longer than a loop spins by itself: to wake takes some 50 µs, and between two frames of one TCP connection lie
        // 100 to 200. It doubled what a guest sends by one (Guests/README.md, "How fast").
        loop = PollingLoop([server] + others, spinNanoseconds: 300_000)
    }

    func setCable(plugged: Bool) { loop.perform { model.setCable(plugged: plugged) } }

    func requestReset() { loop.perform { model.requestReset() } }

    func summary() -> CardServe.Summary.Card {
        var card: CardServe.Summary.Card?
        loop.perform { card = makeSummary() }
        return card ?? makeSummary()
    }

    private func makeSummary() -> CardServe.Summary.Card {
        let passage = model.passage
        return CardServe.Summary.Card(
            socket: listener.name,
            connections: server.counters.connections,
            brokenConnections: server.counters.brokenConnections,
            framesTransmitted: passage.framesTransmitted,
            framesReceived: passage.framesReceived,
            framesDropped: passage.framesDropped,
            refusedDMA: passage.refusedDMA
        )
    }

    func stop() {
        loop.stop()
        // SAFETY: the C string lives as long as the call.
        if case .path(let path) = listener { _ = unsafe unlink(path) }
    }
}
