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

/// What is broken in the device.
public struct MANAFaults: Sendable, Equatable {
    /// What BAR 0's registers read as instead, by offset of a 64-bit word.
    public var registers: [UInt64: UInt64] = [:]
    public var window = WindowFault.none
    /// What the device tells of the hardware channel instead.
    public var channelItems: [ChannelItem: UInt32] = [:]
    public var missingChannelItems: Set<ChannelItem> = []
    /// The first event, INIT_EQ_ID_DB, is not sent, or the last one, INIT_DONE.
    public var losesChannelQueue = false
    public var losesChannelDone = false
    public var requests: [RequestFault] = []
    /// Test events are asked for and do not come.
    public var losesTestEvents = false
    /// Fences are asked for and do not come.
    public var losesFences = false
    /// CREATE_QUEUE refuses event queues on this vector and above.
    public var refusesVectorsFrom: Int?

    public init() {}
}

/// What is wrong with the shared-memory window.
public enum WindowFault: Sendable, Equatable {
    case none
    /// The device never lets go of it.
    case staysDevices
    /// The device takes it at a request and never gives it back.
    case neverAnswers
    /// The answer comes this late, in nanoseconds.
    case late(UInt64)
    /// The answer is these 32 bits, and nothing has been done.
    case answers(UInt32)
}

/// A request whose answer goes wrong.
public struct RequestFault: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// Carried out, and never answered.
        case lost
        /// Carried out, and answered this much later, in nanoseconds.
        case late(UInt64)
        /// Not carried out: refused with this status.
        case refused(ResponseStatus)
        // Carried out; the answer's header has this instead.
        case status(ResponseStatus)
        case messageID(UInt16)
        case messageType(UInt32)
        case version(UInt16)
        case device(AdapterDevice)
        case activity(UInt32)
        /// Carried out; bytes of the answer, as its completion tells.
        case bytes(Int)
        /// Carried out; the completion names another request of the receive ring.
        case offset(UInt32)
        /// Carried out; the completion names another queue.
        case queue(UInt32)
        /// Carried out and answered twice, if there is a second buffer.
        case twice
        /// Carried out; from byte `at` of the answer on these bytes stand instead.
        case contents(at: Int, [UInt8])
    }

    /// nil: any request.
    public var request: RequestKind?
    /// Which of them, from 0; nil: each.
    public var occurrence: Int?
    public var kind: Kind

    public init(_ kind: Kind, of request: RequestKind? = nil, occurrence: Int? = 0) {
        self.kind = kind
        self.request = request
        self.occurrence = occurrence
    }
}
