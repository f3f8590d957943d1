// The address of a station on an Ethernet: 48 bits. Source of truth: IEEE 802-2014, clause 8.

/// An Ethernet address.
@frozen public struct MACAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address as a number: the first byte on the wire is bits 40 to 47, the upper 16 bits are 0.
    public let value: UInt64

    /// - Parameter value: the address as a number; its upper 16 bits are ignored.
    @inlinable public init(value: UInt64) {
        self.value = value & 0xFFFF_FFFF_FFFF
    }

    /// - Parameter bytes: the address in the order of the wire.
    @inlinable public init(bytes: InlineArray<6, UInt8>) {
        var value: UInt64 = 0
        for index in 0..<6 { value = value << 8 | UInt64(bytes[index]) }
        self.value = value
    }

    /// Six pairs of hexadecimal digits with `:` or `-` between them; nil if `text` is anything else.
    public init?(_ text: some StringProtocol) {
        let characters = Array(text.utf8)
        guard characters.count == 17 else { return nil }
        let separator = characters[2]
        guard separator == UInt8(ascii: ":") || separator == UInt8(ascii: "-") else { return nil }
        var value: UInt64 = 0
        for (index, character) in characters.enumerated() {
            if index % 3 == 2 {
                guard character == separator else { return nil }
            } else {
                guard let digit = hexadecimalDigit(character) else { return nil }
                value = value << 4 | digit
            }
        }
        self.value = value
    }

    /// All stations.
    @inlinable public static var broadcast: MACAddress { MACAddress(value: 0xFFFF_FFFF_FFFF) }

    /// The address in the order of the wire.
    @inlinable public var bytes: InlineArray<6, UInt8> {
        InlineArray { index in UInt8(truncatingIfNeeded: value &>> (40 &- 8 &* UInt64(index))) }
    }

    /// Whether it names a group of stations; the broadcast address does too.
    @inlinable public var isMulticast: Bool { value & 0x0100_0000_0000 != 0 }

    @inlinable public var isBroadcast: Bool { value == 0xFFFF_FFFF_FFFF }

    /// Whether it can be a station's own address: neither a group nor all zeros.
    @inlinable public var isStation: Bool { !isMulticast && value != 0 }

    /// Lower-case hexadecimal with colons, as Linux prints it.
    public var description: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for index in 0..<6 {
            if index > 0 { text.append(UInt8(ascii: ":")) }
            text.append(digits[Int(bytes[index] >> 4)])
            text.append(digits[Int(bytes[index] & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

private func hexadecimalDigit(_ character: UInt8) -> UInt64? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return UInt64(character - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): return UInt64(character - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): return UInt64(character - UInt8(ascii: "A") + 10)
    default: return nil
    }
}
