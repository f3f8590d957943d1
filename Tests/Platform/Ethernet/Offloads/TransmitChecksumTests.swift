// Checksums of frames that go out whole, byte for byte, and descriptors that claim headers which are not there.

import Ethernet
import TestFrames
import Testing

/// Fills `frame` in; nil if it was refused, and then it must be unchanged.
private func filled(_ frame: [UInt8], _ offload: TransmitOffload) -> [UInt8]? {
    var lent = LentBytes(frame)
    do {
        try lent.lend { (bytes) throws(OffloadError) in try TransmitChecksum.fill(offload, in: &bytes) }
        #expect(lent.guardsHold)
        return lent.bytes
    } catch {
        #expect(lent.guardsHold)
        #expect(lent.bytes == frame)
        return nil
    }
}

private func refusal(of frame: [UInt8], _ offload: TransmitOffload) -> OffloadError? {
    var lent = LentBytes(frame)
    do {
        try lent.lend { (bytes) throws(OffloadError) in try TransmitChecksum.fill(offload, in: &bytes) }
        return nil
    } catch {
        return error
    }
}

@Suite struct TransmitChecksumTests {
    private func offload(
        _ transport: TransportProtocol,
        isIPv4: Bool = true,
        macHeaderBytes: Int = 14,
        networkHeaderBytes: Int? = nil
    ) -> TransmitOffload {
        TransmitOffload(
            macHeaderBytes: macHeaderBytes,
            networkHeaderBytes: networkHeaderBytes ?? (isIPv4 ? 20 : 40),
            isIPv4: isIPv4,
            transport: transport,
            fillsNetworkChecksum: isIPv4,
            fillsTransportChecksum: transport != .none
        )
    }

    /// What a driver hands over in place of `frame`: no header checksum, and the pseudo-header's sum in the transport's.
    private func prepared(_ frame: [UInt8], transportField: Int, protocolNumber: UInt8) -> [UInt8] {
        var prepared = frame
        let isIPv4 = frame[14] >> 4 == 4
        let addresses = [UInt8](isIPv4 ? frame[26..<34] : frame[22..<54])
        let start = isIPv4 ? 34 : 54
        let sum = pseudoHeaderSum(protocolNumber, addresses: addresses, byteCount: frame.count - start)
        prepared.set16(sum, at: start + transportField)
        if isIPv4 { prepared.set16(0, at: 24) }
        return prepared
    }

    @Test(arguments: 0...67)
    func tcpAndUDPOfEveryLength(count: Int) {
        for frame in [ipv4Frame(6, tcp(payload(count))), ipv6Frame(6, tcp(payload(count)))] {
            let isIPv4 = frame[14] >> 4 == 4
            #expect(
                filled(prepared(frame, transportField: 16, protocolNumber: 6), offload(.tcp, isIPv4: isIPv4)) == frame
            )
        }
        for frame in [ipv4Frame(17, udp(payload(count))), ipv6Frame(17, udp(payload(count)))] {
            let isIPv4 = frame[14] >> 4 == 4
            #expect(
                filled(prepared(frame, transportField: 6, protocolNumber: 17), offload(.udp, isIPv4: isIPv4)) == frame
            )
        }
    }

    @Test func aUDPChecksumOfZeroGoesOutAsOnes() {
        // The word that the checksum of the rest leaves over makes it zero.
        let rest = ipv4Frame(17, udp([0, 0]))
        let frame = ipv4Frame(17, udp(big(rest.number16(at: 40))))
        #expect(frame.number16(at: 40) == 0xFFFF, "the frame's builder knows the rule")
        #expect(filled(prepared(frame, transportField: 6, protocolNumber: 17), offload(.udp)) == frame)
    }

    @Test func aTCPChecksumOfZeroStaysZero() {
        let rest = ipv4Frame(6, tcp([0, 0]))
        let frame = ipv4Frame(6, tcp(big(rest.number16(at: 50))))
        #expect(frame.number16(at: 50) == 0)
        #expect(filled(prepared(frame, transportField: 16, protocolNumber: 6), offload(.tcp)) == frame)
    }

    @Test(arguments: [0, 4, 1_444])
    func sctpOverBothNetworks(count: Int) {
        for frame in [ipv4Frame(132, sctp(payload(count))), ipv6Frame(132, sctp(payload(count)))] {
            let isIPv4 = frame[14] >> 4 == 4
            var blank = frame
            // What is in the field does not count.
            blank.set32(0xDEAD_BEEF, at: (isIPv4 ? 34 : 54) + 8)
            if isIPv4 { blank.set16(0, at: 24) }
            #expect(filled(blank, offload(.sctp, isIPv4: isIPv4)) == frame)
        }
    }

    @Test func optionsOfIPv4() {
        let frame = ipv4Frame(1, options: [1, 1, 1, 0], payload(10))
        var blank = frame
        blank.set16(0, at: 24)
        #expect(filled(blank, offload(.none, networkHeaderBytes: 24)) == frame)
    }

    @Test func aTagInTheBufferIsPartOfTheMACHeader() {
        let frame = ipv4Frame(1, tags: [0x0123], payload(10))
        var blank = frame
        blank.set16(0, at: 28)
        #expect(filled(blank, offload(.none, macHeaderBytes: 18)) == frame)
    }

    @Test func whatIsNotAskedForIsNotDone() {
        let frame = ipv4Frame(6, tcp(payload(10))).map { ~$0 }
        var nothing = offload(.tcp)
        nothing.fillsNetworkChecksum = false
        nothing.fillsTransportChecksum = false
        #expect(filled(frame, nothing) == frame)
        // IPv6 has no header checksum to fill in.
        var ipv6 = nothing
        ipv6.fillsNetworkChecksum = true
        ipv6.isIPv4 = false
        #expect(filled(frame, ipv6) == frame)
    }

    // MARK: Hostile descriptors

    @Test func eachRefusalHasItsName() {
        let frame = ipv4Frame(17, udp(payload(4)))
        #expect(refusal(of: frame, offload(.none, networkHeaderBytes: 19)) == .networkHeaderTooShort)
        #expect(refusal(of: frame, offload(.none, networkHeaderBytes: 33)) == .headersBeyondFrame)
        #expect(refusal(of: frame, offload(.udp, networkHeaderBytes: 33)) == .headersBeyondFrame)
        #expect(refusal(of: frame, offload(.udp, networkHeaderBytes: 25)) == .checksumFieldBeyondFrame)
        var reserved = offload(.none)
        reserved.fillsTransportChecksum = true
        #expect(refusal(of: frame, reserved) == .unknownTransport)
    }

    @Test(arguments: [TransportProtocol.none, .tcp, .udp, .sctp])
    func noLengthsReachOutsideTheFrame(transport: TransportProtocol) {
        for frameBytes in 0...64 {
            let frame = payload(frameBytes)
            for macHeaderBytes in [0, 1, 13, 14, 18, 63, 64, 127] {
                for networkHeaderBytes in [0, 1, 19, 20, 21, 40, 50, 511] {
                    let offload = offload(
                        transport,
                        macHeaderBytes: macHeaderBytes,
                        networkHeaderBytes: networkHeaderBytes
                    )
                    let fits = macHeaderBytes + networkHeaderBytes <= frameBytes
                    // `filled` looks at the guards, and at the frame if it was refused.
                    if filled(frame, offload) != nil, !fits { Issue.record("\(offload) of \(frameBytes) bytes") }
                }
            }
        }
    }
}
