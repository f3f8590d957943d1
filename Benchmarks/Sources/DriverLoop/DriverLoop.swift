// driver-loop: every driver's Tx and Rx loop against the same loop in C, on the same rings, round by round in turns.
//
//   driver-loop                            times both, prints ns per packet and the ratio, judges it; exit 1 if missed
//   driver-loop mana swift transmit 100    runs one round of 100 laps of one of them and prints its packets, for callgrind

import Measure

@main
enum DriverLoop {
    static let rounds = 15

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.isEmpty else { return runOne(Array(arguments)) }
        let shape = LoopShape()
        var thresholds = Thresholds("driver-loop")
        print("bursts of 32, \(shape.frameBytes)-byte frames, \(rounds) rounds")
        for card in Card.allCases {
            withRounds(card, shape) { round in
                for direction in Direction.allCases {
                    let name = "\(card.rawValue).\(direction.rawValue)"
                    let (swift, c) = measure(name) { round($0, direction) }
                    let ratio = Samples.ratios(swift, to: c).median
                    print(
                        "\(name): Swift \(decimal(swift.median)) ns/packet, C \(decimal(c.median)) ns/packet,",
                        "ratio \(decimal(ratio, 3)):",
                        thresholds.judge("\(name).time", ratio)
                    )
                }
            }
        }
        thresholds.finish()
    }

    /// Gives `body` what runs a round of a card's loop, on memory that is the same for all of them.
    private static func withRounds(
        _ card: Card,
        _ shape: LoopShape,
        _ body: ((Language, Direction) -> RoundResult) -> Void
    ) {
        switch card {
        case .i225:
            let shared = SharedRing(count: i225RingEntries)
            body { runI225Round($0, $1, shape, shared) }
        case .mana:
            let shared = SharedMANARings(units: manaRingUnits)
            body { runMANARound($0, $1, shape, shared) }
        }
    }

    /// Both languages in turns, the first of a pair changing; one round each before it counts.
    private static func measure(
        _ name: String,
        _ run: (Language) -> RoundResult
    ) -> (swift: Samples, c: Samples) {
        var samples: [Language: Samples] = [.swift: Samples(), .c: Samples()]
        for round in 0...rounds {
            var results: [Language: RoundResult] = [:]
            for language in round % 2 == 0 ? [Language.swift, .c] : [.c, .swift] {
                let result = run(language)
                results[language] = result
                if round > 0 { samples[language, default: Samples()].add(result.nanosecondsPerPacket) }
            }
            checkEqualWork(name, results[.swift], results[.c])
        }
        return (samples[.swift, default: Samples()], samples[.c, default: Samples()])
    }

    /// The device saw the same words in the same order from both, all of them right.
    private static func checkEqualWork(_ name: String, _ swift: RoundResult?, _ c: RoundResult?) {
        guard let swift, let c else { fail("\(name): a round is missing") }
        guard swift.work == c.work, swift.work.volume > 0 else {
            fail("\(name): not the same work: Swift \(swift.work), C \(c.work)")
        }
        guard c.work.errors == 0 else { fail("\(name): the device found wrong entries") }
    }

    private static func runOne(_ arguments: [String]) {
        guard arguments.count == 4, let card = Card(rawValue: arguments[0]),
            let language = Language(rawValue: arguments[1]), let direction = Direction(rawValue: arguments[2]),
            let laps = Int(arguments[3]), laps > 0
        else { fail("usage: driver-loop [i225|mana swift|c transmit|receive LAPS]") }
        var shape = LoopShape()
        shape.laps = laps
        withRounds(card, shape) { round in
            let result = round(language, direction)
            guard result.work.errors == 0 else { fail("the device found wrong entries") }
        }
        print(Int(shape.packets))
    }
}
