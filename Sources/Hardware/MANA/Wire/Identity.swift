// Who the device is, and the sizes that both sides take for granted.
// Source: Linux include/net/mana/gdma.h, hw_channel.h, mana.h and mana_gd_id_table of 6.12 and 7.x.

/// Fixed facts of the Microsoft Azure Network Adapter.
public enum MANA {
    /// Microsoft.
    @inlinable public static var vendor: UInt16 { 0x1414 }
    /// Network controller, Ethernet.
    @inlinable public static var classCode: UInt32 { 0x02_0000 }
    /// The unit of DMA and of ring memory (MANA_PAGE_SIZE).
    @inlinable public static var pageBytes: Int { 4096 }
    /// The largest request and response of the hardware channel.
    @inlinable public static var messageBytes: Int { 4096 }
    /// The smallest ring.
    @inlinable public static var shortestRingBytes: Int { 4096 }
    @inlinable public static var eventBytes: Int { 16 }
    @inlinable public static var completionBytes: Int { 64 }
    /// The basic unit that work requests are multiples of.
    @inlinable public static var basicUnitBytes: Int { 32 }
    /// The longest work request of a send queue, and of a receive queue.
    @inlinable public static var longestSendBytes: Int { 512 }
    @inlinable public static var longestReceiveBytes: Int { 256 }
    /// Queues of one port, whatever the hardware offers (MANA_MAX_NUM_QUEUES).
    @inlinable public static var longestQueueList: Int { 64 }
    /// The vector of the hardware channel's event queue.
    @inlinable public static var channelVector: Int { 0 }
    /// Bytes of the shared-memory window in BAR 0.
    @inlinable public static var windowBytes: Int { 32 }
    /// Ethernet's header, which the adapter's MTU counts and Linux's does not.
    @inlinable public static var headerBytes: Int { 14 }
    /// Bytes of the receive hash's key.
    @inlinable public static var hashKeyBytes: Int { 40 }
    /// Entries of the largest indirection table.
    @inlinable public static var longestIndirection: Int { 512 }
    /// The parent of a completion queue that has no event queue (GDMA_CQ_NO_EQ).
    @inlinable public static var noEventQueue: UInt32 { 0xFFFF }
    /// The handle that no object has.
    @inlinable public static var noObject: UInt64 { ~0 }
}

/// PCI device ids that Linux's mana binds.
@frozen public enum MANADeviceID: UInt16, Sendable, CaseIterable {
    /// What a guest is given.
    case virtualFunction = 0x00BA
    case physicalFunction = 0x00B9
    /// Takes the physical function's requests and has the virtual function's registers; not known to 6.12.
    case physicalFunction2 = 0x00C1

    /// Whether the registers lie as the physical function's do.
    @inlinable public var hasPhysicalLayout: Bool { self == .physicalFunction }
    /// Whether the privileged requests are for it.
    @inlinable public var isPhysical: Bool { self != .virtualFunction }
}

/// A device behind the adapter, as requests are addressed.
@frozen public struct AdapterDevice: Equatable, Sendable {
    public var type: UInt16
    public var instance: UInt16

    @inlinable public init(type: UInt16, instance: UInt16 = 0) {
        self.type = type
        self.instance = instance
    }

    @inlinable public init(raw: UInt32) {
        type = UInt16(truncatingIfNeeded: raw)
        instance = UInt16(truncatingIfNeeded: raw &>> 16)
    }

    @inlinable public var raw: UInt32 { UInt32(type) | UInt32(instance) &<< 16 }

    @inlinable public static var none: AdapterDevice { .init(type: 0) }
    /// The hardware channel itself.
    @inlinable public static var channel: AdapterDevice { .init(type: 1) }
    /// The network adapter.
    @inlinable public static var network: AdapterDevice { .init(type: 2) }
    /// The RDMA adapter.
    @inlinable public static var rdma: AdapterDevice { .init(type: 3) }
}
