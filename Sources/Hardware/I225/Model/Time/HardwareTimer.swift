// A timer of the device: host time, at a rate that software corrects.
//
// The device adds 3.2 ns per tick of 312.5 MHz, plus or minus TIMINCA's 2^-32 ns units. Over a host time t that is
// t ± t * correction / (3.2 * 2^32), kept here as a fixed point of 2^-36 ns so that nothing is rounded: 1/3.2 = 5/16.
// Source: Linux igc_ptp.c (igc_ptp_adjfine_i225) of 6.12 and 7.x.

import I225Wire
import Registers

struct HardwareTimer {
    /// The timer's value at `hostBase`, in 2^-36 ns.
    private var base: Int128 = 0
    private var hostBase: UInt64
    private(set) var increment = TimeIncrement(raw: 0)
    private(set) var isStopped: Bool
    /// The seconds that a read of the low register latched.
    private var latchedSeconds: UInt32 = 0
    /// The low register as written, until the high one commits both.
    private var writtenNanoseconds: UInt32 = 0

    init(now: UInt64, isStopped: Bool) {
        hostBase = now
        self.isStopped = isStopped
    }

    /// The value in 2^-36 ns. Host times before the last change are extrapolated backwards.
    private func fixedPoint(_ host: UInt64) -> Int128 {
        guard !isStopped else { return base }
        let elapsed = Int128(Int64(bitPattern: host &- hostBase))
        let correction = elapsed * 5 * Int128(increment[.correction])
        return base + (elapsed << 36) + (increment[.slower] ? -correction : correction)
    }

    /// Nanoseconds since the timer's zero; a time before that is zero.
    func nanoseconds(at host: UInt64) -> UInt64 {
        UInt64(truncatingIfNeeded: max(0, fixedPoint(host)) >> 36)
    }

    func time(at host: UInt64) -> DeviceTime { DeviceTime(totalNanoseconds: nanoseconds(at: host)) }

    /// The part below a nanosecond, in 2^-32 ns.
    func residue(at host: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: fixedPoint(host) >> 4) }

    mutating func readLow(_ now: UInt64) -> UInt32 {
        let time = time(at: now)
        latchedSeconds = time.seconds
        return time.nanoseconds
    }

    func readHigh() -> UInt32 { latchedSeconds }

    mutating func writeLow(_ nanoseconds: UInt32) { writtenNanoseconds = nanoseconds }

    mutating func writeHigh(_ seconds: UInt32, now: UInt64) {
        let total = DeviceTime(nanoseconds: writtenNanoseconds, seconds: seconds).totalNanoseconds
        base = Int128(total) << 36
        hostBase = now
    }

    mutating func setIncrement(_ value: TimeIncrement, now: UInt64) {
        rebase(now)
        increment = value
    }

    mutating func setStopped(_ stopped: Bool, now: UInt64) {
        rebase(now)
        isStopped = stopped
    }

    private mutating func rebase(_ now: UInt64) {
        base = fixedPoint(now)
        hostBase = now
    }

    /// A host time by which the timer has gone at least most of the way to `target`: asked again and again it arrives.
    func hostTime(approaching target: UInt64, now: UInt64) -> UInt64? {
        guard !isStopped else { return nil }
        let current = nanoseconds(at: now)
        guard target > current else { return now }
        // The fastest rate is twice the nominal one.
        return now.addingReportingOverflow(max(1, (target - current) / 2)).partialValue
    }
}
