// Numbers of several rounds, and what is said about them.

import Foundation

/// Measurements of one thing, one per round.
public struct Samples: Sendable {
    public private(set) var values: [Double] = []

    public init() {}
    public init(_ values: [Double]) { self.values = values }

    public mutating func add(_ value: Double) { values.append(value) }

    /// The middle one; of an even number the mean of the two in the middle.
    public var median: Double {
        precondition(!values.isEmpty, "a median needs a value")
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// Round by round, `numerator` over `denominator`. What disturbs a round disturbs both sides of it.
    public static func ratios(_ numerator: Samples, to denominator: Samples) -> Samples {
        Samples(zip(numerator.values, denominator.values).map { $0 / $1 })
    }
}

/// `value` with `digits` behind the point.
public func decimal(_ value: Double, _ digits: Int = 2) -> String { String(format: "%.\(digits)f", value) }
