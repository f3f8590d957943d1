// two-drivers: frames per second from one igc driver through two virtual I225s to another, on two threads, against
// DPDK's vhost-user and memif pairs on the same two CPUs. A peer is measured between two runs of ours.
//
//   two-drivers                  measures, prints the ratios, judges them; 77 where the peers cannot run
//   two-drivers 64 1000000       passes a million 64-byte frames on one thread, for profilers

import Measure

@main
enum TwoDrivers {
    static let rounds = 5

    static func main() throws {
        let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        if numbers.count == 2 {
            return try Run.onOneThread(bytes: numbers[0], frames: UInt64(numbers[1]))
        }
        guard CommandLine.arguments.count == 1 else { fail("usage: two-drivers [BYTES FRAMES]") }
        raisePriority()
        guard let cpus = lastTwoCPUs() else { skip("needs two CPUs") }
        var thresholds = Thresholds("two-drivers")
        print("two drivers on CPUs \(cpus.0) and \(cpus.1), medians of \(rounds) rounds, in million frames per second")
        for bytes in [64, 1518] {
            for peer in Peer.allCases {
                let (ours, theirs) = measure(peer, bytes: bytes, cpus: cpus)
                let ratio = Samples.ratios(ours, to: theirs).median
                print(
                    "\(bytes) bytes: doorbell \(decimal(ours.median / 1e6)), \(peer.rawValue)",
                    "\(decimal(theirs.median / 1e6)), ratio \(decimal(ratio)):",
                    thresholds.judge("\(peer.rawValue).\(bytes)", ratio)
                )
            }
        }
        thresholds.finish()
    }

    /// Ours before and after the peer in every round, so that a machine that changes its pace changes it for both.
    private static func measure(_ peer: Peer, bytes: Int, cpus: (Int, Int)) -> (ours: Samples, theirs: Samples) {
        var ours = Samples()
        var theirs = Samples()
        for _ in 0..<rounds {
            let before = Run.framesPerSecond(bytes: bytes, seconds: 0.7, cpus: cpus)
            theirs.add(peer.framesPerSecond(bytes: bytes, seconds: 1, cpus: cpus))
            let after = Run.framesPerSecond(bytes: bytes, seconds: 0.7, cpus: cpus)
            ours.add((before + after) / 2)
        }
        return (ours, theirs)
    }
}
