// Which checksums of a received frame the device looks at, and how it says what it found: I225 contract, sections 2.4
// (RXCSUM) and 4.1, Linux `igc_rx_checksum`; the I210 data sheet, section 7.1.7, has the ancestor of it.

import Ethernet

extension ReceiveChecksumChoice {
    /// RXCSUM: IPOFLD, TUOFLD and CRCOFL.
    package init(receiveChecksum word: UInt32) {
        self = []
        if word & 1 << 8 != 0 { insert(.ipv4Header) }
        if word & 1 << 9 != 0 { insert(.tcpAndUDP) }
        if word & 1 << 11 != 0 { insert(.sctp) }
    }
}

extension ReceiveChecksumVerdict {
    /// IXSM, in the status and error dword of a write-back descriptor: nothing was looked at.
    package static var ignoredBit: UInt32 { 1 << 2 }

    /// The bits of that dword: UDPCS 4, TCPCS 5 (which SCTP has too), IPCS 6, L4E 29, IPE 30.
    package var writeBackBits: UInt32 {
        guard !isEmpty else { return Self.ignoredBit }
        var bits: UInt32 = 0
        if contains(.udpChecked) { bits |= 1 << 4 }
        if !isDisjoint(with: [.tcpChecked, .sctpChecked]) { bits |= 1 << 5 }
        if contains(.ipv4Checked) { bits |= 1 << 6 }
        if contains(.transportError) { bits |= 1 << 29 }
        if contains(.ipv4Error) { bits |= 1 << 30 }
        return bits
    }
}
