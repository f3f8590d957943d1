// Requests about the network adapter and its ports.
// Source: Linux mana.h (struct mana_query_device_cfg_req, mana_query_vport_cfg_req, mana_config_vport_req,
// mana_cfg_rx_steer_req_v2, mana_query_link_config_req, mana_set_bw_clamp_req) of 6.12 and 7.x.

/// MANA_QUERY_DEV_CONFIG.
public enum QueryDeviceConfiguration: RequestLayout {
    public typealias Response = QueryDeviceConfigurationResponse
    @inlinable public static var kind: RequestKind { .queryDeviceConfiguration }
    @inlinable public static var byteCount: Int { 88 }
}

extension MessageField where Layout == QueryDeviceConfiguration, Value == UInt64 {
    /// The network driver's capabilities; three more words follow.
    @inlinable public static var capabilities: Self { .init(40) }
}

extension MessageField where Layout == QueryDeviceConfiguration, Value == UInt32 {
    @inlinable public static var protocolMajor: Self { .init(72) }
    @inlinable public static var protocolMinor: Self { .init(76) }
    @inlinable public static var protocolMicro: Self { .init(80) }
}

public enum QueryDeviceConfigurationResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 80 }
    @inlinable public static var shortestByteCount: Int { 72 }
}

extension MessageField where Layout == QueryDeviceConfigurationResponse, Value == UInt64 {
    /// `NetworkCapabilities`; three more words follow.
    @inlinable public static var capabilities: Self { .init(32) }
}

extension MessageField where Layout == QueryDeviceConfigurationResponse, Value == UInt16 {
    @inlinable public static var ports: Self { .init(64) }
    /// Version 2: bytes of the longest frame, its Ethernet header included.
    @inlinable public static var longestFrame: Self { .init(72) }
}

extension MessageField where Layout == QueryDeviceConfigurationResponse, Value == UInt8 {
    /// Version 3: bm_hostmode; not 0: the privileged requests are not for this driver.
    @inlinable public static var isHosted: Self { .init(66) }
}

extension MessageField where Layout == QueryDeviceConfigurationResponse, Value == UInt32 {
    @inlinable public static var eventQueues: Self { .init(68) }
}

/// MANA_QUERY_VPORT_CONFIG.
public enum QueryPort: RequestLayout {
    public typealias Response = QueryPortResponse
    @inlinable public static var kind: RequestKind { .queryPort }
    @inlinable public static var byteCount: Int { 44 }
}

extension MessageField where Layout == QueryPort, Value == UInt32 {
    @inlinable public static var index: Self { .init(40) }
}

public enum QueryPortResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 64 }
}

extension MessageField where Layout == QueryPortResponse, Value == UInt32 {
    @inlinable public static var sendQueues: Self { .init(32) }
    @inlinable public static var receiveQueues: Self { .init(36) }
    @inlinable public static var indirectionEntries: Self { .init(40) }
}

extension MessageField where Layout == QueryPortResponse, Value == UInt64 {
    @inlinable public static var port: Self { .init(56) }
}

extension MessageArray where Layout == QueryPortResponse, Value == UInt8 {
    @inlinable public static var address: Self { .init(48, count: 6) }
}

/// MANA_CONFIG_VPORT_TX.
public enum ConfigurePortTransmit: RequestLayout {
    public typealias Response = ConfigurePortTransmitResponse
    @inlinable public static var kind: RequestKind { .configurePortTransmit }
    @inlinable public static var byteCount: Int { 56 }
}

extension MessageField where Layout == ConfigurePortTransmit, Value == UInt64 {
    @inlinable public static var port: Self { .init(40) }
}

extension MessageField where Layout == ConfigurePortTransmit, Value == UInt32 {
    @inlinable public static var protectionDomain: Self { .init(48) }
    @inlinable public static var doorbellPage: Self { .init(52) }
}

public enum ConfigurePortTransmitResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 36 }
}

extension MessageField where Layout == ConfigurePortTransmitResponse, Value == UInt16 {
    /// What frames must carry in their out-of-band data; above 255 in the long format alone.
    @inlinable public static var portOffset: Self { .init(32) }
}

extension MessageField where Layout == ConfigurePortTransmitResponse, Value == UInt8 {
    @inlinable public static var allowsShortFormat: Self { .init(34) }
}

/// MANA_CONFIG_VPORT_RX: which queues get the frames.
public enum ConfigurePortReceive: RequestLayout {
    public typealias Response = ConfigurePortReceiveResponse
    @inlinable public static var kind: RequestKind { .configurePortReceive }
    @inlinable public static var byteCount: Int { 120 }
    /// TRI_STATE_UNKNOWN of rx_enable and rss_enable: as it was.
    @inlinable public static var unchanged: UInt32 { ~0 }
}

extension MessageField where Layout == ConfigurePortReceive, Value == UInt64 {
    @inlinable public static var port: Self { .init(40) }
    @inlinable public static var defaultObject: Self { .init(64) }
}

extension MessageField where Layout == ConfigurePortReceive, Value == UInt16 {
    @inlinable public static var indirectionEntries: Self { .init(48) }
    /// Where in the message the table is, bytes: 120.
    @inlinable public static var indirectionOffset: Self { .init(50) }
    /// `HashTypes`.
    @inlinable public static var hashTypes: Self { .init(116) }
}

extension MessageField where Layout == ConfigurePortReceive, Value == UInt32 {
    @inlinable public static var receives: Self { .init(52) }
    @inlinable public static var hashes: Self { .init(56) }
}

extension MessageField where Layout == ConfigurePortReceive, Value == UInt8 {
    @inlinable public static var updatesDefault: Self { .init(60) }
    @inlinable public static var updatesKey: Self { .init(61) }
    @inlinable public static var updatesIndirection: Self { .init(62) }
    /// Up to four frames per completion.
    @inlinable public static var coalesces: Self { .init(112) }
    /// Version 5: up to eight.
    @inlinable public static var coalescesEight: Self { .init(118) }
}

extension MessageArray where Layout == ConfigurePortReceive, Value == UInt8 {
    @inlinable public static var key: Self { .init(72, count: 40) }
}

extension MessageArray where Layout == ConfigurePortReceive, Value == UInt64 {
    /// Objects of receive queues.
    @inlinable public static var indirection: Self { .init(120, count: nil) }
}

public enum ConfigurePortReceiveResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 40 }
    @inlinable public static var shortestByteCount: Int { 32 }
}

extension MessageField where Layout == ConfigurePortReceiveResponse, Value == UInt32 {
    /// Version 2: how long a completion waits for more frames, nanoseconds.
    @inlinable public static var coalescingNanoseconds: Self { .init(32) }
}

/// MANA_QUERY_LINK_CONFIG.
public enum QueryLink: RequestLayout {
    public typealias Response = QueryLinkResponse
    @inlinable public static var kind: RequestKind { .queryLink }
    @inlinable public static var byteCount: Int { 48 }
}

extension MessageField where Layout == QueryLink, Value == UInt64 {
    @inlinable public static var port: Self { .init(40) }
}

public enum QueryLinkResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 48 }
}

extension MessageField where Layout == QueryLinkResponse, Value == UInt32 {
    /// What the port may have at most, Mbit/s.
    @inlinable public static var allowedMegabits: Self { .init(32) }
    @inlinable public static var currentMegabits: Self { .init(40) }
}

extension MessageField where Layout == QueryLinkResponse, Value == UInt8 {
    /// qos_unconfigured: the speed cannot be set now.
    @inlinable public static var isUnconfigured: Self { .init(36) }
}

/// MANA_SET_BW_CLAMP.
public enum SetBandwidthClamp: RequestLayout {
    public typealias Response = SetBandwidthClampResponse
    @inlinable public static var kind: RequestKind { .setBandwidthClamp }
    @inlinable public static var byteCount: Int { 56 }
}

extension MessageField where Layout == SetBandwidthClamp, Value == UInt64 {
    @inlinable public static var port: Self { .init(40) }
}

extension MessageField where Layout == SetBandwidthClamp, Value == UInt32 {
    @inlinable public static var isClamped: Self { .init(48) }
    @inlinable public static var megabits: Self { .init(52) }
}

public enum SetBandwidthClampResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 40 }
}

extension MessageField where Layout == SetBandwidthClampResponse, Value == UInt8 {
    @inlinable public static var isUnconfigured: Self { .init(32) }
}
