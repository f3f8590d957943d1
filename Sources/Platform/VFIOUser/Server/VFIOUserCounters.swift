// What a server has seen. A value: whoever asks gets the counts of now.

/// Counts of one server since it was made.
public struct VFIOUserCounters: Sendable {
    private var received = InlineArray<20, UInt64>(repeating: 0)
    private var refused = InlineArray<20, UInt64>(repeating: 0)

    /// Clients that were accepted, and that have gone for whatever reason.
    public internal(set) var connections: UInt64 = 0
    public internal(set) var disconnections: UInt64 = 0
    /// Of these, connections that the server ended: the stream could not be followed, or the client took too long.
    public internal(set) var brokenConnections: UInt64 = 0
    /// Replies that nobody had asked for.
    public internal(set) var unexpectedReplies: UInt64 = 0
    /// Commands whose number means nothing.
    public internal(set) var unknownCommands: UInt64 = 0
    /// Dirty pages, migration and device features, which no device here has.
    public internal(set) var unsupportedCommands: UInt64 = 0
    /// Writes that came in REGION_WRITE_MULTI, and writes that came without a wish for a reply.
    public internal(set) var multipleWrites: UInt64 = 0
    public internal(set) var postedWrites: UInt64 = 0
    /// DMA_MAPs that were refused.
    public internal(set) var refusedMappings: UInt64 = 0
    /// Mappings without a descriptor.
    public internal(set) var remoteMappings: UInt64 = 0
    /// Accesses of the device to memory that came without a descriptor.
    public internal(set) var remoteAccesses: UInt64 = 0
    /// Files that the client truncated under a mapping.
    public internal(set) var brokenFiles: UInt64 = 0
    /// Times that the client did not take its replies as fast as it asked.
    public internal(set) var fullOutputs: UInt64 = 0

    public init() {}

    /// Messages of this kind that came.
    public func messages(_ command: Command) -> UInt64 { received[Int(command.rawValue)] }

    /// Messages of this kind that were refused.
    public func refusals(_ command: Command) -> UInt64 { refused[Int(command.rawValue)] }

    mutating func count(_ command: Command) { received[Int(command.rawValue)] &+= 1 }

    mutating func countRefusal(_ command: Command) { refused[Int(command.rawValue)] &+= 1 }
}
