// What a frame must be to be one segment of a longer TCP send, and what must agree between two of them. The rules are
// those by which Linux merges received segments (tcp_gro_receive, inet_gro_receive in Linux 6.12), without the cases
// that no card's segmentation makes.

/// A frame that is a TCP segment with payload, whole and with right checksums, whose only flags are ACK and PSH.
struct TCPSegment {
    let isIPv4: Bool
    let networkOffset: Int
    let transportOffset: Int
    /// Where the payload begins.
    let headerBytes: Int
    let payloadBytes: Int
    let sequence: UInt32
    /// Of IPv4.
    let identification: UInt16
    /// PSH: the last of its send.
    let isPushed: Bool

    /// Bytes of headers that are looked at: Ethernet without tags, IPv6 or IPv4 without options, TCP with options.
    static let mostHeaderBytes = 14 + 40 + 60

    /// Nil for everything else, for tags, options of IPv4, and padding behind the packet too.
    init?(_ frame: RawSpan) {
        let headers = FrameHeaders(frame)
        guard headers.transport == .tcp, headers.tagCount == 0, !headers.isSourceRouted, headers.homeAddressOffset == 0,
            headers.networkEnd == frame.byteCount,
            headers.transportOffset == headers.networkOffset + headers.networkHeaderBytes
        else { return nil }
        isIPv4 = headers.network == .ipv4
        guard headers.networkHeaderBytes == (isIPv4 ? 20 : 40) else { return nil }
        networkOffset = headers.networkOffset
        transportOffset = headers.transportOffset
        let flags = frame.networkUInt16(at: transportOffset + 12)
        let transportHeaderBytes = Int(flags >> 12) * 4
        headerBytes = transportOffset + transportHeaderBytes
        payloadBytes = frame.byteCount - headerBytes
        // FIN, SYN, RST, URG, and the marks of congestion control begin or end something.
        guard transportHeaderBytes >= 20, payloadBytes > 0, flags & 0x0FF7 == 0x0010 else { return nil }
        isPushed = flags & 0x0008 != 0
        sequence = frame.networkUInt32(at: transportOffset + 4)
        identification = isIPv4 ? frame.networkUInt16(at: networkOffset + 4) : 0
        guard hasRightChecksums(frame) else { return nil }
    }

    private func hasRightChecksums(_ frame: RawSpan) -> Bool {
        if isIPv4 {
            var header = InternetChecksum()
            header.add(frame.extracting(networkOffset..<transportOffset))
            guard header.folded == 0xFFFF else { return false }
        }
        var sum = pseudoHeader(of: frame, transportBytes: frame.byteCount - transportOffset)
        sum.add(frame.extracting(transportOffset..<frame.byteCount))
        return sum.folded == 0xFFFF
    }

    /// The sum that TCP's checksum starts from (RFC 9293 section 3.1).
    func pseudoHeader(of frame: RawSpan, transportBytes: Int) -> InternetChecksum {
        var sum = InternetChecksum()
        // The two addresses are the last fields of both headers.
        sum.add(frame.extracting((transportOffset - (isIPv4 ? 8 : 32))..<transportOffset))
        sum.add(UInt32(transportBytes))
        sum.add(UInt16(6))
        return sum
    }

    /// Copies the headers of `frame`, with zeros where the segments of one send differ: length, identification and checksum
    /// of IPv4; length of IPv6; sequence number, PSH and checksum of TCP.
    @_lifetime(pattern: copy pattern)
    func copyPattern(_ frame: RawSpan, into pattern: inout MutableRawSpan) {
        pattern.copy(frame.extracting(0..<headerBytes), to: 0)
        if isIPv4 {
            pattern.storeNetwork(UInt32(0), at: networkOffset + 2)
            pattern.storeNetwork(UInt16(0), at: networkOffset + 10)
        } else {
            pattern.storeNetwork(UInt16(0), at: networkOffset + 4)
        }
        pattern.storeNetwork(UInt32(0), at: transportOffset + 4)
        pattern.storeNetwork(frame.networkUInt8(at: transportOffset + 13) & ~0x08, at: transportOffset + 13)
        pattern.storeNetwork(UInt16(0), at: transportOffset + 16)
    }
}
