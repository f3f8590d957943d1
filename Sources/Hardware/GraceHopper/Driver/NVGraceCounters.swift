// What is counted where users of coherent memory ask for what is not there; `doorbell inspect` shows it.

/// What users of coherent memory asked for that was not all there.
public struct NVGraceCounters: Sendable, Equatable {
    /// Calls that were answered with an error.
    public var refusedReads: UInt64 = 0
    public var refusedWrites: UInt64 = 0
    public var refusedMappings: UInt64 = 0
    /// Reads and writes that went on behind the memory, or were all there.
    public var readsBeyondMemory: UInt64 = 0
    public var writesBeyondMemory: UInt64 = 0
    /// Resets of the function: asked for, and by registers of its configuration space.
    public var resets: UInt64 = 0
    /// Seconds that accesses after a reset had to wait for.
    public var readinessWaits: UInt64 = 0
}
