// The card's adjustable clock, timer 0. Source: igc_ptp.c of Linux 6.12.

import Backing
import Clock
import I225Wire
import PTP
import Registers

/// SYSTIM as a PTP clock. The control thread's.
public struct I225Clock<Backing: PCIeBacking>: PTPClock {
    private let hardware: I225Hardware<Backing>
    private let stamps: TransmitStamps<Backing.BAR>

    package init(_ hardware: I225Hardware<Backing>, _ stamps: TransmitStamps<Backing.BAR>) {
        self.hardware = hardware
        self.stamps = stamps
    }

    /// igc_ptp.c: `max_adj`.
    public var maximumAdjustmentPPB: Int64 { 62_499_999 }

    /// Starts the timers at nominal rate and lets the stamp interrupt through (igc_ptp_reset).
    package func start() {
        hardware.bar.write(I225Register.auxiliaryControl, AuxiliaryControl(raw: 0))
        hardware.bar.write(I225Register.pinConfiguration, PinConfiguration(raw: 0))
        hardware.bar.write(I225Register.timeSyncMask, .with { $0[.transmitStamp] = true })
        hardware.bar.write(I225Register.timeIncrement, TimeIncrement(raw: 0))
    }

    public func time() throws(DeviceError) -> PTPReading {
        let before = hardware.clock.now
        // Low first: the read of it latches the high half.
        let low = hardware.bar.read(I225Register.systemTimeLow).raw
        let after = hardware.clock.now
        let high = hardware.bar.read(I225Register.systemTimeHigh).raw
        if high == ~0 { try hardware.checkPresent("read clock") }
        guard let time = PTPTime(seconds: Int64(high), nanoseconds: low) else {
            try hardware.checkPresent("read clock")
            throw hardware.error(.badContents, "read clock", "SYSTIML reads \(low), expected less than 1000000000")
        }
        return PTPReading(time: time, systemBefore: before, systemAfter: after)
    }

    public func setTime(_ time: PTPTime) throws(DeviceError) {
        guard let seconds = UInt32(exactly: time.seconds) else {
            throw hardware.error(
                .invalidArgument,
                "set clock",
                "\(time.seconds) s, expected 0 to \(UInt32.max): SYSTIMH has 32 bits"
            )
        }
        hardware.bar.write(I225Register.systemTimeLow, time.nanoseconds)
        hardware.bar.write(I225Register.systemTimeHigh, seconds)
        stamps.clockStepped()
    }

    public func adjustTime(byNanoseconds delta: Int64) throws(DeviceError) {
        // Read, add, write, as igc does: TIMADJ is not used. The time between the two is lost, some register accesses.
        let now = try time().time.totalNanoseconds
        guard let sum = now?.addingReportingOverflow(delta), !sum.overflow else {
            throw hardware.error(.invalidArgument, "adjust clock", "\(delta) ns leads beyond what 64 bits hold")
        }
        try setTime(PTPTime(totalNanoseconds: sum.partialValue))
    }

    public func adjustFrequency(_ offset: ScaledPPM) throws(DeviceError) {
        hardware.bar.write(I225Register.timeIncrement, TimeIncrement(offset))
    }
}

extension TimeIncrement {
    /// TIMINCA counts 2^-32 ns per tick of 3.2 ns: |scaled ppm| · 2^14 / 78125 (igc_ptp_adjfine_i225).
    init(_ offset: ScaledPPM) {
        self.init(raw: 0)
        let units = offset.rawValue.magnitude.multipliedFullWidth(by: 1 << 14)
        // Callers stay within `maximumAdjustmentPPB`; beyond the register's 31 bits there is no faster.
        let isRepresentable = units.high < 78_125
        let correction = isRepresentable ? UInt64(78_125).dividingFullWidth(units).quotient : .max
        self[.correction] = UInt32(min(correction, 0x7FFF_FFFF))
        self[.slower] = offset.rawValue < 0
    }
}
