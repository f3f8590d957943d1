// The checksum field of SCTP: RFC 9260 section 6.8 and appendix A.
//
// SAFETY: the bytes of a local, for one call.

enum SCTPChecksum {
    /// What bytes 8 to 11 of `packet` must hold, as a number in network order: the CRC over the packet with zeros there.
    /// The packet has at least the 12 bytes of its common header.
    static func of(_ packet: RawSpan) -> UInt32 {
        var crc = CRC32C()
        crc.add(packet.extracting(0..<8))
        let zeros: UInt32 = 0
        // SAFETY: the bytes of a local, used inside the closure only.
        unsafe withUnsafeBytes(of: zeros) { unsafe crc.add(RawSpan(_unsafeBytes: $0)) }
        crc.add(packet.extracting(12..<packet.byteCount))
        // The reflected CRC goes out lowest byte first.
        return crc.value.byteSwapped
    }
}
