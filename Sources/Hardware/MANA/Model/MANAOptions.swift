// What a virtual MANA is like: who it says it is, how much it has of everything, and what is broken in it.

import Ethernet
import MANAWire

/// The configuration of a `MANAModel`. The default is a healthy virtual function with one port.
public struct MANAOptions: Sendable {
    public var deviceID = MANADeviceID.virtualFunction
    /// Of the first port; the others count up from it.
    public var macAddress = MACAddress(value: 0x02_15_5D_00_BA_00)
    public var limits = MANALimits()
    public var layout = MANALayout()
    /// bm_hostmode: privileged requests are not for this driver.
    public var isHosted = false
    /// Bytes of the longest frame, its Ethernet header included (adapter_mtu).
    public var longestFrame = 9014
    public var capabilities: AdapterCapabilities = []
    public var networkCapabilities: NetworkCapabilities = []
    /// tx_vport_offset: what frames must name; above 255 they need the long format.
    public var portOffset: UInt16 = 0
    /// How long a completion waits for more frames, as CONFIG_VPORT_RX tells.
    public var coalescingNanoseconds: UInt32 = 0
    /// Mbit/s of the link, and the most that SET_BW_CLAMP may ask for.
    public var linkMegabits: UInt32 = 200_000
    /// What QUERY_HWC_TIMEOUT answers, milliseconds.
    public var requestTimeout: UInt32 = 30_000
    /// The devices that LIST_DEVICES tells of, holes included.
    public var devices: [AdapterDevice] = [.channel, .network]
    /// Frames per queue and direction in one poll: what one queue may hold up the others.
    public var pollBudget = 64
    public var faults = MANAFaults()

    public init() {}
}

/// How much a virtual MANA has of everything.
public struct MANALimits: Sendable, Equatable {
    /// Entries of the MSI-X table.
    public var tableVectors = 128
    /// max_msix: how many of them may be used, as QUERY_MAX_RESOURCES tells. Any number.
    public var vectors: UInt32 = 65
    // Beside those of the hardware channel.
    /// The first is the network adapter's, the others are given out by ALLOCATE_RESOURCE_RANGE.
    public var doorbellPages = 16
    public var sendQueues = 64
    public var receiveQueues = 64
    public var completionQueues = 256
    public var eventQueues = 128
    public var ports = 1
    /// Queues of one port and direction, as QUERY_VPORT_CONFIG tells.
    public var portQueues = 64
    /// A power of two, at most 512.
    public var indirectionEntries = 64
    /// Memory regions at a time, and pages in all of them.
    public var regions = 1024
    public var regionPages = 1 << 18

    public init() {}
}

/// Where things lie in BAR 0.
public struct MANALayout: Sendable, Equatable {
    /// A power of two.
    public var barBytes: UInt64 = 4 << 20
    public var doorbellOffset: UInt64 = 0x1_0000
    public var doorbellPageBytes: UInt32 = 4096
    /// Of a physical function it must be above `configurationBase`.
    public var windowOffset: UInt64 = 0x3100
    /// A physical function's configuration base.
    public var configurationBase: UInt64 = 0x3000

    public init() {}
}
