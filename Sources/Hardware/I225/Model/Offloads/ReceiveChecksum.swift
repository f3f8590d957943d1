// What the device says about the checksums of a received frame: I225 contract, section 4.1, Linux `igc_rx_checksum`; the
// I210 data sheet, section 7.1.7, has the ancestor of it. A frame that is not understood is not judged: software looks.

import Ethernet

/// Which checksums the device looks at: RXCSUM, in place.
package struct ReceiveChecksumControl: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// IPOFLD.
    package static var ipv4Header: ReceiveChecksumControl { .init(rawValue: 1 << 8) }
    /// TUOFLD.
    package static var tcpAndUDP: ReceiveChecksumControl { .init(rawValue: 1 << 9) }
    /// CRCOFL.
    package static var sctp: ReceiveChecksumControl { .init(rawValue: 1 << 11) }
}

/// Bits of the status and error dword of a write-back descriptor.
package struct ReceiveChecksumVerdict: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// IXSM: nothing was looked at.
    package static var ignored: ReceiveChecksumVerdict { .init(rawValue: 1 << 2) }
    /// UDPCS.
    package static var udpChecked: ReceiveChecksumVerdict { .init(rawValue: 1 << 4) }
    /// TCPCS; SCTP has the same bit.
    package static var tcpChecked: ReceiveChecksumVerdict { .init(rawValue: 1 << 5) }
    /// IPCS.
    package static var ipv4Checked: ReceiveChecksumVerdict { .init(rawValue: 1 << 6) }
    /// L4E.
    package static var transportError: ReceiveChecksumVerdict { .init(rawValue: 1 << 29) }
    /// IPE.
    package static var ipv4Error: ReceiveChecksumVerdict { .init(rawValue: 1 << 30) }
}

package enum ReceiveChecksum {
    /// The verdict on `frame`, which `headers` was made of.
    package static func verdict(
        _ frame: RawSpan,
        _ headers: FrameHeaders,
        _ control: ReceiveChecksumControl
    ) -> ReceiveChecksumVerdict {
        var verdict: ReceiveChecksumVerdict = []
        if control.contains(.ipv4Header), headers.network == .ipv4 {
            verdict.insert(.ipv4Checked)
            let end = headers.networkOffset + headers.networkHeaderBytes
            if InternetChecksum.of(frame.extracting(headers.networkOffset..<end)) != 0 { verdict.insert(.ipv4Error) }
        }
        verdict.formUnion(transportVerdict(frame, headers, control))
        return verdict.isEmpty ? .ignored : verdict
    }

    private static func transportVerdict(
        _ frame: RawSpan,
        _ headers: FrameHeaders,
        _ control: ReceiveChecksumControl
    ) -> ReceiveChecksumVerdict {
        let start = headers.transportOffset
        switch headers.transport {
        case .tcp where control.contains(.tcpAndUDP) && isPseudoHeaderKnown(headers):
            let sum = sum(frame, headers, protocolNumber: 6, byteCount: headers.transportBytes)
            return sum == 0xFFFF ? .tcpChecked : [.tcpChecked, .transportError]
        case .udp where control.contains(.tcpAndUDP) && isPseudoHeaderKnown(headers):
            let byteCount = Int(frame.networkUInt16(at: start + 4))
            // RFC 768: a checksum of zero is none. A length beyond the packet, or below the header, cannot be summed.
            guard frame.networkUInt16(at: start + 6) != 0, byteCount >= 8, byteCount <= headers.transportBytes
            else { return [] }
            let sum = sum(frame, headers, protocolNumber: 17, byteCount: byteCount)
            return sum == 0xFFFF ? .udpChecked : [.udpChecked, .transportError]
        case .sctp where control.contains(.sctp):
            let expected = SCTPChecksum.of(frame.extracting(start..<headers.networkEnd))
            return frame.networkUInt32(at: start + 8) == expected ? .tcpChecked : [.tcpChecked, .transportError]
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
