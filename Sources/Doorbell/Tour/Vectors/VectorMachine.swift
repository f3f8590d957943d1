// Over which CPUs a story's vectors are spread: this machine's, or some that are made up, so that everybody sees the same.

import Interrupts

/// A machine for vectors to land on.
public struct VectorMachine: Sendable {
    /// How people call it.
    public let name: String
    let topology: Topology
    /// The card's NUMA node; nil: it does not say.
    let node: Int?

    /// Two sockets of four cores of two threads, the card at the second: 17 vectors are one more than its CPUs.
    public static var sixteenCPUs: VectorMachine {
        let nodes = (0..<2).map { node in
            (0..<4).map { core in CPUSet([8 * node + 2 * core, 8 * node + 2 * core + 1]) }
        }
        return VectorMachine(name: "2 sockets × 4 cores × 2 threads", topology: Topology(nodes), node: 1)
    }

    /// The machine that this runs on.
    public static func here() throws -> VectorMachine {
        VectorMachine(name: "this machine", topology: try Topology.read(), node: nil)
    }
}
