// Numbers of a test frame, in network byte order.

extension [UInt8] {
    /// The bytes, lent to read.
    public var raw: RawSpan {
        @_lifetime(borrow self)
        get {
            // SAFETY: a byte has no padding.
            unsafe span.bytes
        }
    }

    /// The 16-bit number at `offset`.
    public func number16(at offset: Int) -> UInt16 { UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) }

    /// The 32-bit number at `offset`.
    public func number32(at offset: Int) -> UInt32 {
        UInt32(number16(at: offset)) << 16 | UInt32(number16(at: offset + 2))
    }

    /// Replaces the 16-bit number at `offset`.
    public mutating func set16(_ value: UInt16, at offset: Int) {
        replaceSubrange(offset..<offset + 2, with: big(value))
    }

    /// Replaces the 32-bit number at `offset`.
    public mutating func set32(_ value: UInt32, at offset: Int) {
        replaceSubrange(offset..<offset + 4, with: big(value))
    }
}

/// The bytes of a number, in network order.
public func big<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
    stride(from: Number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
}

/// `count` bytes that follow a pattern nobody would sum to by accident.
public func payload(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) } }
