// A driver on a real model, on one thread and virtual time, with the far end of the wire in the test's hands.

import Backing
import Clock
import Ethernet
import Interrupts
import Leases
import MANADriver
import MANAModel
import MANAWire
import Memory
import TestCards
import Testing

typealias Card = PolledBacking<PlacedCard<MANAModel>>

extension Trait where Self == OverEveryBacking {
    static var overEveryBacking: Self { OverEveryBacking() }
}

/// A virtual MANA, its wire, its clock, and the count of what is on loan.
final class Rig {
    let clock = VirtualClock(startNanoseconds: 1_000_000_000)
    let census = Census()
    let model: MANAModel
    let card: PlacedCard<MANAModel>
    let hooks = CardHooks()
    let backing: Card
    var farEnd: WirePort

    /// 1 x 4 x 2: eight CPUs.
    static let eightCPUs = Topology([[[0, 1], [2, 3], [4, 5], [6, 7]]])

    init(_ options: MANAOptions = MANAOptions()) {
        let pair = WirePair()
        model = MANAModel(options: options, port: pair.first, clock: .virtual(clock))
        do {
            card = try PlacedCard(model, name: "test:mana", census: census)
        } catch {
            preconditionFailure("no way to the card: \(error)")
        }
        backing = PolledBacking(base: card, hooks: hooks)
        farEnd = pair.second
        let model = self.model
        let card = self.card
        hooks.beforeLoad = {
            _ = card.carryMemory()
            _ = model.poll()
        }
    }

    /// A card with the default options, changed.
    convenience init(_ change: (inout MANAOptions) -> Void) {
        var options = MANAOptions()
        change(&options)
        self.init(options)
    }

    /// A card whose answer to a request goes wrong.
    convenience init(_ fault: RequestFault) {
        self.init { $0.faults.requests = [fault] }
    }

    func open(
        _ configuration: MANAConfiguration = MANAConfiguration(),
        topology: Topology = Rig.eightCPUs
    ) throws -> MANADevice<Card> {
        try open(on: backing, configuration, topology: topology)
    }

    func open<Backing: PCIeBacking>(
        on backing: Backing,
        _ configuration: MANAConfiguration = MANAConfiguration(),
        topology: Topology = Rig.eightCPUs
    ) throws -> MANADevice<Backing> {
        try MANADevice(backing, configuration, topology: topology, clock: .virtual(clock), census: census)
    }

    /// Lets the model do everything that is due now.
    func settle() {
        repeat { while model.poll() {} } while card.carryMemory()
    }

    /// All frames that have arrived at the far end.
    func arrivals() -> [[UInt8]] {
        var frames: [[UInt8]] = []
        while let frame = farEnd.receive.receive() { frames.append(frame) }
        return frames
    }

    /// Sends a frame from the far end.
    func send(_ frame: [UInt8]) -> Bool {
        // SAFETY: bytes have no padding.
        unsafe farEnd.transmit.send(frame.span.bytes, wireTime: clock.now)
    }

    /// The driver and the card have nothing of each other any more.
    var isClean: Bool {
        settle()
        return hasNothingOut && model.holdings == MANAHoldings()
    }

    /// The driver has nothing on loan. A client's connection is the backing's, and lives as long.
    var hasNothingOut: Bool { census.outstanding.allSatisfy { $0.key == "connection" || $0.value == 0 } }
}

let stationBytes: [UInt8] = [0x02, 0x15, 0x5D, 0x00, 0xBA, 0x00]

/// A frame of `length` bytes for the card's station, whose payload says `number`.
func testFrame(_ number: UInt8, length: Int = 60, to station: [UInt8] = stationBytes) -> [UInt8] {
    var frame = station + [0x02, 0, 0, 0, 0, 1, 0x88, 0xB5]
    frame += (frame.count..<length).map { UInt8(truncatingIfNeeded: $0) ^ number }
    return frame
}
