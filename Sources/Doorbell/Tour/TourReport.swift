// What the tour found, as a value: the table and the JSON are two views of it.

/// One system's story: whether everything held, and the figures.
public struct SystemReport: Encodable, Sendable {
    /// E.g. `i225-tx-timestamps`.
    public let id: String
    public let held: Bool
    public let figures: StoryFigures
    /// What did not hold, in words.
    public let failures: [String]
}

/// The figures of one story. In JSON they stand as they are: the report's `id` says whose they are.
public enum StoryFigures: Encodable, Sendable {
    case stamps(StampFigures)
    case vectors(VectorFigures)
    case bars(BarFigures)

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .stamps(let figures): try figures.encode(to: encoder)
        case .vectors(let figures): try figures.encode(to: encoder)
        case .bars(let figures): try figures.encode(to: encoder)
        }
    }
}

/// `{"systems": […]}`
public struct TourReport: Encodable, JSONDocument, Sendable {
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

/// The figures of the vectors' story.
public struct VectorFigures: Codable, Sendable {
    /// The CPUs over which vectors were spread, how many they are, and near which node the card is.
    public let machine: String
    public let cpus: Int
    public let node: Int?
    public let framesPerQueue: Int
    public let runs: [VectorRun]
}
