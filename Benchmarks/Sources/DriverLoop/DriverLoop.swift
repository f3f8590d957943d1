// driver-loop: the igc driver's Tx and Rx loop against the same loop in C, on the same ring, round by round in turns.
//
//   driver-loop                       times both, prints ns per packet and the ratio, judges it; exit 1 if missed
//   driver-loop swift transmit 100    runs one round of 100 laps of one of them and prints its packets, for callgrind

import Measure

@main
enum DriverLoop {
    static let rounds = 15

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.isEmpty else { return runOne(Array(arguments)) }
        let shape = LoopShape()
        let shared = SharedRing(count: shape.entries)
        var thresholds = Thresholds("driver-loop")
        print("bursts of 32, \(shape.frameBytes)-byte frames, \(shape.entries) descriptors, \(rounds) rounds")
        for direction in Direction.allCases {
            let (swift, c) = measure(direction, shape, shared)
            let ratio = Samples.ratios(swift, to: c).median
            print(
                "\(direction.rawValue): Swift \(decimal(swift.median)) ns/packet, C \(decimal(c.median)) ns/packet,",
                "ratio \(decimal(ratio, 3)):",
                thresholds.judge("\(direction.rawValue).time", ratio)
            )
        }
        thresholds.finish()
    }

    /// Both languages in turns, the first of a pair changing; one round each before it counts.
    private static func measure(
        _ direction: Direction,
        _ shape: LoopShape,
        _ shared: borrowing SharedRing
    ) -> (swift: Samples, c: Samples) {
        var samples: [Language: Samples] = [.swift: Samples(), .c: Samples()]
        for round in 0...rounds {
            var results: [Language: RoundResult] = [:]
            for language in round % 2 == 0 ? [Language.swift, .c] : [.c, .swift] {
                let result = runRound(language, direction, shape, shared)
                results[language] = result
                if round > 0 { samples[language, default: Samples()].add(result.nanosecondsPerPacket) }
            }
            checkEqualWork(direction, results[.swift], results[.c])
        }
        return (samples[.swift, default: Samples()], samples[.c, default: Samples()])
    }

    /// The device saw the same words in the same order from both, all of them right.
    private static func checkEqualWork(_ direction: Direction, _ swift: RoundResult?, _ c: RoundResult?) {
        guard let swift, let c else { fail("\(direction.rawValue): a round is missing") }
        guard swift.work == c.work, swift.work.volume > 0 else {
            fail("\(direction.rawValue): not the same work: Swift \(swift.work), C \(c.work)")
        }
        guard c.work.errors == 0 else { fail("\(direction.rawValue): the device found wrong descriptors") }
    }

    private static func runOne(_ arguments: [String]) {
        guard arguments.count == 3, let language = Language(rawValue: arguments[0]),
            let direction = Direction(rawValue: arguments[1]), let laps = Int(arguments[2]), laps > 0
        else { fail("usage: driver-loop [swift|c transmit|receive LAPS]") }
        var shape = LoopShape()
        shape.laps = laps
        let shared = SharedRing(count: shape.entries)
        let result = runRound(language, direction, shape, shared)
        guard result.work.errors == 0 else { fail("the device found wrong descriptors") }
        print(Int(shape.packets))
    }
}
