// Which CPUs a machine has, which share a core, and how far they are from a device: the picture that vectors are spread
// over. The order of hops is that of Linux's sched_numa_hop_mask (kernel/sched/topology.c).

/// The CPUs of a machine, as a value: read from sysfs (`read`), or made up.
public struct Topology: Equatable, Sendable {
    /// A NUMA node.
    public struct Node: Equatable, Sendable {
        public let number: Int
        /// Those that are online.
        public let cpus: CPUSet
        /// To each node, this one too, by number; the firmware's unit is 10 for here.
        public let distances: [Int: Int]

        public init(_ number: Int, cpus: CPUSet, distances: [Int: Int]) {
            self.number = number
            self.cpus = cpus
            self.distances = distances
        }
    }

    /// In the order of their numbers.
    public let nodes: [Node]
    /// The CPUs that are online.
    public let online: CPUSet
    /// By CPU: those that share its core.
    private let siblings: [Int: CPUSet]

    /// - Parameters:
    ///   - siblingGroups: CPUs that share a core. A CPU that is in none is alone; CPUs that are not online are left out.
    ///   - nodes: none where the machine does not say.
    public init(online: CPUSet, siblingGroups: [CPUSet], nodes: [Node]) {
        self.online = online
        self.nodes = nodes.map { Node($0.number, cpus: $0.cpus.intersection(online), distances: $0.distances) }
            .sorted { $0.number < $1.number }
        var siblings: [Int: CPUSet] = [:]
        for group in siblingGroups.map({ $0.intersection(online) }) {
            for cpu in group.numbers { siblings[cpu] = group }
        }
        self.siblings = siblings
    }

    /// A machine of nodes of sibling groups of CPUs. Without distances, every node is as far from each other.
    ///
    /// - Parameter distances: a row per node.
    public init(_ nodes: [[CPUSet]], distances: [[Int]]? = nil) {
        let groups = nodes.flatMap { $0 }
        self.init(
            online: groups.reduce(CPUSet()) { $0.union($1) },
            siblingGroups: groups,
            nodes: nodes.indices.map { number in
                Node(
                    number,
                    cpus: nodes[number].reduce(CPUSet()) { $0.union($1) },
                    distances: Dictionary(
                        uniqueKeysWithValues: nodes.indices.map { other in
                            (other, distances?[number][other] ?? (number == other ? 10 : 20))
                        }
                    )
                )
            }
        )
    }

    /// The CPUs that share a core with `cpu`, itself too.
    public func siblingGroup(of cpu: Int) -> CPUSet { siblings[cpu] ?? [cpu] }

    /// The CPUs by distance from a node, those of equal distance together, nearest first.
    ///
    /// - Parameter node: nil: the device does not say where it is, and all CPUs are as near. A node without CPUs, or one
    ///   that there is not, is near nothing: no hops.
    public func hops(from node: Int?) -> [CPUSet] {
        guard let node else { return online.isEmpty ? [] : [online] }
        guard let place = nodes.first(where: { $0.number == node }), !place.cpus.isEmpty else { return [] }
        return byDistance(from: place).map { $0.reduce(CPUSet()) { $0.union($1.cpus) } }
    }

    /// The first CPU of the nearest node that has one (cpumask_local_spread with 0); nil if none is online.
    public func nearestCPU(to node: Int?) -> Int? {
        guard let node, let place = nodes.first(where: { $0.number == node }) else { return online.first }
        if let own = place.cpus.first { return own }
        // As numa_nearest_node: of equally near ones, the first.
        return byDistance(from: place).first?.first?.cpus.first ?? online.first
    }

    /// The nodes that have CPUs, those of equal distance together, nearest first.
    private func byDistance(from node: Node) -> [[Node]] {
        let populated = nodes.filter { !$0.cpus.isEmpty && node.distances[$0.number] != nil }
        let distances = Set(populated.compactMap { node.distances[$0.number] }).sorted()
        return distances.map { distance in populated.filter { node.distances[$0.number] == distance } }
    }
}
