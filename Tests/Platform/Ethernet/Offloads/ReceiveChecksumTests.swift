// Verdicts on the checksums of received frames.

import Ethernet
import Simulation
import TestFrames
import Testing

private let everything: ReceiveChecksumChoice = [.ipv4Header, .tcpAndUDP, .sctp]

private func verdict(_ frame: [UInt8], _ choice: ReceiveChecksumChoice = everything) -> ReceiveChecksumVerdict {
    ReceiveChecksum.verdict(frame.raw, FrameHeaders(frame.raw), choice)
}

/// `frame` with one bit of the byte at `offset` turned.
private func spoiled(_ frame: [UInt8], at offset: Int) -> [UInt8] {
    var spoiled = frame
    spoiled[offset] ^= 0x10
    return spoiled
}

@Suite struct ReceiveChecksumTests {
    @Test(arguments: 0...40)
    func goodFramesOfEveryLength(count: Int) {
        #expect(verdict(ipv4Frame(6, tcp(payload(count)))) == [.ipv4Checked, .tcpChecked])
        #expect(verdict(ipv4Frame(17, udp(payload(count)))) == [.ipv4Checked, .udpChecked])
        #expect(verdict(ipv4Frame(132, sctp(payload(count)))) == [.ipv4Checked, .sctpChecked])
        #expect(verdict(ipv6Frame(6, tcp(payload(count)))) == .tcpChecked)
        #expect(verdict(ipv6Frame(17, udp(payload(count)))) == .udpChecked)
        #expect(verdict(ipv6Frame(132, sctp(payload(count)))) == .sctpChecked)
    }

    @Test func everySpoiledByteOfATransportIsNoticed() {
        for frame in [ipv4Frame(6, tcp(payload(8))), ipv6Frame(6, tcp(payload(8)))] {
            for offset in FrameHeaders(frame.raw).transportOffset..<frame.count {
                let found = verdict(spoiled(frame, at: offset))
                #expect(found.contains([.tcpChecked, .transportError]), "byte \(offset)")
                #expect(!found.contains(.ipv4Error))
            }
        }
        let association = ipv4Frame(132, sctp(payload(8)))
        for offset in 34..<association.count {
            #expect(verdict(spoiled(association, at: offset)).contains([.sctpChecked, .transportError]))
        }
    }

    @Test func spoiledDataOfADatagramIsNoticed() {
        let frame = ipv4Frame(17, udp(payload(8)))
        #expect(verdict(spoiled(frame, at: 45)) == [.ipv4Checked, .udpChecked, .transportError])
    }

    @Test func aSpoiledHeaderOfIPv4IsNoticed() {
        // The time to live is not part of the pseudo-header, the address is.
        let frame = ipv4Frame(17, udp(payload(8)))
        #expect(verdict(spoiled(frame, at: 22)) == [.ipv4Checked, .ipv4Error, .udpChecked])
        #expect(verdict(spoiled(frame, at: 29)) == [.ipv4Checked, .ipv4Error, .udpChecked, .transportError])
    }

    @Test func onlyWhatIsEnabledIsLookedAt() {
        let stream = ipv4Frame(6, tcp(payload(8)))
        #expect(verdict(stream, []) == [])
        #expect(verdict(stream, .ipv4Header) == .ipv4Checked)
        #expect(verdict(stream, .tcpAndUDP) == .tcpChecked)
        #expect(verdict(ipv6Frame(6, tcp([])), .ipv4Header) == [])
        #expect(verdict(ipv6Frame(132, sctp([])), .tcpAndUDP) == [])
        #expect(verdict(ipv6Frame(6, tcp([])), .sctp) == [])
    }

    @Test func paddingAndTagsDoNotCount() {
        let frame = ipv4Frame(17, tags: [0x0064], udp(payload(3)))
        #expect(verdict(frame + [0xFF, 0xFE, 0xFD]) == [.ipv4Checked, .udpChecked])
    }

    @Test func aDatagramWithoutChecksumIsNotJudged() {
        var frame = ipv4Frame(17, udp(payload(8)))
        frame.set16(0, at: 40)
        #expect(verdict(frame) == .ipv4Checked)
    }

    @Test(arguments: [0, 7, 17, 0xFFFF] as [UInt16])
    func aDatagramWithAFalseLengthIsNotJudged(length: UInt16) {
        var frame = ipv4Frame(17, udp(payload(8)))
        frame.set16(length, at: 38)
        #expect(verdict(frame) == .ipv4Checked)
    }

    @Test func aDatagramShorterThanItsPacketIsSummedByItsOwnLength() {
        let datagram = ipv4Frame(17, udp(payload(8)))
        var frame = ipv4Frame(17, udp(payload(8)) + [0xAA, 0xBB])
        frame.set16(datagram.number16(at: 40), at: 40)
        #expect(verdict(frame) == [.ipv4Checked, .udpChecked])
    }

    @Test func fragmentsAreNotJudged() {
        #expect(verdict(ipv4Frame(17, fragment: 0x2000, udp(payload(8)))) == .ipv4Checked)
        let header: [UInt8] = [17, 0, 0, 1, 0, 0, 0, 1]
        #expect(verdict(ipv6Frame(17, first: 44, extensions: header, udp(payload(8)))) == [])
    }

    @Test func sourceRoutesAndHomeAddressesAreNotJudged() {
        let routing: [UInt8] = [6, 2, 0, 1, 0, 0, 0, 0] + [UInt8](repeating: 0x22, count: 16)
        #expect(verdict(ipv6Frame(6, first: 43, extensions: routing, tcp([]))) == [])
        let home: [UInt8] = [17, 2, 1, 2, 0, 0, 0xC9, 16] + [UInt8](repeating: 0x11, count: 16)
        #expect(verdict(ipv6Frame(17, first: 60, extensions: home, udp([]))) == [])
    }

    @Test func framesThatAreNotUnderstoodAreNotJudged() {
        #expect(verdict([]) == [])
        #expect(verdict(ethernet(type: 0x0806, payload(46))) == [])
        #expect(verdict(ipv6Frame(58, payload(46))) == [])
    }

    @Test func framesWithRandomBytesInThem() {
        var random = SeededRandom(seed: 9)
        let samples = [
            ipv4Frame(6, tcp(payload(20))), ipv4Frame(17, udp(payload(20))), ipv6Frame(17, udp(payload(20))),
            ipv6Frame(132, sctp(payload(20))),
        ]
        for _ in 0..<5_000 {
            var frame = samples[Int.random(in: 0..<4, using: &random)]
            for _ in 0..<4 {
                frame[Int.random(in: 12..<frame.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            frame.removeLast(Int.random(in: 0..<20, using: &random))
            let found = verdict(frame)
            let judged: ReceiveChecksumVerdict = [.ipv4Checked, .tcpChecked, .udpChecked, .sctpChecked]
            if found.isDisjoint(with: judged) != (found == []) { Issue.record("\(found) of \(frame)") }
        }
    }
}
