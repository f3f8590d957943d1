// mana-loop: the MANA driver's Tx and Rx loop against the same loop in C, on the same rings, round by round in turns.
//
//   mana-loop                         times both, prints ns per packet and the ratio, judges it; exit 1 if missed
//   mana-loop swift transmit 100      runs one round of 100 laps of one of them and prints its packets, for callgrind

import Measure

@main
enum MANALoop {
    static let rounds = 15

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.isEmpty else { return runOne(Array(arguments)) }
        let shape = LoopShape()
        let shared = SharedRings(shape)
        var thresholds = Thresholds("mana-loop")
        print("bursts of 32, \(shape.frameBytes)-byte frames, \(shape.units) units, \(rounds) rounds")
        for direction in Direction.allCases {
            let (swift, c) = compareLanguages(direction, rounds: rounds) { runRound($0, direction, shared) }
            let ratio = Samples.ratios(swift, to: c).median
            print(
                "\(direction.rawValue): Swift \(decimal(swift.median)) ns/packet, C \(decimal(c.median)) ns/packet,",
                "ratio \(decimal(ratio, 3)):",
                thresholds.judge("\(direction.rawValue).time", ratio)
            )
        }
        thresholds.finish()
    }

    private static func runOne(_ arguments: [String]) {
        let (language, direction, laps) = singleRound("mana-loop", arguments)
        var shape = LoopShape()
        shape.laps = laps
        let shared = SharedRings(shape)
        let result = runRound(language, direction, shared)
        guard result.work.errors == 0 else { fail("the device found wrong requests") }
        print(Int(shape.packets))
    }
}
