// Receive control, queues and steering.
// Source: Linux igc_main.c (igc_configure_rx, igc_setup_mrqc, igc_set_rx_mode) of 6.12 and 7.x; I210 data sheet §8.10.

import Registers

extension I225Register {
    /// Receive control.
    @inlinable public static var receiveControl: Register<ReceiveControl> { .init(0x00100, "RCTL") }
    /// Receive packet buffer size.
    @inlinable public static var receivePacketBuffer: Register<ReceivePacketBuffer> { .init(0x02404, "RXPBS") }
    /// Receive checksum control.
    @inlinable public static var receiveChecksum: Register<ReceiveChecksum> { .init(0x05000, "RXCSUM") }
    /// Longest frame that is received, in bytes.
    @inlinable public static var longestPacket: Register<PlainWord> { .init(0x05004, "RLPML") }
    /// Receive filter control.
    @inlinable public static var receiveFilter: Register<ReceiveFilter> { .init(0x05008, "RFCTL") }
    /// Multicast table: 4096 bits.
    @inlinable public static var multicastTable: RegisterArray<PlainWord> {
        .init(0x05200, stride: 0x4, count: 128, "MTA")
    }
    /// Receive address: bytes 0 to 3, byte 0 lowest.
    @inlinable public static var receiveAddressLow: RegisterArray<PlainWord> {
        .init(0x05400, stride: 0x8, count: 16, "RAL")
    }
    /// Receive address: bytes 4 and 5, and how it is used.
    @inlinable public static var receiveAddressHigh: RegisterArray<ReceiveAddressHigh> {
        .init(0x05404, stride: 0x8, count: 16, "RAH")
    }
    /// Packet types that are split; storage.
    @inlinable public static var packetSplitTypes: RegisterArray<PlainWord> {
        .init(0x05480, stride: 0x4, count: 4, "PSRTYPE")
    }
    /// Queue by VLAN priority p: bits 4p+1:4p, valid at 4p+3.
    @inlinable public static var vlanPriorityQueues: Register<PlainWord> { .init(0x055B0, "VLANPQF") }
    /// Receive side scaling.
    @inlinable public static var multipleReceiveQueues: Register<MultipleReceiveQueues> { .init(0x05818, "MRQC") }
    /// Five-tuple queue filters; storage.
    @inlinable public static var fiveTupleFilter: RegisterArray<PlainWord> {
        .init(0x059E0, stride: 0x4, count: 8, "FTQF")
    }
    /// Immediate interrupt filters; storage.
    @inlinable public static var immediateInterrupt: RegisterArray<PlainWord> {
        .init(0x05A80, stride: 0x4, count: 8, "IMIR")
    }
    /// Immediate interrupt filters, more; storage.
    @inlinable public static var immediateInterruptExtended: RegisterArray<PlainWord> {
        .init(0x05AA0, stride: 0x4, count: 8, "IMIREXT")
    }
    /// Redirection table: 128 bytes, a queue each.
    @inlinable public static var redirectionTable: RegisterArray<PlainWord> {
        .init(0x05C00, stride: 0x4, count: 32, "RETA")
    }
    /// Toeplitz key: 40 bytes, byte 0 lowest in word 0.
    @inlinable public static var hashKey: RegisterArray<PlainWord> { .init(0x05C80, stride: 0x4, count: 10, "RSSRK") }
    /// Queue by EtherType.
    @inlinable public static var etherTypeFilter: RegisterArray<EtherTypeFilter> {
        .init(0x05CB0, stride: 0x4, count: 8, "ETQF")
    }
    /// Receive ring: address, low; aligned to 128 bytes.
    @inlinable public static var receiveBaseLow: RegisterArray<PlainWord> {
        .init(0x0C000, stride: 0x40, count: 4, "RDBAL")
    }
    /// Receive ring: address, high.
    @inlinable public static var receiveBaseHigh: RegisterArray<PlainWord> {
        .init(0x0C004, stride: 0x40, count: 4, "RDBAH")
    }
    /// Receive ring: bytes, a multiple of 128.
    @inlinable public static var receiveLength: RegisterArray<PlainWord> {
        .init(0x0C008, stride: 0x40, count: 4, "RDLEN")
    }
    /// Receive queue: buffers and stamps.
    @inlinable public static var splitReceiveControl: RegisterArray<SplitReceiveControl> {
        .init(0x0C00C, stride: 0x40, count: 4, "SRRCTL")
    }
    /// Receive ring: next descriptor of the device.
    @inlinable public static var receiveHead: RegisterArray<PlainWord> {
        .init(0x0C010, stride: 0x40, count: 4, "RDH")
    }
    /// Receive ring: first descriptor that the device may not use. A doorbell.
    @inlinable public static var receiveTail: RegisterArray<PlainWord> {
        .init(0x0C018, stride: 0x40, count: 4, "RDT")
    }
    /// Receive queue: enable, thresholds.
    @inlinable public static var receiveQueueControl: RegisterArray<QueueControl> {
        .init(0x0C028, stride: 0x40, count: 4, "RXDCTL")
    }
    /// Receive queue: frames dropped for want of descriptors; the driver writes 0.
    @inlinable public static var receiveQueueDrops: RegisterArray<PlainWord> {
        .init(0x0C030, stride: 0x40, count: 4, "RQDPC")
    }
}

/// RCTL.
@frozen public struct ReceiveControl: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == ReceiveControl, Value == Bool {
    /// RXEN.
    @inlinable public static var enabled: Self { .init(bit: 1) }
    /// SBP.
    @inlinable public static var storeBadPackets: Self { .init(bit: 2) }
    /// UPE.
    @inlinable public static var unicastPromiscuous: Self { .init(bit: 3) }
    /// MPE.
    @inlinable public static var multicastPromiscuous: Self { .init(bit: 4) }
    /// LPE: frames over 1522 bytes are received.
    @inlinable public static var longPackets: Self { .init(bit: 5) }
    /// BAM.
    @inlinable public static var acceptBroadcast: Self { .init(bit: 15) }
    /// CFIEN.
    @inlinable public static var canonicalFormCheck: Self { .init(bit: 19) }
    /// DPF.
    @inlinable public static var discardPause: Self { .init(bit: 22) }
    /// PMCF.
    @inlinable public static var passControlFrames: Self { .init(bit: 23) }
    /// SECRC: the CRC is not stored.
    @inlinable public static var stripCRC: Self { .init(bit: 26) }
}

extension Field where Layout == ReceiveControl, Value == UInt32 {
    /// LBM.
    @inlinable public static var loopback: Self { .init(bits: 6..<8) }
    /// MO: which 12 address bits are the multicast hash.
    @inlinable public static var multicastOffset: Self { .init(bits: 12..<14) }
}

/// RXPBS.
@frozen public struct ReceivePacketBuffer: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == ReceivePacketBuffer, Value == Bool {
    /// CFG_TS_EN: stamps are put in front of frames.
    @inlinable public static var timestamps: Self { .init(bit: 31) }
}

extension Field where Layout == ReceivePacketBuffer, Value == UInt32 {
    /// Express buffer in KB.
    @inlinable public static var expressKilobytes: Self { .init(bits: 0..<6) }
    /// Management buffer in KB.
    @inlinable public static var managementKilobytes: Self { .init(bits: 6..<12) }
    /// Best effort buffer in KB.
    @inlinable public static var bestEffortKilobytes: Self { .init(bits: 12..<18) }
}

/// RXCSUM.
@frozen public struct ReceiveChecksum: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == ReceiveChecksum, Value == Bool {
    /// IPOFL.
    @inlinable public static var ipChecksum: Self { .init(bit: 8) }
    /// TUOFL.
    @inlinable public static var transportChecksum: Self { .init(bit: 9) }
    /// CRCOFL.
    @inlinable public static var sctpChecksum: Self { .init(bit: 11) }
    /// PCSD: the descriptor carries the RSS hash.
    @inlinable public static var hashInsteadOfChecksum: Self { .init(bit: 13) }
}

extension Field where Layout == ReceiveChecksum, Value == UInt32 {
    /// PCSS.
    @inlinable public static var start: Self { .init(bits: 0..<8) }
}

/// RFCTL.
@frozen public struct ReceiveFilter: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == ReceiveFilter, Value == Bool {
    /// IPV6_EX_DIS.
    @inlinable public static var ipv6ExtensionDisable: Self { .init(bit: 16) }
    /// LEF.
    @inlinable public static var legacyDescriptors: Self { .init(bit: 18) }
}

/// RAH.
@frozen public struct ReceiveAddressHigh: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == ReceiveAddressHigh, Value == Bool {
    /// QSEL_EN: the queue field holds.
    @inlinable public static var selectsQueue: Self { .init(bit: 28) }
    /// AV: the entry holds.
    @inlinable public static var valid: Self { .init(bit: 31) }
}

extension Field where Layout == ReceiveAddressHigh, Value == UInt32 {
    /// Bytes 4 and 5.
    @inlinable public static var address: Self { .init(bits: 0..<16) }
    /// ASEL: 0 destination, 1 source.
    @inlinable public static var addressSelect: Self { .init(bits: 16..<18) }
    /// Queue.
    @inlinable public static var queue: Self { .init(bits: 18..<20) }
}

/// MRQC.
@frozen public struct MultipleReceiveQueues: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == MultipleReceiveQueues, Value == Bool {
    /// TCP over IPv4.
    @inlinable public static var hashTCPv4: Self { .init(bit: 16) }
    /// IPv4.
    @inlinable public static var hashIPv4: Self { .init(bit: 17) }
    /// TCP over IPv6 with extension headers.
    @inlinable public static var hashTCPv6Extended: Self { .init(bit: 18) }
    /// IPv6.
    @inlinable public static var hashIPv6: Self { .init(bit: 20) }
    /// TCP over IPv6.
    @inlinable public static var hashTCPv6: Self { .init(bit: 21) }
    /// UDP over IPv4.
    @inlinable public static var hashUDPv4: Self { .init(bit: 22) }
    /// UDP over IPv6.
    @inlinable public static var hashUDPv6: Self { .init(bit: 23) }
}

extension Field where Layout == MultipleReceiveQueues, Value == UInt32 {
    /// 2: queues by RSS.
    @inlinable public static var mode: Self { .init(bits: 0..<3) }
    /// Queue of what has no hash.
    @inlinable public static var defaultQueue: Self { .init(bits: 3..<6) }
}

extension MultipleReceiveQueues {
    /// The mode in which the hash chooses the queue.
    @inlinable public static var receiveSideScaling: UInt32 { 2 }
}

/// ETQF.
@frozen public struct EtherTypeFilter: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == EtherTypeFilter, Value == Bool {
    /// The filter holds.
    @inlinable public static var enabled: Self { .init(bit: 26) }
    /// The queue field holds.
    @inlinable public static var selectsQueue: Self { .init(bit: 31) }
}

extension Field where Layout == EtherTypeFilter, Value == UInt32 {
    /// EtherType.
    @inlinable public static var etherType: Self { .init(bits: 0..<16) }
    /// Queue.
    @inlinable public static var queue: Self { .init(bits: 16..<19) }
}

/// SRRCTL.
@frozen public struct SplitReceiveControl: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == SplitReceiveControl, Value == Bool {
    /// Stamps are put in front of this queue's frames.
    @inlinable public static var timestamps: Self { .init(bit: 30) }
}

extension Field where Layout == SplitReceiveControl, Value == UInt32 {
    /// BSIZEPKT: bytes of a buffer, in KB.
    @inlinable public static var bufferKilobytes: Self { .init(bits: 0..<7) }
    /// BSIZEHDR: bytes of a header buffer, in units of 64.
    @inlinable public static var headerUnits: Self { .init(bits: 8..<14) }
    /// TIMER1SEL: the timer of the first stamp of the header.
    @inlinable public static var timer1: Self { .init(bits: 14..<16) }
    /// TIMER0SEL: the timer of the second stamp of the header.
    @inlinable public static var timer0: Self { .init(bits: 17..<19) }
    /// DESCTYPE: 1 is advanced with one buffer.
    @inlinable public static var descriptorType: Self { .init(bits: 25..<28) }
}

extension SplitReceiveControl {
    /// Advanced descriptors, one buffer.
    @inlinable public static var advancedOneBuffer: UInt32 { 1 }
}

/// RXDCTL and TXDCTL.
@frozen public struct QueueControl: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == QueueControl, Value == Bool {
    /// The queue works.
    @inlinable public static var enabled: Self { .init(bit: 25) }
    /// SWFLUSH: forget what was fetched.
    @inlinable public static var flush: Self { .init(bit: 26) }
    /// TXDCTL only: fetched before others.
    @inlinable public static var highPriority: Self { .init(bit: 27) }
}

extension Field where Layout == QueueControl, Value == UInt32 {
    /// PTHRESH, descriptors.
    @inlinable public static var prefetchThreshold: Self { .init(bits: 0..<5) }
    /// HTHRESH, descriptors.
    @inlinable public static var hostThreshold: Self { .init(bits: 8..<13) }
    /// WTHRESH, descriptors.
    @inlinable public static var writeBackThreshold: Self { .init(bits: 16..<21) }
}
