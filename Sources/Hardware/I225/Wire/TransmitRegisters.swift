// Transmit control, queues and time-aware scheduling.
// Source: Linux igc_main.c (igc_configure_tx), igc_tsn.c of 6.12 and 7.x; I210 data sheet §8.12.

import Registers

extension I225Register {
    /// Transmit control.
    @inlinable public static var transmitControl: Register<TransmitControl> { .init(0x00400, "TCTL") }
    /// Inter-packet gap.
    @inlinable public static var interPacketGap: Register<PlainWord> { .init(0x00410, "TIPG") }
    /// Packet buffer retry control; I226.
    @inlinable public static var retransmissionControl: Register<PlainWord> { .init(0x0041C, "RETX_CTL") }
    /// Transmit packet buffer sizes.
    @inlinable public static var transmitPacketBuffer: Register<PlainWord> { .init(0x03404, "TXPBS") }
    /// Longest frame, in units of 64 bytes.
    @inlinable public static var longestTransmitPacket: Register<PlainWord> { .init(0x0355C, "DTXMXPKTSZ") }
    /// Time-aware mode.
    @inlinable public static var queueArbitration: Register<QueueArbitration> { .init(0x03570, "TQAVCTRL") }
    /// Credit shaper: idle slope.
    @inlinable public static var creditControl: RegisterArray<PlainWord> {
        .init(0x03004, stride: 0x40, count: 4, "TQAVCC")
    }
    /// Credit shaper: high credit.
    @inlinable public static var highCredit: RegisterArray<PlainWord> {
        .init(0x0300C, stride: 0x40, count: 4, "TQAVHC")
    }
    /// How much earlier than its time a frame is launched, ns.
    @inlinable public static var launchOffset: Register<PlainWord> { .init(0x03310, "GTXOFFSET") }
    /// Schedule: base time, ns.
    @inlinable public static var scheduleBaseLow: Register<PlainWord> { .init(0x03314, "BASET_L") }
    /// Schedule: base time, s.
    @inlinable public static var scheduleBaseHigh: Register<PlainWord> { .init(0x03318, "BASET_H") }
    /// Schedule: cycle time in force, ns.
    @inlinable public static var scheduleCycle: Register<PlainWord> { .init(0x0331C, "QBVCYCLET") }
    /// Schedule: next cycle time, ns.
    @inlinable public static var scheduleCycleShadow: Register<PlainWord> { .init(0x03320, "QBVCYCLET_S") }
    /// Schedule: when in the cycle a queue's gate opens, ns.
    @inlinable public static var gateOpen: RegisterArray<PlainWord> { .init(0x03324, stride: 0x4, count: 4, "STQT") }
    /// Schedule: when in the cycle a queue's gate closes, ns.
    @inlinable public static var gateClose: RegisterArray<PlainWord> {
        .init(0x03334, stride: 0x4, count: 4, "ENDQT")
    }
    /// Schedule: how a queue takes part.
    @inlinable public static var queueScheduling: RegisterArray<QueueScheduling> {
        .init(0x03344, stride: 0x4, count: 4, "TXQCTL")
    }
    /// Queues in order of priority, 2 bits each.
    @inlinable public static var queuePriorities: Register<PlainWord> { .init(0x03354, "TXARB") }
    /// Transmit ring: address, low; aligned to 128 bytes.
    @inlinable public static var transmitBaseLow: RegisterArray<PlainWord> {
        .init(0x0E000, stride: 0x40, count: 4, "TDBAL")
    }
    /// Transmit ring: address, high.
    @inlinable public static var transmitBaseHigh: RegisterArray<PlainWord> {
        .init(0x0E004, stride: 0x40, count: 4, "TDBAH")
    }
    /// Transmit ring: bytes, a multiple of 128.
    @inlinable public static var transmitLength: RegisterArray<PlainWord> {
        .init(0x0E008, stride: 0x40, count: 4, "TDLEN")
    }
    /// Transmit ring: next descriptor of the device.
    @inlinable public static var transmitHead: RegisterArray<PlainWord> {
        .init(0x0E010, stride: 0x40, count: 4, "TDH")
    }
    /// Transmit ring: first descriptor that the device may not use. A doorbell.
    @inlinable public static var transmitTail: RegisterArray<PlainWord> {
        .init(0x0E018, stride: 0x40, count: 4, "TDT")
    }
    /// Transmit queue: enable, thresholds.
    @inlinable public static var transmitQueueControl: RegisterArray<QueueControl> {
        .init(0x0E028, stride: 0x40, count: 4, "TXDCTL")
    }
}

/// TCTL.
@frozen public struct TransmitControl: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == TransmitControl, Value == Bool {
    /// TXEN.
    @inlinable public static var enabled: Self { .init(bit: 1) }
    /// PSP: pad to 64 bytes with CRC.
    @inlinable public static var padShortPackets: Self { .init(bit: 3) }
    /// RTLC.
    @inlinable public static var retransmitLateCollision: Self { .init(bit: 24) }
}

extension Field where Layout == TransmitControl, Value == UInt32 {
    /// CT.
    @inlinable public static var collisionThreshold: Self { .init(bits: 4..<12) }
    /// COLD.
    @inlinable public static var collisionDistance: Self { .init(bits: 12..<22) }
}

/// TQAVCTRL.
@frozen public struct QueueArbitration: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == QueueArbitration, Value == Bool {
    /// TRANSMIT_MODE_TSN.
    @inlinable public static var timeAware: Self { .init(bit: 0) }
    /// PREEMPT_ENA.
    @inlinable public static var preemption: Self { .init(bit: 1) }
    /// ENHANCED_QAV.
    @inlinable public static var enhancedQav: Self { .init(bit: 3) }
    /// FUTSCDDIS.
    @inlinable public static var futureScheduleDisable: Self { .init(bit: 7) }
}

extension Field where Layout == QueueArbitration, Value == UInt32 {
    /// MIN_FRAG.
    @inlinable public static var minimumFragment: Self { .init(bits: 14..<16) }
}

/// TXQCTL.
@frozen public struct QueueScheduling: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == QueueScheduling, Value == Bool {
    /// QUEUE_MODE_LAUNCHT: descriptors carry launch times.
    @inlinable public static var launchTime: Self { .init(bit: 0) }
    /// STRICT_CYCLE.
    @inlinable public static var strictCycle: Self { .init(bit: 1) }
    /// STRICT_END.
    @inlinable public static var strictEnd: Self { .init(bit: 2) }
    /// PREEMPTIBLE.
    @inlinable public static var preemptible: Self { .init(bit: 3) }
}

extension Field where Layout == QueueScheduling, Value == UInt32 {
    /// 2: credit shaper 0, 3: credit shaper 1.
    @inlinable public static var shaper: Self { .init(bits: 6..<8) }
}
