// two-drivers: frames per second from one igc driver through two virtual I225s to another, on two threads, against
// DPDK's vhost-user and memif pairs on the same two CPUs. Every round measures all three, one after the other.
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
            var ours = Samples()
            var peers: [Peer: Samples] = [:]
            for _ in 0..<rounds {
                ours.add(Run.framesPerSecond(bytes: bytes, seconds: 1, cpus: cpus))
                for peer in Peer.allCases {
                    peers[peer, default: Samples()].add(peer.framesPerSecond(bytes: bytes, seconds: 1, cpus: cpus))
                }
            }
            print("\(bytes) bytes: doorbell \(decimal(ours.median / 1e6))")
            for peer in Peer.allCases {
                let theirs = peers[peer, default: Samples()]
                let ratio = Samples.ratios(ours, to: theirs).median
                print(
                    "\(bytes) bytes: \(peer.rawValue) \(decimal(theirs.median / 1e6)), ratio \(decimal(ratio)):",
                    thresholds.judge("\(peer.rawValue).\(bytes)", ratio)
                )
            }
        }
        thresholds.finish()
    }
}
