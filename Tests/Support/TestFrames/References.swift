// The same arithmetic as in `Ethernet`, in the slowest and plainest way: what the tests compare with.

/// The ones' complement sum of RFC 1071, a word at a time.
public func referenceSum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for index in stride(from: 0, to: bytes.count, by: 2) {
        let low = index + 1 < bytes.count ? bytes[index + 1] : 0
        sum += UInt32(bytes[index]) << 8 | UInt32(low)
        if sum > 0xFFFF { sum -= 0xFFFF }
    }
    return UInt16(sum)
}

/// CRC-32C, a bit at a time.
public func referenceCRC32C(_ bytes: [UInt8]) -> UInt32 {
    var register: UInt32 = ~0
    for byte in bytes {
        register ^= UInt32(byte)
        for _ in 0..<8 { register = register & 1 == 0 ? register >> 1 : (register >> 1) ^ 0x82F6_3B78 }
    }
    return ~register
}

/// The Toeplitz hash, a bit at a time: each input bit that is set adds the 32 key bits from its place on.
public func referenceToeplitz(_ input: [UInt8], key: [UInt8]) -> UInt32 {
    func bit(_ bytes: [UInt8], _ index: Int) -> UInt32 { UInt32(bytes[index / 8] >> (7 - index % 8)) & 1 }
    var hash: UInt32 = 0
    for place in 0..<input.count * 8 where bit(input, place) == 1 {
        var window: UInt32 = 0
        for offset in 0..<32 { window = window << 1 | bit(key, place + offset) }
        hash ^= window
    }
    return hash
}
