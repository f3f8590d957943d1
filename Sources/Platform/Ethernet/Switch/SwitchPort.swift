// One port of a switch: its end of a wire, and what went over it.

/// Frames of one port of a switch.
public struct SwitchPortCounters: Sendable, Equatable {
    /// Frames that came in, good or bad.
    public var received: UInt64 = 0
    /// Frames that went out.
    public var transmitted: UInt64 = 0
    /// Frames that came in and went out of every other port: to a group, or to a station that is not known.
    public var flooded: UInt64 = 0
    /// Frames that came in for a station on the side they came from.
    public var filtered: UInt64 = 0
    /// Frames that came in for an address that no switch forwards: pause, spanning tree, LLDP.
    public var reserved: UInt64 = 0
    /// Frames that came in without a whole Ethernet header.
    public var runts: UInt64 = 0
    /// Frames that came in longer than the switch carries.
    public var giants: UInt64 = 0
    /// Frames that should have gone out while the wire was full.
    public var dropped: UInt64 = 0

    public init() {}
}

struct SwitchPort: ~Copyable {
    var wire: WirePort
    var counters = SwitchPortCounters()

    init(_ wire: consuming WirePort) { self.wire = wire }
}
