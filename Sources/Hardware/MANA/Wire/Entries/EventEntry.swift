// Entries of an event ring: 16 bytes, three dwords of details and one that says what it is and whose.
// Source: Linux struct gdma_eqe, enum gdma_eqe_type (gdma.h), mana_hwc_init_event_handler (hw_channel.c) of 6.12 and 7.x.

import Registers

/// What an event tells. A struct, because a device may send what nobody knows.
@frozen public struct EventType: Equatable, Hashable, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A completion queue has something; details[0] is its id, 24 bits.
    @inlinable public static var completion: Self { .init(rawValue: 3) }
    /// What GENERATE_TEST_EQE asked for.
    @inlinable public static var test: Self { .init(rawValue: 64) }
    /// The hardware channel's event queue and doorbell page: the first event of all.
    @inlinable public static var channelQueue: Self { .init(rawValue: 129) }
    /// One item of the hardware channel's set-up; see `ChannelItem`.
    @inlinable public static var channelItem: Self { .init(rawValue: 130) }
    @inlinable public static var channelDone: Self { .init(rawValue: 131) }
    /// The device is reprogrammed: the driver goes away and comes back.
    @inlinable public static var reconfiguration: Self { .init(rawValue: 132) }
    /// See `ReconfigurationItem`.
    @inlinable public static var reconfigurationItem: Self { .init(rawValue: 133) }
    /// See `ServiceEvent`.
    @inlinable public static var service: Self { .init(rawValue: 134) }
    @inlinable public static var resetRequest: Self { .init(rawValue: 135) }
    @inlinable public static var queuePairFatal: Self { .init(rawValue: 176) }
}

/// Dword 3 of an event, written last.
@frozen public struct EventTail: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }

    @inlinable public init(_ type: EventType, owner: UInt32) {
        raw = UInt32(type.rawValue) | (owner & 7) &<< 29
    }

    @inlinable public var type: EventType { .init(rawValue: UInt8(truncatingIfNeeded: raw)) }
    /// The three bits of `OwnerBits`.
    @inlinable public var owner: UInt32 { raw &>> 29 }
}

extension Field where Layout == EventTail, Value == UInt32 {
    @inlinable public static var type: Self { .init(bits: 0..<8) }
    @inlinable public static var client: Self { .init(bits: 16..<18) }
    @inlinable public static var owner: Self { .init(bits: 29..<32) }
}

/// A whole event: its type and details, without the owner's bits, which the ring decides.
@frozen public struct Event: Equatable, Sendable {
    public var type: EventType
    public var detail0: UInt32
    public var detail1: UInt32
    public var detail2: UInt32

    @inlinable public init(_ type: EventType, _ detail0: UInt32 = 0, _ detail1: UInt32 = 0, _ detail2: UInt32 = 0) {
        self.type = type
        self.detail0 = detail0
        self.detail1 = detail1
        self.detail2 = detail2
    }

    @inlinable public static func completion(of queue: UInt32) -> Event { .init(.completion, queue & 0xFF_FFFF) }

    @inlinable public static func channelQueue(id: UInt16, doorbellPage: UInt16) -> Event {
        .init(.channelQueue, UInt32(id) | UInt32(doorbellPage) &<< 16)
    }

    @inlinable public static func channelItem(_ item: ChannelItem, _ value: UInt32) -> Event {
        .init(.channelItem, value & 0xFF_FFFF | UInt32(item.rawValue) &<< 24)
    }

    @inlinable public static func reconfiguration(_ item: ReconfigurationItem, _ value: UInt32 = 0) -> Event {
        .init(.reconfigurationItem, value & 0xFF_FFFF | UInt32(item.rawValue) &<< 24)
    }

    @inlinable public static func service(_ service: ServiceEvent) -> Event {
        .init(.service, UInt32(service.rawValue) &<< 28)
    }

    /// details[0] of `completion`: the completion queue.
    @inlinable public var completionQueue: UInt32 { detail0 & 0xFF_FFFF }
    /// details[0] of `channelQueue`.
    @inlinable public var channelQueueID: UInt16 { UInt16(truncatingIfNeeded: detail0) }
    @inlinable public var channelDoorbellPage: UInt16 { UInt16(truncatingIfNeeded: detail0 &>> 16) }
    /// details[0] of `channelItem` and `reconfigurationItem`: 24 bits of value, and which item.
    @inlinable public var itemValue: UInt32 { detail0 & 0xFF_FFFF }
    /// nil: an item that nobody knows.
    @inlinable public var channelItem: ChannelItem? { .init(rawValue: UInt8(truncatingIfNeeded: detail0 &>> 24)) }
    @inlinable public var reconfigurationItem: ReconfigurationItem? {
        .init(rawValue: UInt8(truncatingIfNeeded: detail0 &>> 24))
    }
    @inlinable public var service: ServiceEvent? { .init(rawValue: UInt8(truncatingIfNeeded: detail0 &>> 28)) }
}

/// What the device tells of the hardware channel while it is set up (HWC_INIT_DATA_...).
@frozen public enum ChannelItem: UInt8, Sendable, CaseIterable {
    case completionQueue = 1
    case receiveQueue = 2
    case sendQueue = 3
    case queueDepth = 4
    case longestRequest = 5
    case longestResponse = 6
    /// All ids of completion queues are below it.
    case completionQueueLimit = 7
    case protectionDomain = 8
    case memoryKey = 9
    /// Where a physical function's messages go.
    case destinationReceiveQueue = 10
    case destinationCompletionQueue = 11
}

/// What `EventType.reconfigurationItem` changes.
@frozen public enum ReconfigurationItem: UInt8, Sendable, CaseIterable {
    /// Milliseconds that a request may take.
    case requestTimeout = 1
    case linkUp = 2
    case linkDown = 3
}

/// What `EventType.service` asks of the RDMA adapter's driver.
@frozen public enum ServiceEvent: UInt8, Sendable, CaseIterable {
    case suspendRDMA = 1
    case resumeRDMA = 2
}
