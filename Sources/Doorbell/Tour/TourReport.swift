// What the tour found, as a value: the table and the JSON are two views of it.

/// One system's story: whether everything held, and the figures.
public struct SystemReport: Codable, Sendable {
    /// E.g. `i225-tx-timestamps`.
    public let id: String
    public let held: Bool
    public let figures: StampFigures
    /// What did not hold, in words.
    public let failures: [String]
}

/// `{"systems": […]}`
public struct TourReport: Codable, JSONDocument, Sendable {
    public let systems: [SystemReport]

    public init(systems: [SystemReport]) { self.systems = systems }

    public var held: Bool { systems.allSatisfy { $0.held } }

}

/// The figures of the Tx timestamp story.
public struct StampFigures: Codable, Sendable {
    public let frameBytes: Int
    public let framesPerRun: Int
    /// From the end of a frame's transmission to its stamp, as the model was told.
    public let stampDelayNanoseconds: UInt64
    public let runs: [StampRun]
}

/// One run at one ratio of stamped to plain frames.
public struct StampRun: Codable, Sendable {
    /// `0`, `1:100`, … `all`.
    public let ratio: String
    public let framesPerSecond: Double
    public let requested: Int
    public let stamped: Int
    public let skipped: Int
    public let timedOut: Int
    public let plainCompletion: Latency
    public let stampedCompletion: Latency
    /// From the stamp to the program's hands.
    public let hardwareToCompletion: Latency
}

/// Percentiles in nanoseconds; all zero where nothing was measured.
public struct Latency: Codable, Sendable, Equatable {
    public let count: UInt64
    public let p50: UInt64
    public let p99: UInt64
    public let p999: UInt64
}
