// What a device says about the checksums of a received frame: RFC 791, 768, 9293, 9260. A frame that is not understood is
// not judged: software looks.

/// Which checksums the device looks at.
@frozen public struct ReceiveChecksumChoice: OptionSet, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var ipv4Header: ReceiveChecksumChoice { .init(rawValue: 1 << 0) }
    @inlinable public static var tcpAndUDP: ReceiveChecksumChoice { .init(rawValue: 1 << 1) }
    @inlinable public static var sctp: ReceiveChecksumChoice { .init(rawValue: 1 << 2) }
}

/// What was looked at, and what was wrong; empty where nothing was looked at.
@frozen public struct ReceiveChecksumVerdict: OptionSet, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var ipv4Checked: ReceiveChecksumVerdict { .init(rawValue: 1 << 0) }
    @inlinable public static var ipv4Error: ReceiveChecksumVerdict { .init(rawValue: 1 << 1) }
    @inlinable public static var udpChecked: ReceiveChecksumVerdict { .init(rawValue: 1 << 2) }
    @inlinable public static var tcpChecked: ReceiveChecksumVerdict { .init(rawValue: 1 << 3) }
    @inlinable public static var sctpChecked: ReceiveChecksumVerdict { .init(rawValue: 1 << 4) }
    /// Of whichever transport was checked.
    @inlinable public static var transportError: ReceiveChecksumVerdict { .init(rawValue: 1 << 5) }
}

public enum ReceiveChecksum {
    /// The verdict on `frame`, which `headers` was made of.
    public static func verdict(
        _ frame: RawSpan,
        _ headers: FrameHeaders,
        _ choice: ReceiveChecksumChoice
    ) -> ReceiveChecksumVerdict {
        var verdict: ReceiveChecksumVerdict = []
        if choice.contains(.ipv4Header), headers.network == .ipv4 {
            verdict.insert(.ipv4Checked)
            let end = headers.networkOffset + headers.networkHeaderBytes
            if InternetChecksum.of(frame.extracting(headers.networkOffset..<end)) != 0 { verdict.insert(.ipv4Error) }
        }
        verdict.formUnion(transportVerdict(frame, headers, choice))
        return verdict
    }

    private static func transportVerdict(
        _ frame: RawSpan,
        _ headers: FrameHeaders,
        _ choice: ReceiveChecksumChoice
    ) -> ReceiveChecksumVerdict {
        let start = headers.transportOffset
        switch headers.transport {
        case .tcp where choice.contains(.tcpAndUDP) && isPseudoHeaderKnown(headers):
            let sum = sum(frame, headers, protocolNumber: 6, byteCount: headers.transportBytes)
            return sum == 0xFFFF ? .tcpChecked : [.tcpChecked, .transportError]
        case .udp where choice.contains(.tcpAndUDP) && isPseudoHeaderKnown(headers):
            let byteCount = Int(frame.networkUInt16(at: start + 4))
            // RFC 768: a checksum of zero is none. A length beyond the packet, or below the header, cannot be summed.
            guard frame.networkUInt16(at: start + 6) != 0, byteCount >= 8, byteCount <= headers.transportBytes
            else { return [] }
            let sum = sum(frame, headers, protocolNumber: 17, byteCount: byteCount)
            return sum == 0xFFFF ? .udpChecked : [.udpChecked, .transportError]
        case .sctp where choice.contains(.sctp):
            let expected = SCTPChecksum.of(frame.extracting(start..<headers.networkEnd))
            return frame.networkUInt32(at: start + 8) == expected ? .sctpChecked : [.sctpChecked, .transportError]
        default:
            return []
        }
    }

    /// Mobile IPv6 and source routes put other addresses into the pseudo-header than the IP header has.
    private static func isPseudoHeaderKnown(_ headers: FrameHeaders) -> Bool {
        !headers.isSourceRouted && headers.homeAddressOffset == 0
    }

    /// The folded sum over pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1) and `byteCount` bytes behind it.
    private static func sum(
        _ frame: RawSpan,
        _ headers: FrameHeaders,
        protocolNumber: UInt16,
        byteCount: Int
    ) -> UInt16 {
        let isIPv4 = headers.network == .ipv4
        let addresses = headers.networkOffset + (isIPv4 ? 12 : 8)
        var sum = InternetChecksum()
        sum.add(protocolNumber)
        sum.add(UInt32(truncatingIfNeeded: byteCount))
        sum.add(frame.extracting(addresses..<addresses + (isIPv4 ? 8 : 32)))
        sum.add(frame.extracting(headers.transportOffset..<headers.transportOffset + byteCount))
        return sum.folded
    }
}
