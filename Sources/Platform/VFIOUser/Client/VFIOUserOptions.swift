// What the owner of a vfio-user client may choose: how long it waits, and what goes by message that need not.

import Clock

/// How a `VFIOUserBacking` behaves.
public struct VFIOUserOptions: Sendable {
    /// How long to wait for a server that is not there yet, or has no room for one more client.
    public var connectNanoseconds: UInt64 = 5_000_000_000
    /// How long a reply may take. A server that is later is given up: what it says then answers a question of long ago.
    public var replyNanoseconds: UInt64 = 5_000_000_000
    /// How long to look for a reply without sleeping. A sleeping thread takes some 50 µs to wake on a virtual CPU, a reply
    /// some five.
    public var spinNanoseconds: UInt64 = 50_000
    /// Whether the server gets the descriptors of the memory that is mapped for DMA. If not, the device's every access is a
    /// message, which is served while this side waits for a reply, and by `poll`.
    public var sharesMemory = true
    /// Whether stores return before the device has acted on them, as on PCIe: a load has them arrive. What the server
    /// offers as memory (doorbells, parts of BARs) is then not used, for a store by message would be behind it.
    public var postsStores = false

    /// Runs instead of waiting, where client and server share a thread; nobody sleeps then.
    package var whileWaiting: (@Sendable () -> Void)?
    /// What a reply's time is measured by. One that is virtual moves in `whileWaiting`.
    package var clock = DeviceClock.monotonic

    public init() {}
}

/// What passed on a connection, and on those before it.
public struct VFIOUserClientCounters: Equatable, Sendable {
    /// Commands whose reply was waited for.
    public var roundTrips: UInt64 = 0
    /// Writes that nobody waited for.
    public var postedWrites: UInt64 = 0
    /// Commands that the server said no to.
    public var refused: UInt64 = 0
    /// DMA_READ and DMA_WRITE of the server that were served.
    public var served: UInt64 = 0
    /// Commands of the server that were refused: memory it was not lent, or no command that a client takes.
    public var refusedToServe: UInt64 = 0
    /// Connections that ended before their time.
    public var brokenConnections: UInt64 = 0

    public init() {}
}
