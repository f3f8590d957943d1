// The checksum of IPv4, TCP and UDP: RFC 1071, and RFC 1624 for changing a word of a sum already made.

/// A ones' complement sum in the making: add the parts in their order, then take `checksum`.
@frozen public struct InternetChecksum: Sendable, Equatable {
    /// Sum of 16-bit words in the host's byte order (RFC 1071 section 2 B: the order may be mended at the end), below
    /// 2^33 between calls.
    @usableFromInline var sum: UInt64

    @inlinable public init() { sum = 0 }

    /// Adds bytes. Only the last part may have an odd length: it counts as if a zero byte followed.
    @inlinable public mutating func add(_ bytes: RawSpan) {
        sum = unsafe bytes.withUnsafeBytes { unsafe Self.sum(of: $0, startingAt: sum) }
    }

    /// Adds one word of a header that is not in memory, as a number.
    @inlinable public mutating func add(_ word: UInt16) {
        sum = Self.lessened(sum &+ UInt64(word.bigEndian))
    }

    /// Adds two words of a header that is not in memory, as a number.
    @inlinable public mutating func add(_ word: UInt32) {
        sum = Self.lessened(sum &+ UInt64(word.bigEndian))
    }

    /// The sum as a 16-bit number: what a field holds that stands for a pseudo-header. 0xFFFF if all is well, where
    /// the bytes added include a checksum.
    @inlinable public var folded: UInt16 {
        var rest = (sum & 0xFFFF_FFFF) &+ sum >> 32
        rest = (rest & 0xFFFF) &+ rest >> 16
        rest = (rest & 0xFFFF) &+ rest >> 16
        rest = (rest & 0xFFFF) &+ rest >> 16
        return UInt16(truncatingIfNeeded: rest).bigEndian
    }

    /// What a checksum field must hold.
    @inlinable public var checksum: UInt16 { ~folded }

    /// The checksum of some bytes.
    @inlinable public static func of(_ bytes: RawSpan) -> UInt16 {
        var sum = InternetChecksum()
        sum.add(bytes)
        return sum.checksum
    }

    /// The checksum after one word under it has changed from `old` to `new` (RFC 1624 equation 3).
    @inlinable public static func updated(_ checksum: UInt16, replacing old: UInt16, with new: UInt16) -> UInt16 {
        var sum = InternetChecksum()
        sum.add(~checksum)
        sum.add(~old)
        sum.add(new)
        return sum.checksum
    }

    /// Below 2^33 again; the same number as ones' complement sees it.
    @inlinable static func lessened(_ sum: UInt64) -> UInt64 { (sum & 0xFFFF_FFFF) &+ sum >> 32 }

    /// SAFETY: every load lies inside `bytes`: the loops stop short of its end.
    @inlinable static func sum(of bytes: UnsafeRawBufferPointer, startingAt start: UInt64) -> UInt64 {
        guard let base = bytes.baseAddress else { return start }
        let count = bytes.count
        var total = start
        var offset = 0
        // Two 32-bit halves at a time: their carries gather in the upper half of `total`. Every 8 bytes add less than
        // 2^33, so 2^31 steps fit; `lessened` is due long after any frame ends.
        while count &- offset >= 8 {
            let word = unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            total &+= (word & 0xFFFF_FFFF) &+ word >> 32
            offset &+= 8
        }
        if count &- offset >= 4 {
            total &+= UInt64(unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            offset &+= 4
        }
        if count &- offset >= 2 {
            total &+= UInt64(unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            offset &+= 2
        }
        if offset < count {
            let last = UInt16(unsafe base.load(fromByteOffset: offset, as: UInt8.self)) << 8
            total &+= UInt64(last.bigEndian)
        }
        return lessened(total)
    }
}
