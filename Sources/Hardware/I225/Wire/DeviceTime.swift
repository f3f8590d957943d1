// A time as the device's registers and buffers hold it: nanoseconds of a second, and seconds.

/// A time of one of the device's timers.
@frozen public struct DeviceTime: Equatable, Sendable {
    /// 0..<1_000_000_000, unless a peer says otherwise.
    public var nanoseconds: UInt32
    public var seconds: UInt32

    @inlinable public init(nanoseconds: UInt32, seconds: UInt32) {
        self.nanoseconds = nanoseconds
        self.seconds = seconds
    }

    /// From nanoseconds since the timer's zero. Seconds wrap at 32 bits.
    @inlinable public init(totalNanoseconds: UInt64) {
        let (seconds, nanoseconds) = totalNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        self.nanoseconds = UInt32(truncatingIfNeeded: nanoseconds)
        self.seconds = UInt32(truncatingIfNeeded: seconds)
    }

    /// From both registers as one little-endian quadword: the low register first.
    @inlinable public init(registers: UInt64) {
        nanoseconds = UInt32(truncatingIfNeeded: registers)
        seconds = UInt32(truncatingIfNeeded: registers &>> 32)
    }

    @inlinable public var registers: UInt64 { UInt64(nanoseconds) | UInt64(seconds) &<< 32 }
    @inlinable public var totalNanoseconds: UInt64 { UInt64(seconds) &* 1_000_000_000 &+ UInt64(nanoseconds) }
}
