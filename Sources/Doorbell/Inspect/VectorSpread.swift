// Where the vectors of a device would be handled on a machine, for whoever wants to see it beforehand.

import Interrupts

/// The CPUs of vectors 0 and up.
public struct VectorSpread: Codable, JSONDocument, Sendable {
    public typealias Rule = AffinityRule

    public static let newestRule = Rule.oneThenOneEach

    /// In the form of the kernel's lists; nil: anywhere.
    public let cpus: [String?]

    /// - Parameters:
    ///   - node: the device's; nil: it does not say.
    ///   - sysfs: where the machine's topology is read.
    public init(_ count: Int, _ rule: Rule, near node: Int?, sysfs: String) throws {
        let topology = try Topology.read(sysfs: sysfs)
        cpus = rule.spread(count, over: topology, near: node).map { $0.map { "\($0)" } }
    }

    public var text: String { cpus.map { $0 ?? "any" }.joined(separator: "\n") }
}
