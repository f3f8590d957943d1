// The bytes of a capture file, block by block. Source of truth: draft-ietf-opsawg-pcapng.

import Ethernet
import Testing

@Suite struct PcapngGoldenTests {
    @Test func aWholeFile() throws {
        let file = TemporaryFile()
        var writer = try PcapngWriter(path: file.path, hardware: "I225-LM", comment: "tour")
        let interface = writer.addInterface(named: "rx0", snapLength: 96)
        let bytes: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02, 0, 0, 0, 0, 0x01, 0x88, 0xB5, 0xAA]
        // SAFETY: an array's bytes are initialised.
        unsafe writer.append(
            bytes.span.bytes,
            interface: interface,
            time: 0x0123_4567_89AB_CDEF,
            direction: .transmitted,
            comment: "é"
        )
        try writer.close()

        #expect(
            file.bytes
                == hex(
                    """
                    0A0D0D0A 40000000      section header, 64 bytes
                    4D3C2B1A 0100 0000     byte order, version 1.0
                    FFFFFFFF FFFFFFFF      length of the section is not said
                    0100 0400 746F7572     opt_comment "tour"
                    0200 0700 493232352D4C4D 00   shb_hardware "I225-LM", padded
                    0400 0800 446F6F7262656C6C    shb_userappl "Doorbell"
                    0000 0000              end of options
                    40000000
                    01000000 30000000      interface description, 48 bytes
                    0100 0000 60000000     Ethernet, 96 bytes of each frame
                    0200 0300 727830 00    if_name "rx0", padded
                    0900 0100 09 000000    if_tsresol: 10^-9 s
                    0D00 0100 00 000000    if_fcslen: none
                    0000 0000              end of options
                    30000000
                    06000000 44000000      enhanced packet, 68 bytes
                    00000000               interface 0
                    67452301 EFCDAB89      time, upper half first
                    0F000000 0F000000      captured and original length
                    FFFFFFFF FFFF 02000000 0001 88B5 AA 00   the frame, padded
                    0200 0400 02000000     epb_flags: outbound
                    0100 0200 C3A9 0000    opt_comment "é", padded
                    0000 0000              end of options
                    44000000
                    """
                )
        )
    }

    @Test func framesAreCutAtTheSnapLengthAndSaySo() throws {
        let file = TemporaryFile()
        var writer = try PcapngWriter(path: file.path)
        let interface = writer.addInterface(named: "q", snapLength: 14)
        let before = file.bytes.count
        #expect(before == 0, "a block waits in memory")
        let bytes = [UInt8](repeating: 0x11, count: 1518)
        // SAFETY: an array's bytes are initialised.
        unsafe writer.append(bytes.span.bytes, interface: interface, time: 1, direction: .received)
        try writer.close()
        #expect(
            Array(file.bytes.suffix(60))
                == hex(
                    """
                    06000000 3C000000
                    00000000
                    00000000 01000000
                    0E000000 EE050000      cut to 14 of 1518 bytes
                    1111111111111111111111111111 0000
                    0200 0400 01000000     epb_flags: inbound
                    0000 0000
                    3C000000
                    """
                )
        )
    }
}

/// The bytes of lines of hexadecimal; what comes after them in a line is a remark. A remark starts with a word that is
/// no hexadecimal number of whole bytes.
func hex(_ text: String) -> [UInt8] {
    text.split(separator: "\n").flatMap { line in
        line.split(separator: " ")
            .prefix { $0.count.isMultiple(of: 2) && $0.allSatisfy { $0.isHexDigit && !$0.isLowercase } }
            .joined()
            .chunks(of: 2)
            .compactMap { UInt8($0, radix: 16) }
    }
}

extension String {
    fileprivate func chunks(of length: Int) -> [String] {
        stride(from: 0, to: count, by: length).map { String(dropFirst($0).prefix(length)) }
    }
}
