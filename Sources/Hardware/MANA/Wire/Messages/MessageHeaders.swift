// What every message begins with. A request says twice what it is: for itself, and for the answer that is expected.
// Source: Linux struct gdma_msg_hdr, gdma_req_hdr, gdma_resp_hdr, mana_gd_init_req_hdr (gdma.h) of 6.12 and 7.x.

/// What a request wants: msg_type. A struct, because a driver may ask for what nobody knows.
@frozen public struct RequestKind: Equatable, Hashable, Sendable {
    public let rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    // Of the adapter (GDMA_...).
    @inlinable public static var verifyVersion: Self { .init(rawValue: 1) }
    @inlinable public static var queryMaxResources: Self { .init(rawValue: 2) }
    @inlinable public static var listDevices: Self { .init(rawValue: 3) }
    @inlinable public static var registerDevice: Self { .init(rawValue: 4) }
    @inlinable public static var deregisterDevice: Self { .init(rawValue: 5) }
    @inlinable public static var generateTestEvent: Self { .init(rawValue: 10) }
    @inlinable public static var createQueue: Self { .init(rawValue: 12) }
    @inlinable public static var disableQueue: Self { .init(rawValue: 13) }
    @inlinable public static var allocateResourceRange: Self { .init(rawValue: 22) }
    @inlinable public static var destroyResourceRange: Self { .init(rawValue: 24) }
    @inlinable public static var createRegion: Self { .init(rawValue: 25) }
    @inlinable public static var addPages: Self { .init(rawValue: 26) }
    @inlinable public static var destroyRegion: Self { .init(rawValue: 27) }
    @inlinable public static var createProtectionDomain: Self { .init(rawValue: 29) }
    @inlinable public static var destroyProtectionDomain: Self { .init(rawValue: 30) }
    @inlinable public static var createMemoryRegistration: Self { .init(rawValue: 31) }
    @inlinable public static var destroyMemoryRegistration: Self { .init(rawValue: 32) }
    @inlinable public static var queryChannelTimeout: Self { .init(rawValue: 84) }
    @inlinable public static var allocateDeviceMemory: Self { .init(rawValue: 96) }
    @inlinable public static var destroyDeviceMemory: Self { .init(rawValue: 97) }

    // Of the network adapter (MANA_...).
    @inlinable public static var queryDeviceConfiguration: Self { .init(rawValue: 0x2_0001) }
    @inlinable public static var queryFunctionStatistics: Self { .init(rawValue: 0x2_0002) }
    @inlinable public static var configurePortTransmit: Self { .init(rawValue: 0x2_0003) }
    @inlinable public static var createWorkQueue: Self { .init(rawValue: 0x2_0004) }
    @inlinable public static var destroyWorkQueue: Self { .init(rawValue: 0x2_0005) }
    @inlinable public static var fenceReceiveQueue: Self { .init(rawValue: 0x2_0006) }
    @inlinable public static var configurePortReceive: Self { .init(rawValue: 0x2_0007) }
    @inlinable public static var queryPort: Self { .init(rawValue: 0x2_0008) }
    @inlinable public static var queryLink: Self { .init(rawValue: 0x2_000A) }
    @inlinable public static var setBandwidthClamp: Self { .init(rawValue: 0x2_000B) }
    @inlinable public static var queryPhysicalStatistics: Self { .init(rawValue: 0x2_000C) }

    // Of a physical function's driver alone.
    @inlinable public static var registerFilter: Self { .init(rawValue: 0x2_8000) }
    @inlinable public static var deregisterFilter: Self { .init(rawValue: 0x2_8001) }
    @inlinable public static var registerHardwarePort: Self { .init(rawValue: 0x2_8003) }
    @inlinable public static var deregisterHardwarePort: Self { .init(rawValue: 0x2_8004) }

    /// Of the network adapter: the answer must repeat device and activity.
    @inlinable public var isNetwork: Bool { rawValue &>> 16 == 2 }
}

/// How a request ended: the status of a response.
@frozen public struct ResponseStatus: Equatable, Hashable, Sendable {
    public let rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable public static var success: Self { .init(rawValue: 0) }
    /// GDMA_STATUS_MORE_ENTRIES: the page list goes on.
    @inlinable public static var moreEntries: Self { .init(rawValue: 0x105) }
    /// GDMA_STATUS_CMD_UNSUPPORTED.
    @inlinable public static var unsupported: Self { .init(rawValue: 0xFFFF_FFFF) }
}

/// Any request: the 40 bytes that all have.
public enum AnyRequest: MessageLayout {
    @inlinable public static var byteCount: Int { 40 }
}

/// Any response: the 32 bytes that all have, and all that some have.
public enum PlainResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 32 }
}

// Both begin with a message header of 16 bytes.
extension MessageField where Value == UInt32 {
    /// hdr_type, 0.
    @inlinable public static var headerType: Self { .init(0) }
    @inlinable public static var messageType: Self { .init(4) }
    @inlinable public static var messageBytes: Self { .init(12) }
}

extension MessageField where Value == UInt16 {
    @inlinable public static var version: Self { .init(8) }
    /// hwc_msg_id: an answer has its request's.
    @inlinable public static var messageID: Self { .init(10) }
}

extension MessageField where Layout: RequestLayout, Value == UInt32 {
    @inlinable public static var expectedType: Self { .init(20) }
    @inlinable public static var expectedBytes: Self { .init(28) }
    /// See `AdapterDevice`.
    @inlinable public static var device: Self { .init(32) }
    @inlinable public static var activity: Self { .init(36) }
}

extension MessageField where Layout: RequestLayout, Value == UInt16 {
    @inlinable public static var expectedVersion: Self { .init(24) }
}

extension MessageField where Layout == AnyRequest, Value == UInt32 {
    @inlinable public static var expectedType: Self { .init(20) }
    @inlinable public static var expectedBytes: Self { .init(28) }
    @inlinable public static var device: Self { .init(32) }
    @inlinable public static var activity: Self { .init(36) }
}

extension MessageField where Layout == AnyRequest, Value == UInt16 {
    @inlinable public static var expectedVersion: Self { .init(24) }
}

extension MessageField where Layout: ResponseLayout, Value == UInt32 {
    /// See `AdapterDevice`.
    @inlinable public static var device: Self { .init(16) }
    @inlinable public static var activity: Self { .init(20) }
    @inlinable public static var status: Self { .init(24) }
}

extension Message where Layout: RequestLayout {
    /// A request with its header filled in, all but the message's id, which the channel gives.
    ///
    /// - Parameters:
    ///   - elementBytes: behind the fixed part.
    ///   - responseBytes: nil: what the response's newest version has.
    public init(
        to device: AdapterDevice,
        activity: UInt32 = 0,
        version: UInt16 = 1,
        responseVersion: UInt16 = 1,
        elementBytes: Int = 0,
        responseBytes: Int? = nil
    ) {
        self.init(elementBytes: elementBytes)
        self[.messageType] = Layout.kind.rawValue
        self[.version] = version
        self[.messageBytes] = UInt32(byteCount)
        self[.expectedType] = Layout.kind.rawValue
        self[.expectedVersion] = responseVersion
        self[.expectedBytes] = UInt32(responseBytes ?? Layout.Response.byteCount)
        self[.device] = device.raw
        self[.activity] = activity
    }
}

extension Message where Layout: ResponseLayout {
    @inlinable public var status: ResponseStatus { .init(rawValue: self[.status]) }
}
