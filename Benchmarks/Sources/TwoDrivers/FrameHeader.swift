// The first 48 bytes of a frame: the UDP header that testpmd's txonly writes too, so that both receivers see its like.

import I225Model

/// Ethernet, IPv4 and UDP, in memory order.
struct FrameHeader {
    var words: InlineArray<6, UInt64>

    /// A datagram to the discard port of the receiving card that fills a frame of `frameBytes`.
    static func udp(frameBytes: Int) -> FrameHeader {
        var bytes = [UInt8](repeating: 0, count: 48)
        func put(_ value: Int, at offset: Int) {
            bytes[offset] = UInt8(truncatingIfNeeded: value >> 8)
            bytes[offset + 1] = UInt8(truncatingIfNeeded: value)
        }
        let station = I225Options().macAddress
        for index in 0..<6 { bytes[index] = station[index] }
        bytes.replaceSubrange(6..<12, with: [0x02, 0, 0, 0, 0, 0x01])
        put(0x0800, at: 12)
        put(0x4500, at: 14)
        put(frameBytes - 14, at: 16)
        put(0x4011, at: 22)
        bytes.replaceSubrange(26..<30, with: [198, 18, 0, 1])
        bytes.replaceSubrange(30..<34, with: [198, 18, 0, 2])
        put(ipChecksum(bytes[14..<34]), at: 24)
        put(9, at: 34)
        put(9, at: 36)
        put(frameBytes - 34, at: 38)
        var words = InlineArray<6, UInt64>(repeating: 0)
        for index in 0..<48 { words[index / 8] |= UInt64(bytes[index]) << UInt64(index % 8 * 8) }
        return FrameHeader(words: words)
    }

    /// RFC 1071.
    private static func ipChecksum(_ bytes: ArraySlice<UInt8>) -> Int {
        var sum = 0
        for (index, byte) in bytes.enumerated() { sum += index % 2 == 0 ? Int(byte) << 8 : Int(byte) }
        while sum >> 16 != 0 { sum = sum & 0xFFFF + sum >> 16 }
        return ~sum & 0xFFFF
    }
}
