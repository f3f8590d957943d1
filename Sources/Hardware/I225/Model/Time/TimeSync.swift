// The device's clock as its registers show it: timer 0, which software steers, timer 1, which runs free, target times,
// captured events, and the causes that all of them raise.
// Source: Linux igc_ptp.c, igc_main.c (igc_tsync_interrupt) of 6.12 and 7.x; I210 data sheet §8.15.

import I225Wire
import Registers

struct TimeSync {
    private(set) var timer0: HardwareTimer
    private(set) var timer1: HardwareTimer
    /// TSAUXC.
    private(set) var control = AuxiliaryControl(raw: 0)
    /// TSICR.
    private(set) var causes = TimeSyncCause(raw: 0)
    /// TSIM.
    private(set) var mask = TimeSyncCause(raw: 0)
    /// A cause that TSIM enables has come; the owner takes it and raises ICR.TS.
    private var isPending = false
    private var targets: InlineArray<2, TargetTime> = [.init(), .init()]
    private var events: InlineArray<2, DeviceTime>
    /// The second of timer 0 when it was last looked at.
    private var lastSecond: UInt64 = 0

    private struct TargetTime {
        var low = TargetTimeLow(raw: 0)
        var seconds: UInt32 = 0
        /// The match was told of; with TSAUXC bit 30 the target stays enabled after it.
        var isMatched = false

        var nanoseconds: UInt64 {
            DeviceTime(nanoseconds: low[.nanoseconds], seconds: seconds).totalNanoseconds
        }
    }

    init(now: UInt64, control: UInt32) {
        let never = DeviceTime(nanoseconds: 0, seconds: 0)
        events = [never, never]
        self.control = AuxiliaryControl(raw: control)
        timer0 = HardwareTimer(now: now, isStopped: self.control[.timer0Stopped])
        timer1 = HardwareTimer(now: now, isStopped: self.control[.timer1Stopped])
    }

    // MARK: Timers

    mutating func readTimer0Low(_ now: UInt64) -> UInt32 { timer0.readLow(now) }
    mutating func readTimer1Low(_ now: UInt64) -> UInt32 { timer1.readLow(now) }
    mutating func writeTimer0Low(_ value: UInt32) { timer0.writeLow(value) }
    mutating func writeTimer1Low(_ value: UInt32) { timer1.writeLow(value) }

    mutating func writeTimer0High(_ value: UInt32, now: UInt64) {
        timer0.writeHigh(value, now: now)
        // A step is not a wrap.
        lastSecond = second(now)
    }

    mutating func writeTimer1High(_ value: UInt32, now: UInt64) { timer1.writeHigh(value, now: now) }

    mutating func setIncrement0(_ value: UInt32, now: UInt64) { timer0.setIncrement(.init(raw: value), now: now) }
    mutating func setIncrement1(_ value: UInt32, now: UInt64) { timer1.setIncrement(.init(raw: value), now: now) }

    private func second(_ now: UInt64) -> UInt64 { timer0.nanoseconds(at: now) / 1_000_000_000 }

    // MARK: Causes

    /// Every new event counts, also if its bit is still set: an `ifup` reads ICR but not TSICR.
    mutating func raise(_ bits: TimeSyncCause) {
        causes.raw |= bits.raw
        if bits.raw & mask.raw != 0 { isPending = true }
    }

    mutating func takePending() -> Bool {
        defer { isPending = false }
        return isPending
    }

    /// A read of TSICR clears it.
    mutating func readCauses(_ now: UInt64) -> UInt32 {
        noteWrap(now)
        defer { causes.raw = 0 }
        return causes.raw
    }

    mutating func clearCauses(_ bits: UInt32) { causes.raw &= ~bits }

    /// Enables causes that come from now on; older ones stay visible and silent.
    mutating func setMask(_ value: UInt32, now: UInt64) {
        noteWrap(now)
        mask.raw = value
    }

    private mutating func noteWrap(_ now: UInt64) {
        let second = second(now)
        guard second != lastSecond else { return }
        lastSecond = second
        raise(.with { $0[.secondWrapped] = true })
    }

    // MARK: Target times and events

    mutating func writeControl(_ value: UInt32, now: UInt64) {
        let old = control
        control.raw = value
        if old[.timer0Stopped] != control[.timer0Stopped] {
            timer0.setStopped(control[.timer0Stopped], now: now)
            lastSecond = second(now)
        }
        if old[.timer1Stopped] != control[.timer1Stopped] { timer1.setStopped(control[.timer1Stopped], now: now) }
        for index in 0..<2 where !old[Self.enabled(index)] { targets[index].isMatched = false }
    }

    func targetLow(_ index: Int) -> UInt32 { targets[index].low.raw }
    func targetHigh(_ index: Int) -> UInt32 { targets[index].seconds }

    mutating func setTargetLow(_ index: Int, _ value: UInt32) {
        targets[index].low.raw = value
        targets[index].isMatched = false
    }

    mutating func setTargetHigh(_ index: Int, _ value: UInt32) {
        targets[index].seconds = value
        targets[index].isMatched = false
    }

    func eventLow(_ index: Int) -> UInt32 { events[index].nanoseconds }

    /// Reading the seconds arms the capture again.
    mutating func readEventHigh(_ index: Int) -> UInt32 {
        control[Self.captured(index)] = false
        return events[index].seconds
    }

    /// An edge on the pin of event `index`. It is lost while the last one has not been read.
    mutating func capture(_ index: Int, now: UInt64) {
        guard control[index == 0 ? .event0 : .event1], !control[Self.captured(index)] else { return }
        events[index] = timer0.time(at: now)
        control[Self.captured(index)] = true
        raise(.with { $0[index == 0 ? .event0 : .event1] = true })
    }

    private static func captured(_ index: Int) -> Field<AuxiliaryControl, Bool> {
        index == 0 ? .event0Captured : .event1Captured
    }

    private static func enabled(_ index: Int) -> Field<AuxiliaryControl, Bool> {
        index == 0 ? .targetTime0 : .targetTime1
    }

    private func awaits(_ index: Int) -> Bool { control[Self.enabled(index)] && !targets[index].isMatched }

    private func timer(of target: TargetTime) -> HardwareTimer { target.low[.timer] == 1 ? timer1 : timer0 }

    // MARK: Progress

    mutating func advance(_ now: UInt64) {
        if mask[.secondWrapped] { noteWrap(now) }
        for index in 0..<2 where awaits(index) {
            let target = targets[index]
            guard timer(of: target).nanoseconds(at: now) >= target.nanoseconds else { continue }
            targets[index].isMatched = true
            control[Self.enabled(index)] = control[.keepTargetTime]
            raise(.with { $0[index == 0 ? .targetTime0 : .targetTime1] = true })
        }
    }

    func nextDeadline(_ now: UInt64) -> UInt64? {
        var deadline: UInt64?
        func consider(_ time: UInt64?) {
            if let time { deadline = min(deadline ?? time, time) }
        }
        if mask[.secondWrapped] {
            consider(timer0.hostTime(approaching: (lastSecond &+ 1) &* 1_000_000_000, now: now))
        }
        for index in 0..<2 where awaits(index) {
            let target = targets[index]
            consider(timer(of: target).hostTime(approaching: target.nanoseconds, now: now))
        }
        return deadline
    }
}
