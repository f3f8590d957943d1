// What a GraceHopperModel has seen that was wrong.

/// A snapshot of a model's own counts.
public struct GraceHopperCounters: Sendable, Equatable {
    /// Accesses to places of BAR 0 that hold nothing, to BARs that are not there, and beyond their ends.
    public var unknownAccesses: UInt64 = 0
    /// Writes of a width or alignment that registers do not take, dropped.
    public var oddWrites: UInt64 = 0
    /// Accesses while memory space was off or the function asleep.
    public var disabledAccesses: UInt64 = 0
    /// Accesses through BAR 1 that found no memory: ones read, writes dropped.
    public var accessesBeyondMemory: UInt64 = 0
    public var resets: UInt64 = 0
    /// Messages sent, by vector.
    public var messages: [UInt64] = []

    public init() {}
}
