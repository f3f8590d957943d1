// The MAC's counters. All are read-to-clear; byte counts are 64 bits in two registers and include each frame's CRC.
// Source: Linux igc_regs.h and igc_update_stats (igc_main.c) of 6.12 and 7.x; names of igc_ethtool.c.

import Registers

/// A counter of the MAC: where it is, and what Linux calls it.
public struct I225Statistic: Sendable {
    /// The counter, or its low half.
    public let register: Register<PlainWord>
    /// The high half of a 64-bit counter. The low half is read first.
    public let high: Register<PlainWord>?
    /// The string of `ethtool -S` (igc_ethtool.c), where it has one.
    public let ethtoolName: String?

    init(_ register: Register<PlainWord>, high: Register<PlainWord>? = nil, _ ethtoolName: String? = nil) {
        self.register = register
        self.high = high
        self.ethtoolName = ethtoolName
    }

    /// All counters, in the order of their registers. A read of a counter clears it.
    public static let all: [I225Statistic] = [
        .init(I225Register.crcErrors, "rx_crc_errors"),
        .init(I225Register.alignmentErrors, "rx_align_errors"),
        .init(I225Register.receiveErrors),
        .init(I225Register.missedPackets, "rx_missed_errors"),
        .init(I225Register.singleCollisions, "tx_single_coll_ok"),
        .init(I225Register.excessiveCollisions, "tx_aborted_errors"),
        .init(I225Register.multipleCollisions, "tx_multi_coll_ok"),
        .init(I225Register.lateCollisions, "tx_window_errors"),
        .init(I225Register.collisions, "collisions"),
        .init(I225Register.receiveErrorCount),
        .init(I225Register.deferrals, "tx_deferred_ok"),
        .init(I225Register.transmitsWithoutCarrier, "tx_carrier_errors"),
        .init(I225Register.hostTransmitDiscards),
        .init(I225Register.receiveLengthErrors),
        .init(I225Register.xonReceived, "rx_flow_control_xon"),
        .init(I225Register.xonTransmitted, "tx_flow_control_xon"),
        .init(I225Register.xoffReceived, "rx_flow_control_xoff"),
        .init(I225Register.xoffTransmitted, "tx_flow_control_xoff"),
        .init(I225Register.unsupportedFlowControl),
        .init(I225Register.received64),
        .init(I225Register.received127),
        .init(I225Register.received255),
        .init(I225Register.received511),
        .init(I225Register.received1023),
        .init(I225Register.received1522),
        .init(I225Register.goodPacketsReceived, "rx_packets"),
        .init(I225Register.broadcastsReceived, "rx_broadcast"),
        .init(I225Register.multicastsReceived, "rx_multicast"),
        .init(I225Register.goodPacketsTransmitted, "tx_packets"),
        .init(I225Register.goodOctetsReceived, high: I225Register.goodOctetsReceivedHigh, "rx_bytes"),
        .init(I225Register.goodOctetsTransmitted, high: I225Register.goodOctetsTransmittedHigh, "tx_bytes"),
        .init(I225Register.receivedWithoutBuffer, "rx_no_buffer_count"),
        .init(I225Register.undersizeReceived, "rx_short_length_errors"),
        .init(I225Register.fragmentsReceived),
        .init(I225Register.oversizeReceived, "rx_long_length_errors"),
        .init(I225Register.jabbersReceived),
        .init(I225Register.managementReceived, "rx_smbus"),
        .init(I225Register.managementDropped, "dropped_smbus"),
        .init(I225Register.managementTransmitted, "tx_smbus"),
        .init(I225Register.totalOctetsReceived, high: I225Register.totalOctetsReceivedHigh),
        .init(I225Register.totalOctetsTransmitted, high: I225Register.totalOctetsTransmittedHigh),
        .init(I225Register.totalPacketsReceived),
        .init(I225Register.totalPacketsTransmitted),
        .init(I225Register.transmitted64),
        .init(I225Register.transmitted127),
        .init(I225Register.transmitted255),
        .init(I225Register.transmitted511),
        .init(I225Register.transmitted1023),
        .init(I225Register.transmitted1522),
        .init(I225Register.multicastsTransmitted, "tx_multicast"),
        .init(I225Register.broadcastsTransmitted, "tx_broadcast"),
        .init(I225Register.segmentationContexts, "tx_tcp_seg_good"),
        .init(I225Register.interruptsAsserted),
        .init(I225Register.packetsToHost),
        .init(I225Register.hostGoodTransmitted),
        .init(I225Register.receiveThresholds),
        .init(I225Register.hostGoodOctetsReceived, high: I225Register.hostGoodOctetsReceivedHigh),
        .init(I225Register.hostGoodOctetsTransmitted, high: I225Register.hostGoodOctetsTransmittedHigh),
        .init(I225Register.lengthErrors),
        .init(I225Register.transmitLowPowerEntries, "tx_lpi_counter"),
        .init(I225Register.receiveLowPowerEntries, "rx_lpi_counter"),
        .init(I225Register.preemptedReceived),
        .init(I225Register.preemptedTransmitted),
        .init(I225Register.preemptionEventsTransmitted),
        .init(I225Register.preemptionEventsReceived),
    ]
}

extension I225Register {
    /// Frames with a bad CRC.
    @inlinable public static var crcErrors: Register<PlainWord> { .init(0x04000, "CRCERRS") }
    /// Frames that were not whole bytes.
    @inlinable public static var alignmentErrors: Register<PlainWord> { .init(0x04004, "ALGNERRC") }
    /// Receive errors of the PHY.
    @inlinable public static var receiveErrors: Register<PlainWord> { .init(0x0400C, "RXERRC") }
    /// Frames dropped for want of packet buffer.
    @inlinable public static var missedPackets: Register<PlainWord> { .init(0x04010, "MPC") }
    /// Single collisions.
    @inlinable public static var singleCollisions: Register<PlainWord> { .init(0x04014, "SCC") }
    /// Excessive collisions.
    @inlinable public static var excessiveCollisions: Register<PlainWord> { .init(0x04018, "ECOL") }
    /// Multiple collisions.
    @inlinable public static var multipleCollisions: Register<PlainWord> { .init(0x0401C, "MCC") }
    /// Late collisions.
    @inlinable public static var lateCollisions: Register<PlainWord> { .init(0x04020, "LATECOL") }
    /// Collisions.
    @inlinable public static var collisions: Register<PlainWord> { .init(0x04028, "COLC") }
    /// Receive errors.
    @inlinable public static var receiveErrorCount: Register<PlainWord> { .init(0x0402C, "RERC") }
    /// Deferred frames.
    @inlinable public static var deferrals: Register<PlainWord> { .init(0x04030, "DC") }
    /// Frames sent without carrier sense.
    @inlinable public static var transmitsWithoutCarrier: Register<PlainWord> { .init(0x04034, "TNCRS") }
    /// Frames of the host discarded by the MAC.
    @inlinable public static var hostTransmitDiscards: Register<PlainWord> { .init(0x0403C, "HTDPMC") }
    /// Frames with a wrong length field.
    @inlinable public static var receiveLengthErrors: Register<PlainWord> { .init(0x04040, "RLEC") }
    /// XON frames received.
    @inlinable public static var xonReceived: Register<PlainWord> { .init(0x04048, "XONRXC") }
    /// XON frames sent.
    @inlinable public static var xonTransmitted: Register<PlainWord> { .init(0x0404C, "XONTXC") }
    /// XOFF frames received.
    @inlinable public static var xoffReceived: Register<PlainWord> { .init(0x04050, "XOFFRXC") }
    /// XOFF frames sent.
    @inlinable public static var xoffTransmitted: Register<PlainWord> { .init(0x04054, "XOFFTXC") }
    /// Unsupported flow control frames received.
    @inlinable public static var unsupportedFlowControl: Register<PlainWord> { .init(0x04058, "FCRUC") }
    /// Good frames received of 64 bytes.
    @inlinable public static var received64: Register<PlainWord> { .init(0x0405C, "PRC64") }
    /// Good frames received of 65 to 127 bytes.
    @inlinable public static var received127: Register<PlainWord> { .init(0x04060, "PRC127") }
    /// Good frames received of 128 to 255 bytes.
    @inlinable public static var received255: Register<PlainWord> { .init(0x04064, "PRC255") }
    /// Good frames received of 256 to 511 bytes.
    @inlinable public static var received511: Register<PlainWord> { .init(0x04068, "PRC511") }
    /// Good frames received of 512 to 1023 bytes.
    @inlinable public static var received1023: Register<PlainWord> { .init(0x0406C, "PRC1023") }
    /// Good frames received of 1024 bytes and more.
    @inlinable public static var received1522: Register<PlainWord> { .init(0x04070, "PRC1522") }
    /// Good frames received.
    @inlinable public static var goodPacketsReceived: Register<PlainWord> { .init(0x04074, "GPRC") }
    /// Broadcast frames received.
    @inlinable public static var broadcastsReceived: Register<PlainWord> { .init(0x04078, "BPRC") }
    /// Multicast frames received.
    @inlinable public static var multicastsReceived: Register<PlainWord> { .init(0x0407C, "MPRC") }
    /// Good frames sent.
    @inlinable public static var goodPacketsTransmitted: Register<PlainWord> { .init(0x04080, "GPTC") }
    /// Bytes of good frames received, with CRC; low half.
    @inlinable public static var goodOctetsReceived: Register<PlainWord> { .init(0x04088, "GORCL") }
    /// Bytes of good frames received, with CRC; high half.
    @inlinable public static var goodOctetsReceivedHigh: Register<PlainWord> { .init(0x0408C, "GORCH") }
    /// Bytes of good frames sent, with CRC; low half.
    @inlinable public static var goodOctetsTransmitted: Register<PlainWord> { .init(0x04090, "GOTCL") }
    /// Bytes of good frames sent, with CRC; high half.
    @inlinable public static var goodOctetsTransmittedHigh: Register<PlainWord> { .init(0x04094, "GOTCH") }
    /// Frames that came while no descriptor was free.
    @inlinable public static var receivedWithoutBuffer: Register<PlainWord> { .init(0x040A0, "RNBC") }
    /// Frames under 64 bytes with a good CRC.
    @inlinable public static var undersizeReceived: Register<PlainWord> { .init(0x040A4, "RUC") }
    /// Frames under 64 bytes with a bad CRC.
    @inlinable public static var fragmentsReceived: Register<PlainWord> { .init(0x040A8, "RFC") }
    /// Frames longer than allowed.
    @inlinable public static var oversizeReceived: Register<PlainWord> { .init(0x040AC, "ROC") }
    /// Frames longer than allowed with a bad CRC.
    @inlinable public static var jabbersReceived: Register<PlainWord> { .init(0x040B0, "RJC") }
    /// Management frames received.
    @inlinable public static var managementReceived: Register<PlainWord> { .init(0x040B4, "MGTPRC") }
    /// Management frames dropped.
    @inlinable public static var managementDropped: Register<PlainWord> { .init(0x040B8, "MGTPDC") }
    /// Management frames sent.
    @inlinable public static var managementTransmitted: Register<PlainWord> { .init(0x040BC, "MGTPTC") }
    /// Bytes of all frames received, with CRC; low half.
    @inlinable public static var totalOctetsReceived: Register<PlainWord> { .init(0x040C0, "TORL") }
    /// Bytes of all frames received, with CRC; high half.
    @inlinable public static var totalOctetsReceivedHigh: Register<PlainWord> { .init(0x040C4, "TORH") }
    /// Bytes of all frames sent, with CRC; low half.
    @inlinable public static var totalOctetsTransmitted: Register<PlainWord> { .init(0x040C8, "TOTL") }
    /// Bytes of all frames sent, with CRC; high half.
    @inlinable public static var totalOctetsTransmittedHigh: Register<PlainWord> { .init(0x040CC, "TOTH") }
    /// All frames received.
    @inlinable public static var totalPacketsReceived: Register<PlainWord> { .init(0x040D0, "TPR") }
    /// All frames sent.
    @inlinable public static var totalPacketsTransmitted: Register<PlainWord> { .init(0x040D4, "TPT") }
    /// Frames sent of 64 bytes.
    @inlinable public static var transmitted64: Register<PlainWord> { .init(0x040D8, "PTC64") }
    /// Frames sent of 65 to 127 bytes.
    @inlinable public static var transmitted127: Register<PlainWord> { .init(0x040DC, "PTC127") }
    /// Frames sent of 128 to 255 bytes.
    @inlinable public static var transmitted255: Register<PlainWord> { .init(0x040E0, "PTC255") }
    /// Frames sent of 256 to 511 bytes.
    @inlinable public static var transmitted511: Register<PlainWord> { .init(0x040E4, "PTC511") }
    /// Frames sent of 512 to 1023 bytes.
    @inlinable public static var transmitted1023: Register<PlainWord> { .init(0x040E8, "PTC1023") }
    /// Frames sent of 1024 bytes and more.
    @inlinable public static var transmitted1522: Register<PlainWord> { .init(0x040EC, "PTC1522") }
    /// Multicast frames sent.
    @inlinable public static var multicastsTransmitted: Register<PlainWord> { .init(0x040F0, "MPTC") }
    /// Broadcast frames sent.
    @inlinable public static var broadcastsTransmitted: Register<PlainWord> { .init(0x040F4, "BPTC") }
    /// Frames that were segmented.
    @inlinable public static var segmentationContexts: Register<PlainWord> { .init(0x040F8, "TSCTC") }
    /// Interrupts asserted.
    @inlinable public static var interruptsAsserted: Register<PlainWord> { .init(0x04100, "IAC") }
    /// Frames received to the host.
    @inlinable public static var packetsToHost: Register<PlainWord> { .init(0x04104, "RPTHC") }
    /// Good frames of the host sent.
    @inlinable public static var hostGoodTransmitted: Register<PlainWord> { .init(0x04118, "HGPTC") }
    /// Times that receive descriptors ran low.
    @inlinable public static var receiveThresholds: Register<PlainWord> { .init(0x04120, "RXDMTC") }
    /// Bytes of good frames received to the host, with CRC; low half.
    @inlinable public static var hostGoodOctetsReceived: Register<PlainWord> { .init(0x04128, "HGORCL") }
    /// Bytes of good frames received to the host, with CRC; high half.
    @inlinable public static var hostGoodOctetsReceivedHigh: Register<PlainWord> { .init(0x0412C, "HGORCH") }
    /// Bytes of good frames of the host sent, with CRC; low half.
    @inlinable public static var hostGoodOctetsTransmitted: Register<PlainWord> { .init(0x04130, "HGOTCL") }
    /// Bytes of good frames of the host sent, with CRC; high half.
    @inlinable public static var hostGoodOctetsTransmittedHigh: Register<PlainWord> { .init(0x04134, "HGOTCH") }
    /// Length errors.
    @inlinable public static var lengthErrors: Register<PlainWord> { .init(0x04138, "LENERRS") }
    /// Low power idle entries, transmit.
    @inlinable public static var transmitLowPowerEntries: Register<PlainWord> { .init(0x04148, "TLPIC") }
    /// Low power idle entries, receive.
    @inlinable public static var receiveLowPowerEntries: Register<PlainWord> { .init(0x0414C, "RLPIC") }
    /// Preempted frames received.
    @inlinable public static var preemptedReceived: Register<PlainWord> { .init(0x04284, "PRMPTDRCNT") }
    /// Preempted frames sent.
    @inlinable public static var preemptedTransmitted: Register<PlainWord> { .init(0x04298, "PRMPTDTCNT") }
    /// Preemption events, transmit.
    @inlinable public static var preemptionEventsTransmitted: Register<PlainWord> { .init(0x0429C, "PRMEVNTTCNT") }
    /// Preemption events, receive.
    @inlinable public static var preemptionEventsReceived: Register<PlainWord> { .init(0x042A0, "PRMEVNTRCNT") }
}
