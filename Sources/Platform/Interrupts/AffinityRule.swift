// Which CPUs handle which vector: the rules of Linux's mana driver (gdma_main.c), old and new, over a topology.
//
//   irq_setup         numaAware
//   irq_setup_linear  oneEach
//
// "Group" is a sibling group: the CPUs that share a core. Vector 0 is the command channel's.

/// How vectors are placed that are taken together or one after the other.
public enum AffinityRule: String, CaseIterable, Sendable {
    /// All at once (to 6.16): more vectors than CPUs, and vector 0 has the nearest CPU alone, outside of the spread; else
    /// it is part of it.
    case allAtOnce
    /// Vector 0 first, the others once it is known how many there are (6.17). Vector 0 has the nearest group, always; the
    /// others begin behind it if there are CPUs for all, and with the same group if there are not.
    case oneThenRest
    /// As `oneThenRest`; but where there are more vectors than CPUs, each of the others has a CPU alone, whatever its node.
    /// Spread by groups, the two vectors of a core would share its CPUs: half the throughput of a small guest.
    case oneThenOneEach

    /// Where vectors `0..<count` go, if `count` is all there will be; nil: anywhere.
    public func spread(_ count: Int, over topology: Topology, near node: Int?) -> [CPUSet?] {
        guard count > 0 else { return [] }
        let exceeds = count > topology.online.count
        switch self {
        case .allAtOnce:
            guard exceeds else { return topology.numaAware(count, near: node, skipsFirstGroup: false) }
            return [topology.nearestCPU(to: node).map { [$0] }]
                + topology.numaAware(count - 1, near: node, skipsFirstGroup: false)
        case .oneThenRest, .oneThenOneEach:
            let first = topology.numaAware(1, near: node, skipsFirstGroup: false)
            if self == .oneThenOneEach, exceeds { return first + topology.oneEach(count - 1) }
            return first + topology.numaAware(count - 1, near: node, skipsFirstGroup: !exceeds)
        }
    }
}

extension Topology {
    /// Sibling groups for `count` vectors, near before far. A hop takes as many vectors as it has CPUs, in rounds over its
    /// groups, so that no group has a second vector before each has a first. (Where groups are unequal, the round that
    /// begins before the hop is full is completed.)
    ///
    /// - Parameter skipsFirstGroup: the first group has a vector already, placed before.
    /// - Returns: a group per vector; nil for those that are left when every hop is full.
    public func numaAware(_ count: Int, near node: Int?, skipsFirstGroup: Bool) -> [CPUSet?] {
        var placed: [CPUSet?] = []
        var isSkipping = skipsFirstGroup
        for hop in hops(from: node) {
            let groups = siblingGroups(of: hop)
            var room = hop.count
            while room > 0 {
                for group in groups {
                    room -= 1
                    // Before the count is looked at: a skipped group costs no vector its place.
                    if isSkipping {
                        isSkipping = false
                        continue
                    }
                    guard placed.count < count else { return placed }
                    placed.append(group)
                }
            }
        }
        return placed + [CPUSet?](repeating: nil, count: max(0, count - placed.count))
    }

    /// One CPU each, in the order of their numbers, whatever their node; nil for vectors beyond the CPUs.
    public func oneEach(_ count: Int) -> [CPUSet?] {
        let cpus = online.numbers
        return (0..<max(0, count)).map { $0 < cpus.count ? [cpus[$0]] : nil }
    }

    /// The sibling groups of a hop, by their first CPUs in it. A group may reach beyond the hop: it is still one.
    private func siblingGroups(of hop: CPUSet) -> [CPUSet] {
        var rest = hop
        var groups: [CPUSet] = []
        while let cpu = rest.first {
            let group = siblingGroup(of: cpu)
            groups.append(group)
            rest = rest.subtracting(group)
        }
        return groups
    }
}
