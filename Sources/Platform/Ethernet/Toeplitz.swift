// The hash of receive side scaling: Microsoft, "RSS hashing functions"; the same in Intel's and Mellanox's hardware.

/// The Toeplitz hash under one key, in tables of a word per half-byte. The hash of an input is the exclusive or of the
/// hashes of its parts, each at its place, so fields need not lie side by side.
@frozen public struct Toeplitz: ~Copyable, Sendable {
    /// Bytes of a key.
    @inlinable public static var keyBytes: Int { 40 }
    /// The longest input that such a key serves: two IPv6 addresses and two ports.
    @inlinable public static var inputBytes: Int { 36 }

    /// For each half-byte of the input, upper half first, the hash of each of its 16 values.
    @usableFromInline var table = LookupTable(count: 36 * 2 * 16)

    /// The hash under a key of zeros: always zero.
    public init() {}

    /// The hash under `key`.
    public init(key: InlineArray<40, UInt8>) {
        for place in 0..<72 {
            // Bit b of the input selects bits b..<b+32 of the key; the upper bit of a half-byte comes first.
            let selected = Toeplitz.windows(of: key, fromBit: place * 4)
            for value in 1..<16 {
                var hash: UInt32 = 0
                for bit in 0..<4 where value & 8 >> bit != 0 { hash ^= selected[bit] }
                table[place * 16 + value] = hash
            }
        }
    }

    private static func windows(of key: InlineArray<40, UInt8>, fromBit first: Int) -> InlineArray<4, UInt32> {
        var five: UInt64 = 0
        for index in first / 8..<first / 8 + 5 { five = five << 8 | UInt64(key[index]) }
        return InlineArray { UInt32(truncatingIfNeeded: five >> UInt64(8 - first % 8 - $0)) }
    }

    /// The share of `bytes` in the hash, where they are bytes `place...` of the input. They must end by `inputBytes`.
    @inlinable public borrowing func part(_ bytes: RawSpan, at place: Int) -> UInt32 {
        precondition(place >= 0 && place <= 36 && bytes.byteCount <= 36 &- place, "longer than the key serves")
        var hash: UInt32 = 0
        for index in 0..<bytes.byteCount {
            let byte = Int(bytes.networkUInt8(at: index))
            let row = (place &+ index) &* 32
            hash ^= table[row &+ byte >> 4] ^ table[row &+ 16 &+ byte & 15]
        }
        return hash
    }
}
