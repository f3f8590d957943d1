// The places of a function's vectors as they come: what is placed stays where it is.

/// The CPU hints of vectors, placed in one or several steps.
public struct AffinitySpread: Sendable {
    public let topology: Topology
    /// The device's; nil if it does not say.
    public let node: Int?
    public let rule: AffinityRule
    /// By vector; nil: anywhere.
    public private(set) var hints: [CPUSet?] = []

    public init(_ rule: AffinityRule, over topology: Topology, near node: Int?) {
        self.rule = rule
        self.topology = topology
        self.node = node
    }

    /// Places the vectors up to `count`, as the rule has it for `count` in all; those placed before are left alone.
    public mutating func place(upTo count: Int) {
        guard count > hints.count else { return }
        hints += rule.spread(count, over: topology, near: node)[hints.count...]
    }

    /// The hint of a vector; nil for one that is not placed, or may be anywhere.
    public subscript(index: Int) -> CPUSet? { hints.indices.contains(index) ? hints[index] : nil }
}
