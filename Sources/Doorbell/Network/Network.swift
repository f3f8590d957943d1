// Wires between virtual cards and the world. Two ends make a cable; more meet in a switch on a thread of its own, so
// that no card's owner carries another card's frames.

import Backing
import Clock
import Ethernet

/// The network that some cards are plugged into.
final class Network {
    private let hub: PollingLoop?
    private let taps: [TAPWire]

    /// A set of ends that no wire joins.
    struct Impossible: Error, CustomStringConvertible {
        let description: String
    }

    /// Opens the far ends and plugs every card in.
    ///
    /// - Parameters:
    ///   - plug: gets a card's number, its port, what the card's own thread has to poll besides it, and whether anything
    ///     is at the other end.
    init(
        cards: Int,
        ends: [FarEnd],
        clock: DeviceClock,
        plug: (Int, consuming WirePort, [any Pollable], Bool) throws -> Void
    ) throws {
        let taps = ends.compactMap { if case .tap(let tap) = $0 { tap } else { nil } }
        guard taps.count == ends.count else {
            guard cards == 1, ends.count == 1 else {
                throw Impossible(description: "loopback is one card's wire and takes no other end")
            }
            hub = nil
            self.taps = []
            try plug(0, .loopback(), [], true)
            return
        }
        guard cards + taps.count > 2 else {
            hub = nil
            self.taps = try Self.cable(cards: cards, tap: taps.first, clock: clock, plug: plug)
            return
        }
        let hub = LearningSwitch(clock: clock)
        for card in 0..<cards {
            let wire = WirePair()
            hub.connect(wire.second)
            try plug(card, wire.first, [], true)
        }
        self.taps = try taps.map { tap in
            let wire = WirePair()
            hub.connect(wire.first)
            return TAPWire(try openTAP(tap), port: wire.second, clock: clock)
        }
        self.hub = PollingLoop([hub] + self.taps)
    }

    deinit { hub?.stop() }

    /// One card, one card and a TAP device, or two cards; the TAP devices in use.
    private static func cable(
        cards: Int,
        tap: TAPEnd?,
        clock: DeviceClock,
        plug: (Int, consuming WirePort, [any Pollable], Bool) throws -> Void
    ) throws -> [TAPWire] {
        let wire = WirePair()
        let first = wire.first
        let second = wire.second
        if let tap {
            let tap = TAPWire(try openTAP(tap), port: second, clock: clock)
            try plug(0, first, [tap], true)
            return [tap]
        }
        try plug(0, first, [], cards == 2)
        if cards == 2 { try plug(1, second, [], true) }
        return []
    }
}

/// This machine has no such TAP device to give, and why.
public struct CannotRun: Error, CustomStringConvertible {
    public let description: String
}

/// Opens a TAP device; `CannotRun` where the machine or its rights are to blame and not the name.
func openTAP(_ end: TAPEnd) throws -> TAPDevice {
    do {
        return try TAPDevice(end.name, takesTrains: end.takesTrains)
    } catch {
        switch error {
        case .noDriver, .notPermitted: throw CannotRun(description: "\(error)")
        case .notAName, .busy, .notATAP, .failed: throw error
        }
    }
}
