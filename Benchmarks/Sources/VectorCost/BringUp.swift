// The bring-up of a MANA by our driver, on demand (one vector, the command channel, then as many as the card grants) and with
// all vectors first, as a backing that cannot add any has it.

import Backing
import Clock
import Ethernet
import Interrupts
import Leases
import MANADriver
import MANAModel
import Measure

enum BringUp {
    /// The command channel's, and one for each of 64 queues.
    private static let tableCount = 65
    private static let offers = [2, 5, 9, 17, 33, 65]
    /// The offers that the driver is held to; the others are shown.
    private static let judged = [2, 5, 9, 17]
    private static let topology = Topology([(0..<32).map { CPUSet([2 * $0, 2 * $0 + 1]) }])

    static func measure(_ thresholds: inout Thresholds) {
        for offer in offers {
            var (dynamic, fixed) = (Samples(), Samples())
            var idle = (dynamic: 0, fixed: 0)
            for round in 0...2 * VectorCost.rounds {
                let first = run(offer: offer, canAddVectors: round % 2 == 0)
                let second = run(offer: offer, canAddVectors: round % 2 != 0)
                guard round > 0 else { continue }
                let (late, early) = round % 2 == 0 ? (first, second) : (second, first)
                dynamic.add(late.nanoseconds)
                fixed.add(early.nanoseconds)
                idle = (max(idle.dynamic, late.idle), max(idle.fixed, early.idle))
            }
            let ratio = Samples.ratios(dynamic, to: fixed).median
            print(
                "bring-up, \(offer) of \(tableCount) vectors granted: on demand \(decimal(dynamic.median / 1000)) µs,",
                "all first \(decimal(fixed.median / 1000)) µs, ratio \(decimal(ratio, 3)):",
                judged.contains(offer) ? thresholds.judge("bring-up.\(offer)", ratio) : "not judged"
            )
            print(
                "  held idle while the card is asked: on demand \(idle.dynamic), all first \(idle.fixed):",
                judged.contains(offer) ? thresholds.judge("idle.\(offer)", Double(idle.dynamic)) : "not judged"
            )
        }
    }

    /// - Returns: the time, and vectors that were taken and of no use.
    private static func run(offer: Int, canAddVectors: Bool) -> (nanoseconds: Double, idle: Int) {
        var options = MANAOptions()
        options.limits.tableVectors = tableCount
        options.limits.vectors = UInt32(offer)
        let census = Census()
        let model = MANAModel(options: options, port: .loopback(), clock: .monotonic)
        let backing = TurnBacking(
            base: InProcess(model, name: "vectors", census: census),
            canAddVectors: canAddVectors
        )
        let start = monotonicNanoseconds()
        do {
            let device = try MANADevice(
                backing,
                MANAConfiguration(),
                topology: topology,
                clock: .monotonic,
                census: census
            )
            let nanoseconds = Double(monotonicNanoseconds() - start)
            let story = device.vectorStory
            guard story.taken == offer, device.vectorStatuses.count == offer else {
                fail("\(story.taken) of \(offer) vectors were taken")
            }
            return (nanoseconds, max(0, story.takenBefore - story.taken))
        } catch {
            fail("bring-up with an offer of \(offer): \(error)")
        }
    }
}
