// CRC-32C (Castagnoli): the checksum of SCTP (RFC 9260 appendix A) and of iSCSI and NVMe/TCP digests.

/// A CRC-32C in the making: add the parts in their order, then take `value`.
@frozen public struct CRC32C: Sendable, Equatable {
    /// The shift register, bit-reflected, not yet inverted.
    @usableFromInline var register: UInt32

    @inlinable public init() { register = ~0 }

    /// The CRC of what was added. SCTP and NVMe/TCP put its lowest byte first on the wire.
    @inlinable public var value: UInt32 { ~register }

    /// Adds bytes.
    public mutating func add(_ bytes: RawSpan) {
        let tables = SliceTables.shared
        register = unsafe bytes.withUnsafeBytes { unsafe tables.advance(register, over: $0) }
    }

    /// The CRC of some bytes.
    public static func of(_ bytes: RawSpan) -> UInt32 {
        var crc = CRC32C()
        crc.add(bytes)
        return crc.value
    }
}

/// Eight tables of 256 words, so that one step takes 8 bytes (slicing-by-8, Kounavis and Berry 2005).
@safe private struct SliceTables: @unchecked Sendable {
    // SAFETY (Sendable): written once, in `init`, and never freed.
    private let words: UnsafeMutablePointer<UInt32>

    static let shared = SliceTables()

    private init() {
        unsafe words = .allocate(capacity: 8 * 256)
        for byte in 0..<256 {
            var remainder = UInt32(byte)
            for _ in 0..<8 {
                // 0x1EDC6F41, its bits in reverse.
                remainder = remainder & 1 == 0 ? remainder >> 1 : remainder >> 1 ^ 0x82F6_3B78
            }
            unsafe words[byte] = remainder
        }
        for index in 256..<8 * 256 {
            let shorter = unsafe words[index - 256]
            unsafe words[index] = shorter >> 8 ^ words[Int(shorter & 0xFF)]
        }
    }

    /// SAFETY: the index is below 256 and `table` below 8.
    private func entry(_ table: Int, _ byte: UInt64) -> UInt32 {
        unsafe words[table &* 256 &+ Int(truncatingIfNeeded: byte & 0xFF)]
    }

    /// SAFETY: every load lies inside `bytes`: the loops stop short of its end.
    func advance(_ register: UInt32, over bytes: UnsafeRawBufferPointer) -> UInt32 {
        guard let base = bytes.baseAddress else { return register }
        let count = bytes.count
        var state = register
        var offset = 0
        while count &- offset >= 8 {
            let word =
                UInt64(littleEndian: unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ UInt64(state)
            let low = entry(7, word) ^ entry(6, word >> 8) ^ entry(5, word >> 16) ^ entry(4, word >> 24)
            let high = entry(3, word >> 32) ^ entry(2, word >> 40) ^ entry(1, word >> 48) ^ entry(0, word >> 56)
            state = low ^ high
            offset &+= 8
        }
        while offset < count {
            let byte = unsafe base.load(fromByteOffset: offset, as: UInt8.self)
            state = state >> 8 ^ entry(0, UInt64(state ^ UInt32(byte)))
            offset &+= 1
        }
        return state
    }
}
