// The frame of `doorbell stamp`: UDP to port 9091, as xdp_hw_metadata waits for it.

import Ethernet

enum PingFrame {
    private static let payload: [UInt8] = Array("xdp".utf8)
    private static let headerBytes = 42

    /// From 198.18.0.2 to 198.18.0.1 (RFC 2544's benchmark network), checksums filled in.
    static let bytes: [UInt8] = {
        let source: [UInt8] = [198, 18, 0, 2]
        let destination: [UInt8] = [198, 18, 0, 1]
        return frame(from: source, port: 40_000, to: destination, port: 9091, checksum: .full)
    }()

    /// What the echo sends: ends exchanged, and only the pseudo header's sum in the checksum field, for the card to complete.
    static func reply(to frame: [UInt8]) -> [UInt8] {
        guard frame.count >= headerBytes else { return [] }
        return Self.frame(
            from: Array(frame[30..<34]),
            port: word(frame, 36),
            to: Array(frame[26..<30]),
            port: word(frame, 34),
            checksum: .pseudoHeaderOnly
        )
    }

    static func word(_ bytes: [UInt8], _ offset: Int) -> UInt16 {
        guard bytes.count >= offset + 2 else { return 0 }
        return UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
    }

    /// Whether the UDP checksum of a frame is right.
    static func checksumHolds(_ frame: [UInt8]) -> Bool {
        guard frame.count >= headerBytes + payload.count else { return false }
        let datagram = Array(frame[34..<(headerBytes + payload.count)])
        var sum = pseudoHeader(Array(frame[26..<30]), Array(frame[30..<34]), datagram.count)
        sum.add(datagram)
        return sum.folded == 0xFFFF
    }

    private enum Checksum { case full, pseudoHeaderOnly }

    private static func frame(
        from source: [UInt8],
        port sourcePort: UInt16,
        to destination: [UInt8],
        port destinationPort: UInt16,
        checksum: Checksum
    ) -> [UInt8] {
        let ethernet: [UInt8] = [0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x08, 0x00]
        let udpBytes = 8 + payload.count
        var ip: [UInt8] = [0x45, 0, 0, UInt8(20 + udpBytes), 0, 0, 0x40, 0, 64, 17, 0, 0] + source + destination
        var ipSum = InternetChecksum()
        ipSum.add(ip)
        put(ipSum.checksum, in: &ip, at: 10)
        var udp = big(sourcePort) + big(destinationPort) + big(UInt16(udpBytes)) + [0, 0] + payload
        var udpSum = pseudoHeader(source, destination, udpBytes)
        switch checksum {
        case .pseudoHeaderOnly: put(udpSum.folded, in: &udp, at: 6)
        case .full:
            udpSum.add(udp)
            put(udpSum.checksum, in: &udp, at: 6)
        }
        let whole = ethernet + ip + udp
        return whole + [UInt8](repeating: 0, count: max(0, 60 - whole.count))
    }

    private static func pseudoHeader(_ source: [UInt8], _ destination: [UInt8], _ length: Int) -> InternetChecksum {
        var sum = InternetChecksum()
        sum.add(source)
        sum.add(destination)
        sum.add(UInt16(17))
        sum.add(UInt16(length))
        return sum
    }

    private static func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }

    private static func put(_ value: UInt16, in bytes: inout [UInt8], at offset: Int) {
        bytes[offset] = UInt8(value >> 8)
        bytes[offset + 1] = UInt8(value & 0xFF)
    }
}

extension InternetChecksum {
    fileprivate mutating func add(_ bytes: [UInt8]) {
        // SAFETY: bytes have no padding.
        unsafe add(bytes.span.bytes)
    }
}
