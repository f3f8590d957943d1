// What can be chosen about a server.

/// How a server treats its client.
public struct VFIOUserServerOptions: Sendable {
    /// A client that vanishes leaves the device as it was, standing still until the next one touches it. Otherwise it is
    /// reset.
    public var keepsState = false
    /// A message that has begun is whole within this time, and a connection's first message comes within it; else the
    /// connection ends.
    public var messageTimeoutNanoseconds: UInt64 = 5_000_000_000
    /// Messages that are carried out before the device has its turn.
    public var messagesPerPoll = 64
    /// Bytes of messages after which it has its turn as well: one REGION_WRITE_MULTI can hold 40000 writes.
    public var bytesPerPoll = 1 << 16
    /// DMA mappings at one time (`max_dma_maps`).
    public var mostMappings = 65535
    /// Files that these mappings may be in at one time: each costs the process a mapping of its own.
    public var mostFiles = 512
    /// Bytes of these files. Each is mapped whole, into an address space that all devices of the process share.
    public var mostFileBytes: UInt64 = 1 << 42

    public init() {}
}
