// mixed-stamping: what requests for Tx stamps cost the frames that make none. Frames per second of one queue at one
// stamped to ten plain and one to one, as a multiple of plain frames only, with stamps that come 0, 10 and 100 µs after
// the frame. The card runs on one CPU, program and driver on another.

//
//   mixed-stamping             measures, prints the ratios, judges them
//   mixed-stamping 1:1 10      one run of a mix at one stamp delay, for profilers

import Measure

@main
enum MixedStamping {
    static let rounds = 31
    static let secondsPerRun = 0.05

    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        raisePriority()
        guard let cpus = lastTwoCPUs(), pinThread(to: cpus.1) else { skip("needs two CPUs") }
        if let mix = arguments.first.flatMap(Mix.init), let delay = arguments.last.flatMap(UInt64.init) {
            var rig = try Rig(stampDelayNanoseconds: delay * 1000, modelCPU: cpus.0)
            var flood = Flood()
            return print(flood.run(mix, &rig, seconds: 1))
        }
        guard arguments.isEmpty else { fail("usage: mixed-stamping [plain|1:10|1:1 DELAY]") }
        var thresholds = Thresholds("mixed-stamping")
        print("64-byte frames, medians of \(rounds) rounds; a frame that finds no stamp register goes without a stamp")
        for delay in [0, 10, 100] {
            var rig = try Rig(stampDelayNanoseconds: UInt64(delay) * 1000, modelCPU: cpus.0)
            var flood = Flood()
            var rates: [Mix: Samples] = [:]
            var stamps: [Mix: Samples] = [:]
            for round in 0...rounds {
                for mix in Mix.allCases {
                    let result = flood.run(mix, &rig, seconds: secondsPerRun)
                    // The first round warms up.
                    if round == 0 { continue }
                    rates[mix, default: Samples()].add(result.framesPerSecond)
                    stamps[mix, default: Samples()].add(result.stampsPerSecond)
                }
            }
            let plain = rates[.plain, default: Samples()]
            print("stamp delay \(delay) µs: plain \(decimal(plain.median / 1e6)) million frames/s")
            for mix in [Mix.oneToTen, .oneToOne] {
                let mixed = rates[mix, default: Samples()]
                let ratio = Samples.ratios(mixed, to: plain).median
                print(
                    "stamp delay \(delay) µs: \(mix.rawValue) \(decimal(mixed.median / 1e6)) million frames/s,",
                    "\(decimal(stamps[mix, default: Samples()].median / 1e3, 0)) thousand stamped/s,",
                    "ratio \(decimal(ratio, 3)):",
                    thresholds.judge("\(mix.rawValue).\(delay)", ratio)
                )
            }
        }
        thresholds.finish()
    }
}
