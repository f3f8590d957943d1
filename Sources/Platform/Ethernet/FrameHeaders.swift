// Where things are in an Ethernet frame: IEEE 802.3 and 802.1Q, RFC 791 (IPv4), RFC 8200 (IPv6), RFC 6275 (the two
// addresses of mobile IPv6). Whatever a frame says about itself may be false: a header is reported only if all of it
// lies inside the frame and inside the packet around it; else the frame simply has none.

/// The network layer of a frame.
@frozen public enum NetworkProtocol: UInt8, Sendable {
    /// None, or one that is malformed.
    case none
    case ipv4
    case ipv6
}

/// The transport layer of a frame.
@frozen public enum TransportProtocol: UInt8, Sendable {
    /// None, another one, malformed, or in a fragment.
    case none
    case tcp
    case udp
    case sctp
}

/// A frame, taken apart. All places are byte offsets from its start; 0 stands for "not there".
@frozen public struct FrameHeaders: Sendable, Equatable {
    /// VLAN tags before the EtherType: at most two are looked through.
    public internal(set) var tagCount = 0
    /// The outermost tag control information: priority 15:13, VLAN 11:0. Zero without a tag.
    public internal(set) var outerTag: UInt16 = 0
    /// The EtherType behind the tags. Zero where a length stands in its place, or the frame ends before it.
    public internal(set) var etherType: UInt16 = 0

    public internal(set) var network = NetworkProtocol.none
    /// The network header, or what would be it: behind the EtherType.
    public internal(set) var networkOffset = 0
    /// The bytes of the network header, with IPv4 options; of IPv6 without extension headers.
    public internal(set) var networkHeaderBytes = 0
    /// The end of the packet by its own length; padding may follow. Never beyond the frame.
    public internal(set) var networkEnd = 0
    /// Part of a packet: its ports and checksum are not to be had from this frame alone.
    public internal(set) var isFragment = false
    /// A routing header says that the packet has stations to go: its pseudo-header is not that of the IP header.
    public internal(set) var isSourceRouted = false
    /// The home address of a mobile sender (RFC 6275 section 6.3).
    public internal(set) var homeAddressOffset = 0
    /// The home address of a mobile receiver, in a type 2 routing header (RFC 6275 section 6.4).
    public internal(set) var routingAddressOffset = 0

    public internal(set) var transport = TransportProtocol.none
    /// The transport header; its smallest form lies inside the packet.
    public internal(set) var transportOffset = 0

    /// Bytes from the start of the transport header to the end of the packet.
    @inlinable public var transportBytes: Int { networkEnd &- transportOffset }

    /// Takes `frame` apart: from the destination address on, without CRC.
    public init(_ frame: RawSpan) {
        guard let typeOffset = readTags(frame) else { return }
        let type = frame.networkUInt16(at: typeOffset)
        // Below 0x600 it is a length (IEEE 802.3 section 3.2.6).
        guard type >= 0x0600 else { return }
        etherType = type
        networkOffset = typeOffset &+ 2
        switch type {
        case 0x0800: readIPv4(frame)
        case 0x86DD: readIPv6(frame)
        default: break
        }
    }

    /// Goes past the tags; where the EtherType is.
    private mutating func readTags(_ frame: RawSpan) -> Int? {
        var offset = 12
        while frame.byteCount &- offset >= 2 {
            let type = frame.networkUInt16(at: offset)
            guard type == 0x8100 || type == 0x88A8, tagCount < 2 else { return offset }
            guard frame.byteCount &- offset >= 4 else { return nil }
            if tagCount == 0 { outerTag = frame.networkUInt16(at: offset &+ 2) }
            tagCount &+= 1
            offset &+= 4
        }
        return nil
    }

    private mutating func readIPv4(_ frame: RawSpan) {
        let start = networkOffset
        guard frame.byteCount &- start >= 20 else { return }
        let versionAndLength = frame.networkUInt8(at: start)
        let headerBytes = Int(versionAndLength & 0xF) &* 4
        guard versionAndLength >> 4 == 4, headerBytes >= 20, headerBytes <= frame.byteCount &- start else { return }
        let totalBytes = Int(frame.networkUInt16(at: start &+ 2))
        guard totalBytes >= headerBytes else { return }
        network = .ipv4
        networkHeaderBytes = headerBytes
        // More fragments, or not the first one.
        isFragment = frame.networkUInt16(at: start &+ 6) & 0x3FFF != 0
        guard totalBytes <= frame.byteCount &- start else {
            networkEnd = frame.byteCount
            return
        }
        networkEnd = start &+ totalBytes
        if !isFragment { readTransport(frame.networkUInt8(at: start &+ 9), at: start &+ headerBytes) }
    }

    private mutating func readIPv6(_ frame: RawSpan) {
        let start = networkOffset
        guard frame.byteCount &- start >= 40, frame.networkUInt8(at: start) >> 4 == 6 else { return }
        network = .ipv6
        networkHeaderBytes = 40
        let payloadBytes = Int(frame.networkUInt16(at: start &+ 4))
        guard payloadBytes <= frame.byteCount &- start &- 40 else {
            networkEnd = frame.byteCount
            return
        }
        networkEnd = start &+ 40 &+ payloadBytes
        guard let last = readExtensions(frame, first: frame.networkUInt8(at: start &+ 6)), !isFragment else { return }
        readTransport(last.protocolNumber, at: last.offset)
    }

    /// Goes past the extension headers; the protocol behind them and where it starts. Each step goes at least 8 bytes
    /// on, so a hostile chain ends with the frame.
    private mutating func readExtensions(_ frame: RawSpan, first: UInt8) -> (protocolNumber: UInt8, offset: Int)? {
        var header = first
        var offset = networkOffset &+ 40
        while true {
            let isAuthentication = header == 51
            let isFragmentHeader = header == 44
            guard header == 0 || header == 43 || header == 60 || isFragmentHeader || isAuthentication else {
                return (header, offset)
            }
            guard networkEnd &- offset >= 8 else { return nil }
            let next = frame.networkUInt8(at: offset)
            // Units of 8 bytes after the first 8; authentication counts 4 after the first 8 (RFC 4302); a fragment
            // header has no length.
            let lengthField = isFragmentHeader ? 0 : Int(frame.networkUInt8(at: offset &+ 1))
            let byteCount = 8 &+ lengthField &* (isAuthentication ? 4 : 8)
            guard byteCount <= networkEnd &- offset else { return nil }
            switch header {
            case 43: readRouting(frame, at: offset, byteCount: byteCount)
            case 44: isFragment = isFragment || frame.networkUInt16(at: offset &+ 2) & 0xFFF9 != 0
            case 60: readDestinationOptions(frame, at: offset, byteCount: byteCount)
            default: break
            }
            header = next
            offset &+= byteCount
        }
    }

    private mutating func readRouting(_ frame: RawSpan, at offset: Int, byteCount: Int) {
        guard frame.networkUInt8(at: offset &+ 3) != 0 else { return }
        isSourceRouted = true
        if frame.networkUInt8(at: offset &+ 2) == 2, byteCount == 24 { routingAddressOffset = offset &+ 8 }
    }

    private mutating func readDestinationOptions(_ frame: RawSpan, at offset: Int, byteCount: Int) {
        let end = offset &+ byteCount
        var option = offset &+ 2
        while option < end {
            let type = frame.networkUInt8(at: option)
            // Pad1 is the one option without a length.
            if type == 0 {
                option &+= 1
                continue
            }
            guard end &- option >= 2 else { return }
            let dataBytes = Int(frame.networkUInt8(at: option &+ 1))
            guard dataBytes <= end &- option &- 2 else { return }
            if type == 0xC9, dataBytes == 16 { homeAddressOffset = option &+ 2 }
            option &+= 2 &+ dataBytes
        }
    }

    private mutating func readTransport(_ protocolNumber: UInt8, at offset: Int) {
        let found: TransportProtocol
        let smallest: Int
        switch protocolNumber {
        case 6: (found, smallest) = (.tcp, 20)
        case 17: (found, smallest) = (.udp, 8)
        case 132: (found, smallest) = (.sctp, 12)
        default: return
        }
        guard networkEnd &- offset >= smallest else { return }
        transport = found
        transportOffset = offset
    }
}
