// The rings as both sides map them. Sources of truth: linux/if_xdp.h for structures and page offsets; `struct xdp_ring`
// in net/xdp/xsk_queue.h (Linux 6.12) for where the words lie, which a program learns from XDP_MMAP_OFFSETS.

/// The four rings of a socket. The raw value is the order of `xdp_mmap_offsets` and of the page offsets.
public enum XSKRing: Int, CaseIterable, Sendable {
    case receive, transmit, fill, completion

    /// The offset to pass to `mmap`: XDP_PGOFF_RX_RING, XDP_PGOFF_TX_RING, XDP_UMEM_PGOFF_FILL_RING,
    /// XDP_UMEM_PGOFF_COMPLETION_RING.
    public var mapOffset: UInt64 { UInt64(rawValue) * 0x8000_0000 }

    /// Bytes of one entry: a descriptor, or an address.
    public var entryBytes: Int {
        switch self {
        case .receive, .transmit: return MemoryLayout<XSKDescriptor>.size
        case .fill, .completion: return MemoryLayout<UInt64>.size
        }
    }
}

/// Where the words of a ring lie, in bytes from the start of its mapping: `struct xdp_ring_offset`.
@frozen public struct XSKRingOffset: Equatable, Sendable {
    /// producer
    public var producer: UInt64
    /// consumer
    public var consumer: UInt64
    /// desc
    public var entries: UInt64
    /// flags
    public var flags: UInt64

    @inlinable public init(producer: UInt64, consumer: UInt64, entries: UInt64, flags: UInt64) {
        self.producer = producer
        self.consumer = consumer
        self.entries = entries
        self.flags = flags
    }

    /// Linux's on a machine with 64-byte cache lines: each index has a line of its own and an empty one behind it, so
    /// that the prefetcher of the neighbour line does not drag them between two cores; the flags share a line with
    /// nothing that is written per frame.
    @inlinable public static var linux: XSKRingOffset { .init(producer: 0, consumer: 128, entries: 320, flags: 196) }
}

/// Where the words of all four rings lie: `struct xdp_mmap_offsets`.
@frozen public struct XSKMapOffsets: Equatable, Sendable {
    /// rx
    public var receive: XSKRingOffset
    /// tx
    public var transmit: XSKRingOffset
    /// fr
    public var fill: XSKRingOffset
    /// cr
    public var completion: XSKRingOffset

    @inlinable public init(all offset: XSKRingOffset) {
        receive = offset
        transmit = offset
        fill = offset
        completion = offset
    }
}

/// The flags word of a ring.
@frozen public struct XSKRingFlags: OptionSet, Sendable {
    public let rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// XDP_RING_NEED_WAKEUP
    @inlinable public static var needWakeup: XSKRingFlags { .init(rawValue: 1) }
}

/// An entry of the Rx and of the Tx ring: `struct xdp_desc`.
@frozen public struct XSKDescriptor: Equatable, Sendable {
    /// addr: the first byte of the frame, from the start of the umem.
    public var address: UInt64
    /// len: bytes.
    public var length: UInt32
    /// options
    public var options: XSKDescriptorOptions

    @inlinable public init(address: UInt64, length: UInt32, options: XSKDescriptorOptions = []) {
        self.address = address
        self.length = length
        self.options = options
    }
}

/// `xdp_desc.options`.
@frozen public struct XSKDescriptorOptions: OptionSet, Sendable {
    public let rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// XDP_PKT_CONTD: the frame goes on in the next descriptor. That needs XDP_USE_SG, which no socket here has: on the
    /// Tx ring it makes a descriptor invalid.
    @inlinable public static var continued: XSKDescriptorOptions { .init(rawValue: 1) }
    /// XDP_TX_METADATA: there is metadata before the frame.
    @inlinable public static var transmitMetadata: XSKDescriptorOptions { .init(rawValue: 2) }
}
