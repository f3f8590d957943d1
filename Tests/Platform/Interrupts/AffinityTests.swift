// The rules of the spread against what Linux's driver does: hand-computed, and read back from running kernels.

import Interrupts
import Testing

/// Two sockets of two cores of two threads.
private let eight = Topology([[[0, 1], [2, 3]], [[4, 5], [6, 7]]])
/// Two sockets of four cores of two threads.
private let sixteen = Topology([
    [[0, 1], [2, 3], [4, 5], [6, 7]], [[8, 9], [10, 11], [12, 13], [14, 15]],
])
private let twoCores = Topology([[[0, 1], [2, 3]]])
private let fourCores = Topology([[[0], [1], [2], [3]]])
private let oneCPU = Topology([[[0]]])
/// The second threads are numbered after all first ones.
private let interleaved = Topology([[[0, 4], [1, 5]], [[2, 6], [3, 7]]])
private let unequal = Topology([[[0, 1], [2]], [[3, 4], [5]]])

/// What a rule gives for so many vectors.
struct SpreadCase: Sendable, CustomTestStringConvertible {
    let topology: Topology
    let node: Int?
    let rules: [AffinityRule]
    /// A list per vector, separated by blanks.
    let expected: String

    init(_ topology: Topology, node: Int?, _ rules: AffinityRule..., expected: String) {
        self.topology = topology
        self.node = node
        self.rules = rules
        self.expected = expected
    }

    var testDescription: String {
        "\(topology.online.count) CPUs, node \(node.map(String.init) ?? "none"), "
            + "\(rules.map(\.rawValue).joined(separator: " and ")): \(expected)"
    }
}

@Suite struct AffinityTests {
    @Test(
        "Every rule places vectors as Linux's driver does",
        arguments: [
            SpreadCase(eight, node: nil, .allAtOnce, expected: "0 0-1 2-3 4-5 6-7 0-1 2-3 4-5 6-7"),
            SpreadCase(eight, node: nil, .oneThenOneEach, expected: "0-1 0 1 2 3 4 5 6 7"),
            SpreadCase(eight, node: 0, .allAtOnce, expected: "0 0-1 2-3 0-1 2-3 4-5 6-7 4-5 6-7"),
            SpreadCase(eight, node: 1, .allAtOnce, expected: "4 4-5 6-7 4-5 6-7 0-1 2-3 0-1 2-3"),
            SpreadCase(eight, node: 1, .oneThenRest, expected: "4-5 4-5 6-7 4-5 6-7 0-1 2-3 0-1 2-3"),
            SpreadCase(eight, node: 1, .oneThenOneEach, expected: "4-5 0 1 2 3 4 5 6 7"),
            SpreadCase(
                eight,
                node: 1,
                .oneThenRest,
                .oneThenOneEach,
                .allAtOnce,
                expected: "4-5 6-7 4-5 6-7 0-1 2-3 0-1 2-3"
            ),
            SpreadCase(eight, node: 1, .oneThenRest, .oneThenOneEach, .allAtOnce, expected: "4-5 6-7 4-5 6-7 0-1"),
            SpreadCase(eight, node: 0, .oneThenRest, .oneThenOneEach, .allAtOnce, expected: "0-1 2-3 0-1 2-3"),
            SpreadCase(
                sixteen,
                node: nil,
                .oneThenRest,
                .oneThenOneEach,
                expected: "0-1 2-3 4-5 6-7 8-9 10-11 12-13 14-15"
            ),
            SpreadCase(
                sixteen,
                node: 0,
                .oneThenRest,
                .oneThenOneEach,
                expected: "0-1 2-3 4-5 6-7 0-1 2-3 4-5 6-7"
            ),
            SpreadCase(
                sixteen,
                node: 1,
                .oneThenRest,
                .oneThenOneEach,
                .allAtOnce,
                expected: "8-9 10-11 12-13 14-15 8-9 10-11 12-13 14-15"
            ),
            SpreadCase(
                sixteen,
                node: 1,
                .oneThenRest,
                .oneThenOneEach,
                expected: "8-9 10-11 12-13 14-15 8-9 10-11 12-13 14-15 0-1 2-3 4-5 6-7 0-1 2-3 4-5 6-7"
            ),
            SpreadCase(
                sixteen,
                node: 1,
                .allAtOnce,
                expected: "8 8-9 10-11 12-13 14-15 8-9 10-11 12-13 14-15 0-1 2-3 4-5 6-7 0-1 2-3 4-5 6-7"
            ),
            SpreadCase(
                sixteen,
                node: 1,
                .oneThenRest,
                expected: "8-9 8-9 10-11 12-13 14-15 8-9 10-11 12-13 14-15 0-1 2-3 4-5 6-7 0-1 2-3 4-5 6-7"
            ),
            SpreadCase(
                sixteen,
                node: 1,
                .oneThenOneEach,
                expected: "8-9 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"
            ),
            SpreadCase(twoCores, node: nil, .oneThenRest, expected: "0-1 0-1 2-3 0-1 2-3"),
            SpreadCase(twoCores, node: nil, .oneThenOneEach, expected: "0-1 0 1 2 3"),
            SpreadCase(fourCores, node: nil, .oneThenOneEach, expected: "0 1 2"),
            SpreadCase(fourCores, node: nil, .oneThenOneEach, expected: "0 0 1 2 3"),
            SpreadCase(oneCPU, node: nil, .oneThenRest, .oneThenOneEach, expected: "0 0"),
            SpreadCase(
                interleaved,
                node: 0,
                .oneThenRest,
                .oneThenOneEach,
                .allAtOnce,
                expected: "0,4 1,5 0,4 1,5 2,6 3,7 2,6 3,7"
            ),
            // Four vectors on a hop of three CPUs: its last round is completed.
            SpreadCase(unequal, node: 0, .allAtOnce, expected: "0-1 2 0-1 2 3-4 5"),
        ]
    )
    func rules(_ example: SpreadCase) {
        let expected = example.expected.split(separator: " ").map(String.init)
        for rule in example.rules {
            let spread = rule.spread(expected.count, over: example.topology, near: example.node)
            #expect(spread.map { $0?.description ?? "none" } == expected, "\(rule)")
        }
    }

    /// A reviewer wanted the count looked at before the skip. The skipped group would then use up a vector's turn, and the
    /// last vector would have no place: `4-5, 6-7, 4-5, 6-7, none`.
    @Test func aSkippedGroupCostsNoVectorItsPlace() {
        let rest = eight.numaAware(4, near: 1, skipsFirstGroup: true)
        #expect(rest == [[6, 7], [4, 5], [6, 7], [0, 1]])
        #expect(eight.numaAware(0, near: 1, skipsFirstGroup: true).isEmpty)
    }

    @Test func vectorsBeyondAllHopsMayBeAnywhere() {
        let spread = twoCores.numaAware(6, near: 0, skipsFirstGroup: false)
        #expect(spread == [[0, 1], [2, 3], [0, 1], [2, 3], nil, nil])
        #expect(twoCores.oneEach(6) == [[0], [1], [2], [3], nil, nil])
        #expect(twoCores.oneEach(-1).isEmpty)
    }

    /// As the kernel: nothing is set for a device on a node without CPUs, but for the command channel's vector of old.
    @Test func aNodeWithoutCPUsGivesNoHints() {
        let topology = Topology([[[0, 1], [2, 3]], []])
        #expect(topology.numaAware(3, near: 1, skipsFirstGroup: false) == [nil, nil, nil])
        #expect(AffinityRule.allAtOnce.spread(5, over: topology, near: 1) == [[0], nil, nil, nil, nil])
        #expect(AffinityRule.oneThenOneEach.spread(5, over: topology, near: 1) == [nil, [0], [1], [2], [3]])
    }

    @Test(arguments: AffinityRule.allCases)
    func noVectorsHaveNoPlaces(_ rule: AffinityRule) {
        #expect(rule.spread(0, over: eight, near: nil).isEmpty)
        #expect(rule.spread(-3, over: eight, near: nil).isEmpty)
        #expect(rule.spread(2, over: Topology([]), near: nil) == [nil, nil])
    }

    @Test func whatIsPlacedStaysWhereItIs() {
        var spread = AffinitySpread(.oneThenOneEach, over: eight, near: 1)
        #expect(spread[0] == nil)
        spread.place(upTo: 1)
        #expect(spread.hints == [[4, 5]])
        spread.place(upTo: 5)
        #expect(spread.hints == [[4, 5], [6, 7], [4, 5], [6, 7], [0, 1]])
        spread.place(upTo: 3)
        #expect(spread.hints.count == 5)
        // From here on there are more than CPUs; the first five do not move.
        spread.place(upTo: 9)
        #expect(spread.hints == [[4, 5], [6, 7], [4, 5], [6, 7], [0, 1], [4], [5], [6], [7]])
        #expect(spread[-1] == nil && spread[9] == nil)
    }
}
