// The card's adjustable clock, timer 0. Facts §6.1 and §9 item 10; igc_ptp.c.

import Backing
import Clock
import I225Wire
import PTP
import Registers

/// SYSTIM as a PTP clock. The control thread's.
public final class I225Clock<Backing: PCIeBacking> {
    private let hardware: I225Hardware<Backing>
    private let stamps: TransmitStamps<Backing.BAR>

    init(_ hardware: I225Hardware<Backing>, _ stamps: TransmitStamps<Backing.BAR>) {
        self.hardware = hardware
        self.stamps = stamps
    }

    /// Starts the timers and lets the stamp interrupt through (igc_ptp_reset).
    func start() {
        hardware.bar.write(I225Register.auxiliaryControl, AuxiliaryControl(raw: 0))
        hardware.bar.write(I225Register.pinConfiguration, PinConfiguration(raw: 0))
        hardware.bar.write(I225Register.timeSyncMask, .with { $0[.transmitStamp] = true })
        hardware.bar.write(I225Register.timeIncrement, TimeIncrement(raw: 0))
    }

    /// Nanoseconds by the card's clock now. Low first: the read of it latches the high half.
    public var nanoseconds: UInt64 {
        let low = hardware.bar.read(I225Register.systemTimeLow).raw
        let high = hardware.bar.read(I225Register.systemTimeHigh).raw
        return DeviceTime(nanoseconds: low, seconds: high).totalNanoseconds
    }

    func set(nanoseconds: UInt64) {
        let time = DeviceTime(totalNanoseconds: nanoseconds)
        hardware.bar.write(I225Register.systemTimeLow, time.nanoseconds)
        hardware.bar.write(I225Register.systemTimeHigh, time.seconds)
        stamps.clockStepped()
    }

    func setRate(_ increment: TimeIncrement) { hardware.bar.write(I225Register.timeIncrement, increment) }

    var hostClock: DeviceClock { hardware.clock }
}

extension TimeIncrement {
    /// A frequency offset in 2^-16 parts per million as TIMINCA takes it: 2^-32 ns per 3.2 ns tick (igc_ptp_adjfine_i225).
    init(scaledPartsPerMillion: Int64) {
        self.init(raw: 0)
        // The largest correction has 31 bits; `maximumAdjustmentPPB` keeps callers far below.
        let correction = scaledPartsPerMillion.magnitude.multipliedFullWidth(by: 1 << 14)
        let divided = UInt64(78_125).dividingFullWidth(correction).quotient
        self[.correction] = UInt32(min(divided, 0x7FFF_FFFF))
        self[.slower] = scaledPartsPerMillion < 0
    }
}
