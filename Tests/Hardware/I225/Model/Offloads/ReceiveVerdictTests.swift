// RXCSUM and the verdict of a write-back descriptor, bit by bit.

import Ethernet
import I225Model
import Testing

@Suite struct ReceiveVerdictTests {
    @Test func choicesAreBitsOfRXCSUM() {
        for bit in 0..<32 {
            let expected: ReceiveChecksumChoice =
                switch bit {
                case 8: .ipv4Header
                case 9: .tcpAndUDP
                case 11: .sctp
                default: []
                }
            #expect(ReceiveChecksumChoice(receiveChecksum: 1 << UInt32(bit)) == expected, "bit \(bit)")
        }
    }

    @Test func everyVerdictHasItsBits() {
        #expect(ReceiveChecksumVerdict().writeBackBits == 0x0000_0004)
        #expect(ReceiveChecksumVerdict.udpChecked.writeBackBits == 0x0000_0010)
        #expect(ReceiveChecksumVerdict.tcpChecked.writeBackBits == 0x0000_0020)
        #expect(ReceiveChecksumVerdict.sctpChecked.writeBackBits == 0x0000_0020)
        #expect(ReceiveChecksumVerdict.ipv4Checked.writeBackBits == 0x0000_0040)
        #expect(ReceiveChecksumVerdict([.ipv4Checked, .ipv4Error]).writeBackBits == 0x4000_0040)
        #expect(ReceiveChecksumVerdict([.tcpChecked, .transportError]).writeBackBits == 0x2000_0020)
        let all: ReceiveChecksumVerdict = [.ipv4Checked, .ipv4Error, .udpChecked, .transportError]
        #expect(all.writeBackBits == 0x6000_0050)
    }
}
