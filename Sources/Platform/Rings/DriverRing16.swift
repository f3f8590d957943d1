// A driver's half of a ring of 16-byte descriptors: which slots the device has, and what the driver keeps for each. The
// format of the descriptors is the driver's own.

/// Descriptors, a cookie for each, and the two indices between which the device works. One slot stays free, so that
/// equal indices mean an empty ring. One owner.
@safe @frozen public struct DriverRing16: ~Copyable {
    // SAFETY (whole type): `descriptors` and `cookies` hold `count` elements. An index is 0 at the start and goes back
    // to 0 when it reaches `count`, so `next` and `clean` are always below it: checks that are dropped could not fail.
    public let descriptors: DescriptorRing16
    @usableFromInline let cookieBase: UnsafeMutablePointer<UInt64>
    public let count: Int
    /// Where the next descriptor is written: the tail that the device is told.
    public var next = 0
    /// The oldest descriptor that is not reaped.
    public var clean = 0

    /// SAFETY: `descriptors` must outlive this value.
    @unsafe public init(_ descriptors: DescriptorRing16) {
        self.descriptors = descriptors
        self.count = descriptors.count
        unsafe cookieBase = .allocate(capacity: descriptors.count)
        unsafe cookieBase.initialize(repeating: 0, count: descriptors.count)
    }

    deinit { unsafe cookieBase.deallocate() }

    /// Descriptors that may be written now.
    @inlinable public var room: Int {
        let used = next &- clean
        return count &- 1 &- (used < 0 ? used &+ count : used)
    }

    /// Descriptors that the device has not given back.
    @inlinable public var inFlight: Int { count &- 1 &- room }

    /// The value for the tail register.
    @inlinable public var tail: UInt32 { UInt32(truncatingIfNeeded: next) }

    /// The slot behind `index`.
    @inlinable public func following(_ index: Int) -> Int { index &+ 1 == count ? 0 : index &+ 1 }

    /// The cookies, by slot, without a check per access.
    ///
    /// SAFETY: good for `count` elements as long as the ring.
    @unsafe @inlinable public var cookies: UnsafeMutablePointer<UInt64> { unsafe cookieBase }

    /// Takes the oldest slot back from a device that has been stopped; its cookie, or nil when none is left.
    public mutating func takeBack() -> UInt64? {
        guard clean != next else { return nil }
        let cookie = unsafe cookieBase[clean]
        clean = following(clean)
        return cookie
    }
}
