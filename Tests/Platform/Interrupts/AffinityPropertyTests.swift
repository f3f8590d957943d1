// What holds for every topology: thousands of machines, made up from a seed.

import Interrupts
import Simulation
import Testing

/// A machine of up to seven nodes, some without CPUs, cores of one to four threads, numbered in any order.
private struct MadeUpMachine {
    let groups: [[CPUSet]]
    let distances: [[Int]]
    let node: Int?

    var topology: Topology { Topology(groups, distances: distances) }

    init(_ random: inout SeededRandom) {
        let nodeCount = Int.random(in: 1...7, using: &random)
        let threads = Int.random(in: 1...4, using: &random)
        let isUnequal = random.below(4) == 0
        var sizes: [[Int]] = (0..<nodeCount).map { _ in
            let cores = random.below(5) == 0 ? 0 : Int.random(in: 1...6, using: &random)
            return (0..<cores).map { _ in isUnequal ? Int.random(in: 1...4, using: &random) : threads }
        }
        if sizes.allSatisfy(\.isEmpty) { sizes[0] = [threads] }
        var cpus = Array(0..<sizes.joined().reduce(0, +))
        if Bool.random(using: &random) { cpus.shuffle(using: &random) }
        groups = sizes.map { cores in
            cores.map { size in
                defer { cpus.removeFirst(size) }
                return CPUSet(cpus.prefix(size))
            }
        }
        var distances = [[Int]](repeating: [Int](repeating: 10, count: nodeCount), count: nodeCount)
        for one in 0..<nodeCount {
            for other in 0..<one {
                let distance = [12, 20, 21, 32].randomElement(using: &random) ?? 20
                distances[one][other] = distance
                distances[other][one] = distance
            }
        }
        self.distances = distances
        node = random.below(5) == 0 ? nil : random.below(nodeCount)
    }
}

@Suite struct AffinityPropertyTests {
    private static let machineCount = 600

    private static func forEveryMachine(_ body: (MadeUpMachine, inout SeededRandom) throws -> Void) rethrows {
        for seed in 0..<UInt64(machineCount) {
            var random = SeededRandom(seed: seed)
            try body(MadeUpMachine(&random), &random)
        }
    }

    /// Within a hop no sibling group gets its second vector before each has its first, nor its third before each has its
    /// second; no hop begins before the one before it is full.
    @Test func vectorsGoRoundTheGroupsOfAHop() {
        Self.forEveryMachine { machine, random in
            let topology = machine.topology
            let skips = Bool.random(using: &random)
            let spread = topology.numaAware(topology.online.count * 2, near: machine.node, skipsFirstGroup: skips)
            let hops = topology.hops(from: machine.node)
            var counts: [CPUSet: Int] = [:]
            if skips, let first = hops.first?.first { counts[topology.siblingGroup(of: first)] = 1 }
            var hop = 0
            var isOver = false
            for place in spread {
                guard let place else {
                    isOver = true
                    continue
                }
                #expect(!isOver, "a place after one that had none")
                while hop < hops.count, place.intersection(hops[hop]).isEmpty {
                    let taken = Self.groups(of: hops[hop], topology).map { counts[$0, default: 0] }.reduce(0, +)
                    #expect(taken >= hops[hop].count, "the hop had room")
                    hop += 1
                }
                guard hop < hops.count else {
                    Issue.record("\(place) is in no hop behind the last")
                    return
                }
                counts[place, default: 0] += 1
                let groups = Self.groups(of: hops[hop], topology)
                #expect(groups.contains(place))
                let rounds = groups.map { counts[$0, default: 0] }
                #expect((rounds.max() ?? 0) - (rounds.min() ?? 0) <= 1, "\(rounds)")
            }
        }
    }

    private static func groups(of hop: CPUSet, _ topology: Topology) -> Set<CPUSet> {
        Set(hop.numbers.map { topology.siblingGroup(of: $0) })
    }

    /// More vectors are placed behind fewer, and those that were there do not move.
    @Test func addingVectorsLaterMovesNone() {
        Self.forEveryMachine { machine, random in
            let topology = machine.topology
            for rule in AffinityRule.allCases {
                var spread = AffinitySpread(rule, over: topology, near: machine.node)
                var before: [CPUSet?] = []
                var total = 0
                for _ in 0..<6 {
                    total += Int.random(in: 0...topology.online.count, using: &random)
                    spread.place(upTo: total)
                    #expect(Array(spread.hints.prefix(before.count)) == before)
                    #expect(spread.hints.count == max(total, before.count))
                    before = spread.hints
                }
            }
            let most = topology.numaAware(40, near: machine.node, skipsFirstGroup: false)
            let fewer = random.below(40)
            #expect(topology.numaAware(fewer, near: machine.node, skipsFirstGroup: false) == Array(most.prefix(fewer)))
        }
    }

    /// One first and the rest later is all at once, as long as there are CPUs for all.
    @Test func oneThenTheRestIsAllAtOnce() {
        Self.forEveryMachine { machine, _ in
            let topology = machine.topology
            for count in 0...topology.online.count {
                let atOnce = AffinityRule.allAtOnce.spread(count, over: topology, near: machine.node)
                for rule in [AffinityRule.oneThenRest, .oneThenOneEach] {
                    var spread = AffinitySpread(rule, over: topology, near: machine.node)
                    spread.place(upTo: min(1, count))
                    spread.place(upTo: count)
                    #expect(spread.hints == atOnce, "\(rule), \(count) vectors")
                }
            }
        }
    }

    /// The same machine, told in another order, has the same spread.
    @Test func theSameMachineGivesTheSameSpread() {
        Self.forEveryMachine { machine, random in
            let topology = machine.topology
            let shuffled = Topology(
                online: topology.online,
                siblingGroups: machine.groups.flatMap { $0 }.shuffled(using: &random),
                nodes: topology.nodes.shuffled(using: &random)
            )
            #expect(shuffled == topology)
            let count = random.below(30)
            for rule in AffinityRule.allCases {
                let first = rule.spread(count, over: topology, near: machine.node)
                #expect(first == rule.spread(count, over: shuffled, near: machine.node))
                #expect(first.count == count)
                for place in first.compactMap({ $0 }) {
                    #expect(place.subtracting(topology.online).isEmpty)
                    #expect(place.first.map { place == [$0] || place == topology.siblingGroup(of: $0) } == true)
                }
            }
        }
    }
}
