// Requests about the adapter itself: version, limits, devices, the hardware channel.
// Source: Linux gdma.h (struct gdma_verify_ver_req, gdma_query_max_resources_resp, gdma_list_devices_resp,
// gdma_register_device_resp, gdma_generate_test_event_req, gdma_query_hwc_timeout_req) of 6.12 and 7.x.

/// GDMA_VERIFY_VF_DRIVER_VERSION.
public enum VerifyVersion: RequestLayout {
    public typealias Response = VerifyVersionResponse
    @inlinable public static var kind: RequestKind { .verifyVersion }
    @inlinable public static var byteCount: Int { 640 }
}

extension MessageField where Layout == VerifyVersion, Value == UInt64 {
    @inlinable public static var lowestVersion: Self { .init(40) }
    @inlinable public static var highestVersion: Self { .init(48) }
    /// `DriverCapabilities`; three more words follow.
    @inlinable public static var capabilities: Self { .init(56) }
    @inlinable public static var driverVersion: Self { .init(88) }
}

extension MessageField where Layout == VerifyVersion, Value == UInt32 {
    /// 0x10 is Linux.
    @inlinable public static var system: Self { .init(96) }
    @inlinable public static var systemMajor: Self { .init(104) }
    @inlinable public static var systemMinor: Self { .init(108) }
    @inlinable public static var systemBuild: Self { .init(112) }
}

extension MessageArray where Layout == VerifyVersion, Value == UInt8 {
    /// Four strings of 128 bytes.
    @inlinable public static var systemStrings: Self { .init(128, count: 512) }
}

public enum VerifyVersionResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 72 }
}

extension MessageField where Layout == VerifyVersionResponse, Value == UInt64 {
    @inlinable public static var protocolVersion: Self { .init(32) }
    /// `AdapterCapabilities`; three more words follow.
    @inlinable public static var capabilities: Self { .init(40) }
}

/// GDMA_QUERY_MAX_RESOURCES.
public enum QueryMaxResources: RequestLayout {
    public typealias Response = QueryMaxResourcesResponse
    @inlinable public static var kind: RequestKind { .queryMaxResources }
    @inlinable public static var byteCount: Int { 40 }
}

public enum QueryMaxResourcesResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 72 }
}

extension MessageField where Layout == QueryMaxResourcesResponse, Value == UInt32 {
    /// A second status, which nobody reads.
    @inlinable public static var innerStatus: Self { .init(32) }
    @inlinable public static var sendQueues: Self { .init(36) }
    @inlinable public static var receiveQueues: Self { .init(40) }
    @inlinable public static var completionQueues: Self { .init(44) }
    @inlinable public static var eventQueues: Self { .init(48) }
    @inlinable public static var doorbellPages: Self { .init(52) }
    @inlinable public static var memoryTables: Self { .init(56) }
    @inlinable public static var moderationContexts: Self { .init(60) }
    @inlinable public static var moderatedQueues: Self { .init(64) }
    /// max_msix: how many vectors the host grants.
    @inlinable public static var vectors: Self { .init(68) }
}

/// GDMA_LIST_DEVICES.
public enum ListDevices: RequestLayout {
    public typealias Response = ListDevicesResponse
    @inlinable public static var kind: RequestKind { .listDevices }
    @inlinable public static var byteCount: Int { 40 }
}

public enum ListDevicesResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 296 }
}

extension MessageField where Layout == ListDevicesResponse, Value == UInt32 {
    @inlinable public static var count: Self { .init(32) }
}

extension MessageArray where Layout == ListDevicesResponse, Value == UInt32 {
    /// `AdapterDevice`s; zero is a hole.
    @inlinable public static var devices: Self { .init(40, count: 64) }
}

/// GDMA_REGISTER_DEVICE; the device is the header's.
public enum RegisterDevice: RequestLayout {
    public typealias Response = RegisterDeviceResponse
    @inlinable public static var kind: RequestKind { .registerDevice }
    @inlinable public static var byteCount: Int { 40 }
}

public enum RegisterDeviceResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 44 }
}

extension MessageField where Layout == RegisterDeviceResponse, Value == UInt32 {
    @inlinable public static var protectionDomain: Self { .init(32) }
    /// gpa_mkey: for pieces of memory given by address.
    @inlinable public static var memoryKey: Self { .init(36) }
    /// db_id.
    @inlinable public static var doorbellPage: Self { .init(40) }
}

/// GDMA_DEREGISTER_DEVICE.
public enum DeregisterDevice: RequestLayout {
    public typealias Response = PlainResponse
    @inlinable public static var kind: RequestKind { .deregisterDevice }
    @inlinable public static var byteCount: Int { 40 }
}

/// GDMA_GENERATE_TEST_EQE.
public enum GenerateTestEvent: RequestLayout {
    public typealias Response = PlainResponse
    @inlinable public static var kind: RequestKind { .generateTestEvent }
    @inlinable public static var byteCount: Int { 44 }
}

extension MessageField where Layout == GenerateTestEvent, Value == UInt32 {
    @inlinable public static var eventQueue: Self { .init(40) }
}

/// GDMA_QUERY_HWC_TIMEOUT.
public enum QueryChannelTimeout: RequestLayout {
    public typealias Response = QueryChannelTimeoutResponse
    @inlinable public static var kind: RequestKind { .queryChannelTimeout }
    @inlinable public static var byteCount: Int { 48 }
}

extension MessageField where Layout == QueryChannelTimeout, Value == UInt32 {
    @inlinable public static var milliseconds: Self { .init(40) }
}

public enum QueryChannelTimeoutResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 40 }
}

extension MessageField where Layout == QueryChannelTimeoutResponse, Value == UInt32 {
    @inlinable public static var milliseconds: Self { .init(32) }
}
