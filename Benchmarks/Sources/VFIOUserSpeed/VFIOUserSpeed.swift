// vfio-user: region accesses through our server, and through our client and our server, against the transport's floor:
// messages of the same sizes between two C programs' loops over the same kind of socket. Two CPUs, one for each end, and
// both ends spin. A round of each in turns, many short ones, so that a machine that changes its pace does it to all.
//
//   vfio-user                       measures, prints the ratios, judges them; 77 where there are not two CPUs
//   vfio-user read read-4k          measures and prints these operations, judges nothing
//   vfio-user server read 100000    runs one side and one operation so often and prints nanoseconds, for profilers

import Foundation
import Measure

@main
enum VFIOUserSpeed {
    static let rounds = 101

    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard let cpus = lastTwoCPUs(), pinThread(to: cpus.0) else { skip("needs two CPUs") }
        runInRealTime()
        let sides = try Sides(cpu: cpus.1)
        let chosen = arguments.compactMap { Operation(rawValue: $0) }
        guard chosen.count == arguments.count else { return runOne(arguments, sides) }
        print("client on CPU \(cpus.0), server on CPU \(cpus.1), medians of \(rounds) rounds")
        var thresholds = Thresholds("vfio-user")
        for operation in arguments.isEmpty ? Operation.allCases : chosen {
            let samples = measure(operation, sides)
            for side in Side.allCases {
                guard let own = samples[side], let floor = samples[.floor] else { continue }
                report(side, operation, own, floor, &thresholds)
            }
        }
        if arguments.isEmpty { thresholds.finish() }
    }

    /// All sides in turns, the first of a round changing; one round each before it counts.
    private static func measure(_ operation: Operation, _ sides: Sides) -> [Side: Samples] {
        let able = Side.allCases.filter { $0.can(operation) }
        var samples: [Side: Samples] = [:]
        for round in 0...rounds {
            for turn in able.indices {
                let side = able[(turn + round) % able.count]
                let nanoseconds = sides.round(side, operation, operation.messagesPerRound)
                if round > 0 { samples[side, default: Samples()].add(nanoseconds) }
            }
        }
        return samples
    }

    private static func report(
        _ side: Side,
        _ operation: Operation,
        _ own: Samples,
        _ floor: Samples,
        _ thresholds: inout Thresholds
    ) {
        var line = "\(operation.rawValue), \(side.title): \(decimal(own.median, 0)) ns,"
        line += " \(decimal(1e6 / own.median, 1)) thousand \(operation.unit)"
        if side != .floor {
            let ratio = Samples.ratios(own, to: floor).median
            line += ", ratio \(decimal(ratio, 3)): "
            line += thresholds.judge("\(side.rawValue).\(operation.rawValue)", ratio)
        }
        print(line)
    }

    private static let usage = "usage: vfio-user [OPERATION... | floor|server|both|one-thread OPERATION COUNT]"

    private static func runOne(_ arguments: [String], _ sides: Sides) {
        guard arguments.count == 3, let operation = Operation(rawValue: arguments[1]),
            let count = Int(arguments[2]), count > 0
        else { fail(usage) }
        guard arguments[0] != "one-thread" else { return sides.runOnOneThread(operation, count) }
        guard let side = Side(rawValue: arguments[0]), side.can(operation) else { fail(usage) }
        let nanoseconds = sides.round(side, operation, count)
        print(decimal(nanoseconds, 1))
    }
}
