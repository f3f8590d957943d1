// What is found out about a received frame, and how a completion says it.
// Source: Linux struct mana_rxcomp_oob (mana.h), mana_rx_skb (mana_en.c) of 6.12 and 7.x.

import Ethernet
import MANAWire

/// Dword 1 of a completion, the hash, and the tag that is left out.
struct ReceiveFindings {
    var verdict: UInt32
    var hash: ReceiveHash
    /// The bytes of the tag, which the completion tells instead; empty if there is none.
    var gap: Range<Int>

    /// Takes `frame` apart, for a port.
    @inline(__always) init(_ frame: RawSpan, for port: borrowing Port) {
        let headers = FrameHeaders(frame)
        hash = port.hash(frame, headers)
        verdict = Self.bits(ReceiveChecksum.verdict(frame, headers, [.ipv4Header, .tcpAndUDP]), headers)
        if hash.type != .none { verdict |= 1 &<< (15 &+ UInt32(hash.type.rawValue)) }
        gap = 12..<12
        // The adapter takes every tag out: Linux cannot ask it not to.
        if headers.tagCount > 0, frame.networkUInt16(at: 12) == 0x8100 {
            gap = 12..<16
            verdict |= 1 &<< 12 | UInt32(headers.outerTag & 0xFFF)
        }
    }

    /// Linux believes a transport's checksum only where the IP header is said to be right too, which has none in IPv6.
    @inline(__always) private static func bits(_ found: ReceiveChecksumVerdict, _ headers: FrameHeaders) -> UInt32 {
        var bits: UInt32 = 0
        if headers.network != .none { bits |= found.contains(.ipv4Error) ? 1 &<< 26 : 1 &<< 25 }
        let isBad: UInt32 = found.contains(.transportError) ? 1 : 0
        if found.contains(.tcpChecked) { bits |= 1 &<< (27 &+ isBad) }
        if found.contains(.udpChecked) { bits |= 1 &<< (29 &+ isBad) }
        return bits
    }
}
