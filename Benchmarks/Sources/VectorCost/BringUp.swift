// The vectors' part of a bring-up: one, and the rest when the device has said how many; against a full table at once.

import Backing
import Interrupts
import Leases
import Measure

enum BringUp {
    /// The command channel's, and one for each of 64 queues.
    private static let tableCount = 65
    private static let offers = [2, 5, 9, 17]

    static func measure(_ thresholds: inout Thresholds) {
        for offer in offers {
            var (dynamic, fixed) = (Samples(), Samples())
            var idle = (dynamic: 0, fixed: 0)
            for round in 0...VectorCost.rounds {
                let first = run(offer: offer, takesAllFirst: round % 2 == 0)
                let second = run(offer: offer, takesAllFirst: round % 2 != 0)
                let (late, early) = round % 2 == 0 ? (second, first) : (first, second)
                guard round > 0 else { continue }
                dynamic.add(late.nanoseconds)
                fixed.add(early.nanoseconds)
                idle = (max(idle.dynamic, late.idle), max(idle.fixed, early.idle))
            }
            let ratio = Samples.ratios(dynamic, to: fixed).median
            print(
                "bring-up, offer of \(offer) of \(tableCount) vectors: on demand \(decimal(dynamic.median / 1000)) µs,",
                "all at once \(decimal(fixed.median / 1000)) µs, ratio \(decimal(ratio, 3)):",
                thresholds.judge("bring-up.\(offer)", ratio)
            )
            print(
                "  held idle: on demand \(idle.dynamic), all at once \(idle.fixed):",
                thresholds.judge("idle.\(offer)", Double(idle.dynamic))
            )
        }
    }

    /// - Returns: the time, and vectors that are held and of no use.
    private static func run(offer: Int, takesAllFirst: Bool) -> (nanoseconds: Double, idle: Int) {
        let card = VectorCard(vectorCount: tableCount)
        let backing = InProcess(card, name: "vectors", census: Census())
        let vectors = InterruptVectors(backing)
        var held = HeldVectors()
        let start = monotonicNanoseconds()
        let first = takesAllFirst ? vectors.tableCount : vectors.firstCount(atMost: vectors.tableCount)
        let early = vectors.fill(&held, upTo: first, name: name)
        // Here the command channel asks the device.
        let budget = VectorBudget(tableCount: vectors.tableCount, offered: offer, onlineCPUs: 64, queues: 64)
        let late = vectors.fill(&held, upTo: budget.usable, name: name)
        let nanoseconds = Double(monotonicNanoseconds() - start)
        guard early == nil, late == nil, held.count >= budget.usable else { fail("a vector was refused") }
        return (nanoseconds, vectors.takenCount - budget.usable)
    }

    private static func name(_ index: Int) -> String {
        index == 0 ? "mana_hwc@pci:0000:00:02.0" : "mana_q\(index - 1)@pci:0000:00:02.0"
    }
}
