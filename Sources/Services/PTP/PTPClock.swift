// The contract between a PTP hardware clock and its users. Source of truth: `struct ptp_clock_info` of
// linux/ptp_clock_kernel.h; the range checks are those of `ptp_clock_adjtime` in drivers/ptp/ptp_clock.c.

/// The clock's time, and when it was read.
public struct PTPReading: Hashable, Sendable {
    public let time: PTPTime
    /// Nanoseconds of the system's clock just before and just after the register that latches the time was read: the
    /// difference bounds how well the two clocks can be compared (PTP_SYS_OFFSET_EXTENDED).
    public let systemBefore: UInt64
    public let systemAfter: UInt64

    public init(time: PTPTime, systemBefore: UInt64, systemAfter: UInt64) {
        self.time = time
        self.systemBefore = systemBefore
        self.systemAfter = systemAfter
    }
}

/// A clock in hardware. A driver implements it; a service or a tool steers it.
public protocol PTPClock: ~Copyable {
    /// What the driver's accesses fail with.
    associatedtype Failure: Error

    /// The largest frequency offset that the hardware takes, parts per billion either way: `max_adj`.
    var maximumAdjustmentPPB: Int64 { get }

    /// The time, with the system's before and after: `gettimex64`.
    mutating func time() throws(Failure) -> PTPReading
    /// Sets the time: `settime64`.
    mutating func setTime(_ time: PTPTime) throws(Failure)
    /// Moves the time by nanoseconds, back if negative: `adjtime`.
    mutating func adjustTime(byNanoseconds delta: Int64) throws(Failure)
    /// Runs at nominal frequency plus `offset` from now on: `adjfine`. Called only within `maximumAdjustmentPPB`.
    mutating func adjustFrequency(_ offset: ScaledPPM) throws(Failure)
}

/// Why a frequency was not set.
public enum PTPAdjustmentError<Failure: Error>: Error {
    /// The offset is beyond what the clock takes: ERANGE.
    case outOfRange(ScaledPPM, maximumPPB: Int64)
    /// The clock did not do it.
    case clock(Failure)
}

extension PTPClock where Self: ~Copyable {
    /// Sets the frequency offset, if the hardware can run at it. What users of a clock call.
    public mutating func steer(_ offset: ScaledPPM) throws(PTPAdjustmentError<Failure>) {
        guard let ppb = offset.partsPerBillion, ppb.magnitude <= maximumAdjustmentPPB.magnitude else {
            throw .outOfRange(offset, maximumPPB: maximumAdjustmentPPB)
        }
        do {
            try adjustFrequency(offset)
        } catch {
            throw .clock(error)
        }
    }
}
