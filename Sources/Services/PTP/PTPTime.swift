// A point in time as a PTP hardware clock keeps it: seconds and nanoseconds. As `struct ptp_clock_time` of
// linux/ptp_clock.h, but always whole: nanoseconds are below a second, and arithmetic says when it overflows.

/// Seconds and nanoseconds of a clock.
@frozen public struct PTPTime: Hashable, Sendable {
    /// May be negative: the nanoseconds then still count forwards.
    public let seconds: Int64
    /// Below 1,000,000,000.
    public let nanoseconds: UInt32

    public static let zero = PTPTime(wholeSeconds: 0, nanoseconds: 0)
    private static let nanosecondsPerSecond: Int64 = 1_000_000_000

    private init(wholeSeconds: Int64, nanoseconds: UInt32) {
        seconds = wholeSeconds
        self.nanoseconds = nanoseconds
    }

    /// Nil if `nanoseconds` are a second or more, as the kernel refuses them.
    public init?(seconds: Int64, nanoseconds: UInt32) {
        guard nanoseconds < 1_000_000_000 else { return nil }
        self.init(wholeSeconds: seconds, nanoseconds: nanoseconds)
    }

    /// Nanoseconds since the clock's start, before it if negative.
    public init(totalNanoseconds: Int64) {
        let (quotient, remainder) = totalNanoseconds.quotientAndRemainder(dividingBy: Self.nanosecondsPerSecond)
        let borrows = remainder < 0
        seconds = borrows ? quotient - 1 : quotient
        nanoseconds = UInt32(borrows ? remainder + Self.nanosecondsPerSecond : remainder)
    }

    /// Nanoseconds since the clock's start, as stamps and 64-bit counters have them.
    public init(totalNanoseconds: UInt64) {
        let (quotient, remainder) = totalNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        seconds = Int64(quotient)
        nanoseconds = UInt32(remainder)
    }

    /// Nanoseconds since the clock's start; nil if they do not fit.
    public var totalNanoseconds: Int64? {
        // Towards zero first: the least Int64 is a value whose seconds times 10⁹ alone would not fit.
        let borrowed = seconds < 0 && nanoseconds > 0
        let whole = borrowed ? seconds + 1 : seconds
        let rest = borrowed ? Int64(nanoseconds) - Self.nanosecondsPerSecond : Int64(nanoseconds)
        let (product, overflows) = whole.multipliedReportingOverflow(by: Self.nanosecondsPerSecond)
        let (total, overflowsToo) = product.addingReportingOverflow(rest)
        return overflows || overflowsToo ? nil : total
    }

    /// Nanoseconds since the clock's start, as stamps have them; nil if negative or too many.
    public var unsignedNanoseconds: UInt64? {
        guard seconds >= 0 else { return nil }
        let (product, overflows) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (total, overflowsToo) = product.addingReportingOverflow(UInt64(nanoseconds))
        return overflows || overflowsToo ? nil : total
    }

    /// This time, later by `delta` nanoseconds, earlier if negative; nil if the seconds overflow.
    public func advanced(byNanoseconds delta: Int64) -> PTPTime? {
        let step = PTPTime(totalNanoseconds: delta)
        let sum = nanoseconds + step.nanoseconds
        let carries = sum >= 1_000_000_000
        let (whole, overflows) = seconds.addingReportingOverflow(step.seconds)
        let (carried, overflowsToo) = whole.addingReportingOverflow(carries ? 1 : 0)
        // Adding the carry may undo an overflow of the first sum, when that was by one below the least.
        guard overflows == overflowsToo else { return nil }
        return PTPTime(wholeSeconds: carried, nanoseconds: carries ? sum - 1_000_000_000 : sum)
    }

    /// Nanoseconds from `other` to this time, negative if it is the later one; nil if they do not fit.
    public func nanoseconds(since other: PTPTime) -> Int64? {
        let (whole, overflows) = seconds.subtractingReportingOverflow(other.seconds)
        guard !overflows else { return nil }
        let rest = Int64(nanoseconds) - Int64(other.nanoseconds)
        if rest >= 0 { return PTPTime(wholeSeconds: whole, nanoseconds: UInt32(rest)).totalNanoseconds }
        guard whole > .min else { return nil }
        return PTPTime(wholeSeconds: whole - 1, nanoseconds: UInt32(rest + Self.nanosecondsPerSecond)).totalNanoseconds
    }
}

extension PTPTime: Comparable {
    public static func < (left: PTPTime, right: PTPTime) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}

extension PTPTime: CustomStringConvertible {
    /// Seconds with nine decimals; a time before the start is shown as the kernel's tools do, by its two fields.
    public var description: String {
        let digits = String(nanoseconds)
        return "\(seconds).\(String(repeating: "0", count: 9 - digits.count))\(digits)"
    }
}
