// Numbers and structures of the socket calls. Source of truth: linux/if_xdp.h of Linux 6.12 and later; the header check
// in Tests/Services/XSK compares each of them with a C compiler's.

/// The numbers that a program passes to `socket` and `setsockopt`.
public enum XSKSocketABI {
    /// AF_XDP
    public static let addressFamily: UInt16 = 44
    /// SOL_XDP
    public static let optionLevel: Int32 = 283
    /// XDP_MMAP_OFFSETS
    public static let mapOffsetsOption: Int32 = 1
    /// XDP_RX_RING
    public static let receiveRingOption: Int32 = 2
    /// XDP_TX_RING
    public static let transmitRingOption: Int32 = 3
    /// XDP_UMEM_REG
    public static let registerUMEMOption: Int32 = 4
    /// XDP_UMEM_FILL_RING
    public static let fillRingOption: Int32 = 5
    /// XDP_UMEM_COMPLETION_RING
    public static let completionRingOption: Int32 = 6
    /// XDP_STATISTICS
    public static let statisticsOption: Int32 = 7
    /// XDP_OPTIONS
    public static let optionsOption: Int32 = 8
    /// XDP_MAX_TX_SKB_BUDGET, of copy mode; since Linux 7.0.
    public static let maximumTransmitBudgetOption: Int32 = 9
}

/// How a socket is bound: `sockaddr_xdp.sxdp_flags`.
@frozen public struct XSKBindFlags: OptionSet, Sendable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// XDP_SHARED_UMEM
    @inlinable public static var sharedUMEM: XSKBindFlags { .init(rawValue: 1) }
    /// XDP_COPY
    @inlinable public static var copy: XSKBindFlags { .init(rawValue: 2) }
    /// XDP_ZEROCOPY
    @inlinable public static var zeroCopy: XSKBindFlags { .init(rawValue: 4) }
    /// XDP_USE_NEED_WAKEUP
    @inlinable public static var useNeedWakeup: XSKBindFlags { .init(rawValue: 8) }
    /// XDP_USE_SG
    @inlinable public static var scatterGather: XSKBindFlags { .init(rawValue: 16) }
}

/// Where a socket is bound: `struct sockaddr_xdp`.
@frozen public struct XSKSocketAddress: Equatable, Sendable {
    /// sxdp_family
    public var family: UInt16
    /// sxdp_flags
    public var flags: UInt16
    /// sxdp_ifindex
    public var interfaceIndex: UInt32
    /// sxdp_queue_id
    public var queue: UInt32
    /// sxdp_shared_umem_fd
    public var sharedUMEMDescriptor: UInt32

    @inlinable public init(flags: XSKBindFlags, interfaceIndex: UInt32, queue: UInt32) {
        family = XSKSocketABI.addressFamily
        self.flags = flags.rawValue
        self.interfaceIndex = interfaceIndex
        self.queue = queue
        sharedUMEMDescriptor = 0
    }
}

/// What a socket turned out to be: `struct xdp_options`.
@frozen public struct XSKOptions: OptionSet, Sendable {
    public let rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// XDP_OPTIONS_ZEROCOPY
    @inlinable public static var zeroCopy: XSKOptions { .init(rawValue: 1) }
}

/// What went wrong so far: `struct xdp_statistics`.
@frozen public struct XSKStatistics: Equatable, Sendable {
    /// rx_dropped: frames dropped for a reason other than an invalid descriptor.
    public var receiveDropped: UInt64
    /// rx_invalid_descs: entries of the fill ring outside the umem.
    public var receiveInvalidDescriptors: UInt64
    /// tx_invalid_descs
    public var transmitInvalidDescriptors: UInt64
    /// rx_ring_full: frames dropped because the program does not empty its Rx ring.
    public var receiveRingFull: UInt64
    /// rx_fill_ring_empty_descs: times that a chunk was wanted and the fill ring had none.
    public var fillRingEmpty: UInt64
    /// tx_ring_empty_descs: times that a frame was looked for and the Tx ring had none.
    public var transmitRingEmpty: UInt64

    @inlinable public init() {
        receiveDropped = 0
        receiveInvalidDescriptors = 0
        transmitInvalidDescriptors = 0
        receiveRingFull = 0
        fillRingEmpty = 0
        transmitRingEmpty = 0
    }
}
