// The device's clock, its stamps, and the pins that share it.
// Source: Linux igc_ptp.c of 6.12 and 7.x; I210 data sheet §8.15.

import Registers

extension I225Register {
    /// Timer 0: nanoseconds; reading it latches the seconds.
    @inlinable public static var systemTimeLow: Register<PlainWord> { .init(0x0B600, "SYSTIML") }
    /// Timer 0: seconds.
    @inlinable public static var systemTimeHigh: Register<PlainWord> { .init(0x0B604, "SYSTIMH") }
    /// Timer 0: below a nanosecond.
    @inlinable public static var systemTimeResidue: Register<PlainWord> { .init(0x0B6F8, "SYSTIMR") }
    /// Timer 0: rate correction.
    @inlinable public static var timeIncrement: Register<TimeIncrement> { .init(0x0B608, "TIMINCA") }
    /// Timer 0: offset adjustment.
    @inlinable public static var timeAdjustment: Register<PlainWord> { .init(0x0B60C, "TIMADJ") }
    /// Timer 1: below a nanosecond.
    @inlinable public static var freeTimeResidue: Register<PlainWord> { .init(0x0B684, "SYSTIMR_1") }
    /// Timer 1: nanoseconds; reading it latches the seconds.
    @inlinable public static var freeTimeLow: Register<PlainWord> { .init(0x0B688, "SYSTIML_1") }
    /// Timer 1: seconds.
    @inlinable public static var freeTimeHigh: Register<PlainWord> { .init(0x0B68C, "SYSTIMH_1") }
    /// Timer 1: rate correction.
    @inlinable public static var freeTimeIncrement: Register<TimeIncrement> { .init(0x0B690, "TIMINCA_1") }
    /// Transmit stamps: enable, and which slots are full.
    @inlinable public static var transmitStampControl: Register<TransmitStampControl> { .init(0x0B614, "TSYNCTXCTL") }
    /// Transmit stamp 0: nanoseconds.
    @inlinable public static var transmitStampLow0: Register<PlainWord> { .init(0x0B618, "TXSTMPL_0") }
    /// Transmit stamp 0: seconds; reading it empties the slot.
    @inlinable public static var transmitStampHigh0: Register<PlainWord> { .init(0x0B61C, "TXSTMPH_0") }
    /// Transmit stamps 1 to 3: nanoseconds.
    @inlinable public static var transmitStampLow1To3: RegisterArray<PlainWord> {
        .init(0x0B698, stride: 0x20, count: 3, "TXSTMPL_1")
    }
    /// Transmit stamps 1 to 3: seconds; reading one empties its slot.
    @inlinable public static var transmitStampHigh1To3: RegisterArray<PlainWord> {
        .init(0x0B69C, stride: 0x20, count: 3, "TXSTMPH_1")
    }
    /// Receive stamps: enable and kind.
    @inlinable public static var receiveStampControl: Register<ReceiveStampControl> { .init(0x0B620, "TSYNCRXCTL") }
    /// Receive stamp: nanoseconds; stamps come in the buffer instead.
    @inlinable public static var receiveStampLow: Register<PlainWord> { .init(0x0B624, "RXSTMPL") }
    /// Receive stamp: seconds.
    @inlinable public static var receiveStampHigh: Register<PlainWord> { .init(0x0B628, "RXSTMPH") }
    /// Receive stamps: which PTP messages.
    @inlinable public static var receiveStampConfiguration: Register<PlainWord> { .init(0x05F50, "TSYNCRXCFG") }
    /// Target times, clock outputs and event capture.
    @inlinable public static var auxiliaryControl: Register<AuxiliaryControl> { .init(0x0B640, "TSAUXC") }
    /// Target time 0: nanoseconds.
    @inlinable public static var targetTimeLow0: Register<TargetTimeLow> { .init(0x0B644, "TRGTTIML0") }
    /// Target time 0: seconds.
    @inlinable public static var targetTimeHigh0: Register<PlainWord> { .init(0x0B648, "TRGTTIMH0") }
    /// Target time 1: nanoseconds.
    @inlinable public static var targetTimeLow1: Register<TargetTimeLow> { .init(0x0B64C, "TRGTTIML1") }
    /// Target time 1: seconds.
    @inlinable public static var targetTimeHigh1: Register<PlainWord> { .init(0x0B650, "TRGTTIMH1") }
    /// Clock output: half a period, ns.
    @inlinable public static var frequencyOut: RegisterArray<PlainWord> {
        .init(0x0B654, stride: 0x4, count: 2, "FREQOUT")
    }
    /// Event 0: nanoseconds.
    @inlinable public static var auxiliaryStampLow0: Register<PlainWord> { .init(0x0B65C, "AUXSTMPL0") }
    /// Event 0: seconds; reading it re-arms the capture.
    @inlinable public static var auxiliaryStampHigh0: Register<PlainWord> { .init(0x0B660, "AUXSTMPH0") }
    /// Event 1: nanoseconds.
    @inlinable public static var auxiliaryStampLow1: Register<PlainWord> { .init(0x0B664, "AUXSTMPL1") }
    /// Event 1: seconds; reading it re-arms the capture.
    @inlinable public static var auxiliaryStampHigh1: Register<PlainWord> { .init(0x0B668, "AUXSTMPH1") }
    /// Time sync causes; a read clears.
    @inlinable public static var timeSyncCause: Register<TimeSyncCause> { .init(0x0B66C, "TSICR") }
    /// Time sync causes that set ICR.TS.
    @inlinable public static var timeSyncMask: Register<TimeSyncCause> { .init(0x0B674, "TSIM") }
    /// Which pin carries which event or output.
    @inlinable public static var pinConfiguration: Register<PinConfiguration> { .init(0x0003C, "TSSDP") }
}

extension I225Register {
    /// The nanoseconds of transmit stamp slot 0...3.
    @inlinable public static func transmitStampLow(_ slot: Int) -> Register<PlainWord> {
        slot == 0 ? transmitStampLow0 : transmitStampLow1To3[slot - 1]
    }

    /// The seconds of transmit stamp slot 0...3.
    @inlinable public static func transmitStampHigh(_ slot: Int) -> Register<PlainWord> {
        slot == 0 ? transmitStampHigh0 : transmitStampHigh1To3[slot - 1]
    }
}

/// TIMINCA.
@frozen public struct TimeIncrement: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == TimeIncrement, Value == Bool {
    /// The correction is subtracted.
    @inlinable public static var slower: Self { .init(bit: 31) }
}

extension Field where Layout == TimeIncrement, Value == UInt32 {
    /// Units of 2^-32 ns per 3.2 ns tick.
    @inlinable public static var correction: Self { .init(bits: 0..<31) }
}

/// TSYNCTXCTL.
@frozen public struct TransmitStampControl: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == TransmitStampControl, Value == Bool {
    /// Stamps are taken.
    @inlinable public static var enabled: Self { .init(bit: 4) }
    /// Stamps are taken at the PHY.
    @inlinable public static var sampleAtPHY: Self { .init(bit: 5) }
}

extension Field where Layout == TransmitStampControl, Value == UInt32 {
    /// TXTT_0 to TXTT_3: one bit per full slot; read only.
    @inlinable public static var fullSlots: Self { .init(bits: 0..<4) }
}

/// TSYNCRXCTL.
@frozen public struct ReceiveStampControl: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == ReceiveStampControl, Value == Bool {
    /// Stamps are taken.
    @inlinable public static var enabled: Self { .init(bit: 4) }
    /// Stamps are taken at the PHY.
    @inlinable public static var sampleAtPHY: Self { .init(bit: 10) }
}

extension Field where Layout == ReceiveStampControl, Value == UInt32 {
    /// 4: every frame.
    @inlinable public static var kind: Self { .init(bits: 1..<4) }
}

extension ReceiveStampControl {
    /// The kind of which every frame is stamped.
    @inlinable public static var everyFrame: UInt32 { 4 }
}

/// TSAUXC.
@frozen public struct AuxiliaryControl: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == AuxiliaryControl, Value == Bool {
    /// EN_TT0.
    @inlinable public static var targetTime0: Self { .init(bit: 0) }
    /// EN_TT1.
    @inlinable public static var targetTime1: Self { .init(bit: 1) }
    /// EN_CLK0.
    @inlinable public static var clock0: Self { .init(bit: 2) }
    /// ST0.
    @inlinable public static var startClock0: Self { .init(bit: 4) }
    /// EN_CLK1.
    @inlinable public static var clock1: Self { .init(bit: 5) }
    /// ST1.
    @inlinable public static var startClock1: Self { .init(bit: 7) }
    /// EN_TS0.
    @inlinable public static var event0: Self { .init(bit: 8) }
    /// AUTT0.
    @inlinable public static var event0Captured: Self { .init(bit: 9) }
    /// EN_TS1.
    @inlinable public static var event1: Self { .init(bit: 10) }
    /// AUTT1.
    @inlinable public static var event1Captured: Self { .init(bit: 11) }
    /// PLSG.
    @inlinable public static var pulse: Self { .init(bit: 17) }
    /// DIS_TS1.
    @inlinable public static var timer1Stopped: Self { .init(bit: 27) }
    /// DIS_TS2.
    @inlinable public static var timer2Stopped: Self { .init(bit: 28) }
    /// DIS_TS3.
    @inlinable public static var timer3Stopped: Self { .init(bit: 29) }
    /// A target time stays enabled after its match.
    @inlinable public static var keepTargetTime: Self { .init(bit: 30) }
    /// DIS_TS0.
    @inlinable public static var timer0Stopped: Self { .init(bit: 31) }
}

/// TRGTTIML.
@frozen public struct TargetTimeLow: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == TargetTimeLow, Value == UInt32 {
    /// Nanoseconds.
    @inlinable public static var nanoseconds: Self { .init(bits: 0..<30) }
    /// The timer that is compared.
    @inlinable public static var timer: Self { .init(bits: 30..<32) }
}

/// TSICR and TSIM.
@frozen public struct TimeSyncCause: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == TimeSyncCause, Value == Bool {
    /// SYS_WRAP: timer 0 began a second.
    @inlinable public static var secondWrapped: Self { .init(bit: 0) }
    /// TXTS.
    @inlinable public static var transmitStamp: Self { .init(bit: 1) }
    /// TT0.
    @inlinable public static var targetTime0: Self { .init(bit: 3) }
    /// TT1.
    @inlinable public static var targetTime1: Self { .init(bit: 4) }
    /// AUTT0.
    @inlinable public static var event0: Self { .init(bit: 5) }
    /// AUTT1.
    @inlinable public static var event1: Self { .init(bit: 6) }
}

/// TSSDP.
@frozen public struct PinConfiguration: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == PinConfiguration, Value == Bool {
    /// AUX0_TS_SDP_EN.
    @inlinable public static var event0Enabled: Self { .init(bit: 2) }
    /// AUX1_TS_SDP_EN.
    @inlinable public static var event1Enabled: Self { .init(bit: 5) }
    /// TS_SDP0_EN.
    @inlinable public static var output0Enabled: Self { .init(bit: 8) }
    /// TS_SDP1_EN.
    @inlinable public static var output1Enabled: Self { .init(bit: 11) }
    /// TS_SDP2_EN.
    @inlinable public static var output2Enabled: Self { .init(bit: 14) }
    /// TS_SDP3_EN.
    @inlinable public static var output3Enabled: Self { .init(bit: 17) }
}

extension Field where Layout == PinConfiguration, Value == UInt32 {
    /// The pin of event 0.
    @inlinable public static var event0Pin: Self { .init(bits: 0..<2) }
    /// The pin of event 1.
    @inlinable public static var event1Pin: Self { .init(bits: 3..<5) }
    /// Pin 0: 0 TT0, 1 TT1, 2 FC0, 3 FC1.
    @inlinable public static var output0: Self { .init(bits: 6..<8) }
    /// Pin 1, as pin 0.
    @inlinable public static var output1: Self { .init(bits: 9..<11) }
    /// Pin 2, as pin 0.
    @inlinable public static var output2: Self { .init(bits: 12..<14) }
    /// Pin 3, as pin 0.
    @inlinable public static var output3: Self { .init(bits: 15..<17) }
}
