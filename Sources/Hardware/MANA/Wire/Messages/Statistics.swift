// What the hardware counts: for the function as a whole, and for the physical port beneath it.
// Source: Linux mana.h (STATISTICS_FLAGS_..., struct mana_query_gf_stat_resp, mana_query_phy_stat_resp) and the names of
// mana_ethtool.c of 6.12 and 7.x.

/// MANA_QUERY_GF_STAT.
public enum QueryFunctionStatistics: RequestLayout {
    public typealias Response = QueryFunctionStatisticsResponse
    @inlinable public static var kind: RequestKind { .queryFunctionStatistics }
    @inlinable public static var byteCount: Int { 48 }
}

extension MessageField where Layout == QueryFunctionStatistics, Value == UInt64 {
    /// Which counters are wanted: bits of `FunctionStatistic.maskBit`.
    @inlinable public static var wanted: Self { .init(40) }
}

public enum QueryFunctionStatisticsResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 256 }
}

extension MessageField where Layout == QueryFunctionStatisticsResponse, Value == UInt64 {
    @inlinable public static var reported: Self { .init(32) }
}

extension MessageArray where Layout == QueryFunctionStatisticsResponse, Value == UInt64 {
    /// By `FunctionStatistic.rawValue`.
    @inlinable public static var counters: Self { .init(40, count: 27) }
}

/// A counter of the function: its place in the answer.
@frozen public enum FunctionStatistic: Int, Sendable, CaseIterable {
    case receiveNoRequest = 0
    case receivePortDisabled
    case receiveBytes
    case receiveUnicastPackets
    case receiveUnicastBytes
    case receiveBroadcastPackets
    case receiveBroadcastBytes
    case receiveMulticastPackets
    case receiveMulticastBytes
    case transmitFunctionDisabled
    case transmitPortDisabled
    case transmitPortOffset
    case transmitVLAN
    case transmitEtherType
    case transmitSourceAddress
    case transmitSendDomain
    case transmitCompletionDomain
    case transmitTooLong
    case transmitOutOfBand
    case transmitBytes
    case transmitUnicastPackets
    case transmitUnicastBytes
    case transmitBroadcastPackets
    case transmitBroadcastBytes
    case transmitMulticastPackets
    case transmitMulticastBytes
    case transmitRequest

    /// Its bit in the mask of wanted counters. Multicast comes before broadcast there, and after it in the answer.
    public var maskBit: UInt64 {
        switch self {
        case .receiveMulticastPackets: 1 << 5
        case .receiveMulticastBytes: 1 << 6
        case .receiveBroadcastPackets: 1 << 7
        case .receiveBroadcastBytes: 1 << 8
        case .transmitMulticastPackets: 1 << 22
        case .transmitMulticastBytes: 1 << 23
        case .transmitBroadcastPackets: 1 << 24
        case .transmitBroadcastBytes: 1 << 25
        default: 1 << UInt64(rawValue)
        }
    }

    /// Its name in `ethtool -S`.
    public var name: String {
        switch self {
        case .receiveNoRequest: "hc_rx_discards_no_wqe"
        case .receivePortDisabled: "hc_rx_err_vport_disabled"
        case .receiveBytes: "hc_rx_bytes"
        case .receiveUnicastPackets: "hc_rx_ucast_pkts"
        case .receiveUnicastBytes: "hc_rx_ucast_bytes"
        case .receiveBroadcastPackets: "hc_rx_bcast_pkts"
        case .receiveBroadcastBytes: "hc_rx_bcast_bytes"
        case .receiveMulticastPackets: "hc_rx_mcast_pkts"
        case .receiveMulticastBytes: "hc_rx_mcast_bytes"
        case .transmitFunctionDisabled: "hc_tx_err_gf_disabled"
        case .transmitPortDisabled: "hc_tx_err_vport_disabled"
        case .transmitPortOffset: "hc_tx_err_inval_vportoffset_pkt"
        case .transmitVLAN: "hc_tx_err_vlan_enforcement"
        case .transmitEtherType: "hc_tx_err_eth_type_enforcement"
        case .transmitSourceAddress: "hc_tx_err_sa_enforcement"
        case .transmitSendDomain: "hc_tx_err_sqpdid_enforcement"
        case .transmitCompletionDomain: "hc_tx_err_cqpdid_enforcement"
        case .transmitTooLong: "hc_tx_err_mtu_violation"
        case .transmitOutOfBand: "hc_tx_err_inval_oob"
        case .transmitBytes: "hc_tx_bytes"
        case .transmitUnicastPackets: "hc_tx_ucast_pkts"
        case .transmitUnicastBytes: "hc_tx_ucast_bytes"
        case .transmitBroadcastPackets: "hc_tx_bcast_pkts"
        case .transmitBroadcastBytes: "hc_tx_bcast_bytes"
        case .transmitMulticastPackets: "hc_tx_mcast_pkts"
        case .transmitMulticastBytes: "hc_tx_mcast_bytes"
        case .transmitRequest: "hc_tx_err_gdma"
        }
    }
}

/// MANA_QUERY_PHY_STAT.
public enum QueryPhysicalStatistics: RequestLayout {
    public typealias Response = QueryPhysicalStatisticsResponse
    @inlinable public static var kind: RequestKind { .queryPhysicalStatistics }
    @inlinable public static var byteCount: Int { 48 }
}

extension MessageField where Layout == QueryPhysicalStatistics, Value == UInt64 {
    @inlinable public static var wanted: Self { .init(40) }
}

public enum QueryPhysicalStatisticsResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 440 }
}

extension MessageField where Layout == QueryPhysicalStatisticsResponse, Value == UInt64 {
    @inlinable public static var reported: Self { .init(32) }
}

extension MessageArray where Layout == QueryPhysicalStatisticsResponse, Value == UInt64 {
    /// By `PhysicalStatistic.place`.
    @inlinable public static var counters: Self { .init(40, count: 50) }
}

/// A counter of the physical port: dropped frames, or one of eight traffic classes.
@frozen public enum PhysicalStatistic: Hashable, Sendable {
    case dropped(transmit: Bool)
    case packets(class: Int, transmit: Bool)
    case bytes(class: Int, transmit: Bool)
    case pauses(class: Int, transmit: Bool)

    /// Its place in the answer: the directions alternate, receive first.
    public var place: Int {
        switch self {
        case .dropped(let transmit): transmit ? 1 : 0
        case .packets(let index, let transmit): 2 + 2 * index + (transmit ? 1 : 0)
        case .bytes(let index, let transmit): 18 + 2 * index + (transmit ? 1 : 0)
        case .pauses(let index, let transmit): 34 + 2 * index + (transmit ? 1 : 0)
        }
    }

    /// Its name in `ethtool -S`.
    public var name: String {
        func direction(_ transmit: Bool) -> String { transmit ? "tx" : "rx" }
        return switch self {
        case .dropped(let transmit): "hc_\(direction(transmit))_pkt_drop_phy"
        case .packets(let index, let transmit): "hc_tc\(index)_\(direction(transmit))_pkt_phy"
        case .bytes(let index, let transmit): "hc_tc\(index)_\(direction(transmit))_byte_phy"
        case .pauses(let index, let transmit): "hc_tc\(index)_\(direction(transmit))_pause_phy"
        }
    }

    /// All fifty, by place.
    public static var all: [PhysicalStatistic] {
        let both = [false, true]
        let classes = 0..<8
        return both.map { .dropped(transmit: $0) }
            + classes.flatMap { index in both.map { .packets(class: index, transmit: $0) } }
            + classes.flatMap { index in both.map { .bytes(class: index, transmit: $0) } }
            + classes.flatMap { index in both.map { .pauses(class: index, transmit: $0) } }
    }
}
