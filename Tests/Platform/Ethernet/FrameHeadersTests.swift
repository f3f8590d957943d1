// Frames taken apart: what is found in good ones, and that nothing is found beyond the end of bad ones.

import Ethernet
import Simulation
import TestFrames
import Testing

private func headers(_ frame: [UInt8]) -> FrameHeaders { FrameHeaders(frame.raw) }

@Suite struct FrameHeadersTests {
    // MARK: Ethernet

    @Test func aFrameThatIsNeitherIPv4NorIPv6() {
        let found = headers(ethernet(type: 0x88F7, payload(44)))
        #expect(found.etherType == 0x88F7)
        #expect(found.networkOffset == 14)
        #expect(found.network == .none)
        #expect(found.transport == .none)
    }

    @Test func aLengthInPlaceOfTheEtherTypeIsNone() {
        let found = headers(ethernet(type: 0x05FF, payload(60)))
        #expect(found == headers([]))
        #expect(headers(ethernet(type: 0x0600, payload(60))).etherType == 0x0600)
    }

    @Test func tagsAreLookedThrough() {
        let one = headers(ipv4Frame(17, tags: [0xA123], udp(payload(4))))
        #expect(one.tagCount == 1)
        #expect(one.outerTag == 0xA123)
        #expect(one.networkOffset == 18)
        #expect(one.transport == .udp)

        let two = headers(ipv6Frame(6, tags: [0x2001, 0x4002], tcp(payload(4))))
        #expect(two.tagCount == 2)
        #expect(two.outerTag == 0x2001)
        #expect(two.networkOffset == 22)
        #expect(two.transport == .tcp)
    }

    @Test func aServiceTagIsATag() {
        var frame = ipv4Frame(17, tags: [0x0064, 0x0065], udp(payload(4)))
        frame.set16(0x88A8, at: 12)
        #expect(headers(frame).outerTag == 0x0064)
        #expect(headers(frame).transport == .udp)
    }

    @Test func aThirdTagIsAnEtherTypeLikeAnyOther() {
        let found = headers(ipv4Frame(17, tags: [1, 2, 3], udp(payload(4))))
        #expect(found.tagCount == 2)
        #expect(found.etherType == 0x8100)
        #expect(found.network == .none)
    }

    // MARK: IPv4

    @Test(
        arguments: [
            (6, TransportProtocol.tcp, tcp(payload(5))), (17, .udp, udp(payload(5))), (132, .sctp, sctp(payload(8))),
        ] as [(UInt8, TransportProtocol, [UInt8])]
    )
    func theTransportsOfIPv4(number: UInt8, transport: TransportProtocol, bytes: [UInt8]) {
        let found = headers(ipv4Frame(number, bytes))
        #expect(found.network == .ipv4)
        #expect(found.networkHeaderBytes == 20)
        #expect(found.transport == transport)
        #expect(found.transportOffset == 34)
        #expect(found.transportBytes == bytes.count)
    }

    @Test func optionsOfIPv4ArePartOfItsHeader() {
        let found = headers(ipv4Frame(6, options: [UInt8](repeating: 1, count: 40), tcp([])))
        #expect(found.networkHeaderBytes == 60)
        #expect(found.transportOffset == 74)
    }

    @Test func anotherProtocolHasNoTransport() {
        let found = headers(ipv4Frame(1, payload(64)))
        #expect(found.network == .ipv4)
        #expect(found.transport == .none)
    }

    @Test func paddingIsNotPartOfThePacket() {
        let frame = ipv4Frame(17, udp([1, 2, 3]))
        let padded = frame + [UInt8](repeating: 0, count: 60 - frame.count)
        #expect(headers(padded) == headers(frame))
        #expect(headers(padded).networkEnd == frame.count)
    }

    @Test(arguments: [0x2000, 0x0001, 0x3FFF] as [UInt16])
    func aFragmentOfIPv4HasNoTransport(fragment: UInt16) {
        let found = headers(ipv4Frame(17, fragment: fragment, udp(payload(64))))
        #expect(found.network == .ipv4)
        #expect(found.isFragment)
        #expect(found.transport == .none)
    }

    @Test func dontFragmentIsNotAFragment() {
        #expect(!headers(ipv4Frame(17, fragment: 0x4000, udp([]))).isFragment)
    }

    @Test(arguments: [0x44, 0x40, 0x55, 0x65, 0x05] as [UInt8])
    func aHeaderOfIPv4WithAFalseVersionOrLengthIsNone(versionAndLength: UInt8) {
        var frame = ipv4Frame(17, udp(payload(64)))
        frame[14] = versionAndLength
        #expect(headers(frame).network == .none)
        #expect(headers(frame).transport == .none)
    }

    @Test func aHeaderOfIPv4ThatClaimsOptionsBeyondTheFrameIsNone() {
        var frame = ipv4Frame(17, udp([]))
        frame[14] = 0x4F
        #expect(headers(frame).network == .none)
    }

    @Test func aPacketOfIPv4ShorterThanItsHeaderIsNone() {
        var frame = ipv4Frame(17, udp(payload(64)))
        frame.set16(19, at: 16)
        #expect(headers(frame).network == .none)
    }

    @Test func aPacketOfIPv4LongerThanTheFrameHasNoTransport() {
        var frame = ipv4Frame(17, udp(payload(64)))
        frame.set16(UInt16(frame.count - 14 + 1), at: 16)
        #expect(headers(frame).network == .ipv4)
        #expect(headers(frame).networkEnd == frame.count)
        #expect(headers(frame).transport == .none)
    }

    @Test(arguments: [(6, 19), (17, 7), (132, 11)] as [(UInt8, Int)])
    func aTransportHeaderCutShortIsNone(number: UInt8, count: Int) {
        #expect(headers(ipv4Frame(number, payload(count))).transport == .none)
        #expect(headers(ipv4Frame(number, payload(count)) + payload(64)).transport == .none)
        #expect(headers(ipv4Frame(number, payload(count + 1))).transport != .none)
    }

    // MARK: IPv6

    @Test func tcpOverIPv6() {
        let found = headers(ipv6Frame(6, tcp(payload(9))))
        #expect(found.network == .ipv6)
        #expect(found.networkHeaderBytes == 40)
        #expect(found.transportOffset == 54)
        #expect(found.transportBytes == 29)
    }

    @Test func extensionHeadersAreWalkedThrough() {
        let hopByHop: [UInt8] = [60, 0, 1, 4, 0, 0, 0, 0]
        let destinationOptions: [UInt8] = [51, 1, 1, 12] + [UInt8](repeating: 0, count: 12)
        let authentication: [UInt8] = [17, 4] + [UInt8](repeating: 0xEE, count: 22)
        let found = headers(
            ipv6Frame(17, first: 0, extensions: hopByHop + destinationOptions + authentication, udp(payload(4)))
        )
        #expect(found.transport == .udp)
        #expect(found.transportOffset == 54 + 8 + 16 + 24)
        #expect(!found.isSourceRouted)
        #expect(found.homeAddressOffset == 0)
    }

    @Test func theAddressesOfMobileIPv6() {
        let homeAddress: [UInt8] = [43, 2, 1, 2, 0, 0, 0xC9, 16] + [UInt8](repeating: 0x11, count: 16)
        let routing: [UInt8] = [6, 2, 2, 1, 0, 0, 0, 0] + [UInt8](repeating: 0x22, count: 16)
        let frame = ipv6Frame(6, first: 60, extensions: homeAddress + routing, tcp([]))
        let found = headers(frame)
        #expect(frame[found.homeAddressOffset..<found.homeAddressOffset + 16].allSatisfy { $0 == 0x11 })
        #expect(frame[found.routingAddressOffset..<found.routingAddressOffset + 16].allSatisfy { $0 == 0x22 })
        #expect(found.isSourceRouted)
        #expect(found.transport == .tcp)
    }

    @Test func aRoutingHeaderAtItsLastStationChangesNothing() {
        let routing: [UInt8] = [6, 2, 2, 0, 0, 0, 0, 0] + [UInt8](repeating: 0x22, count: 16)
        let found = headers(ipv6Frame(6, first: 43, extensions: routing, tcp([])))
        #expect(!found.isSourceRouted)
        #expect(found.routingAddressOffset == 0)
        #expect(found.transport == .tcp)
    }

    @Test func aRoutingHeaderOfAnotherTypeIsASourceRoute() {
        let routing: [UInt8] = [6, 2, 0, 1, 0, 0, 0, 0] + [UInt8](repeating: 0x22, count: 16)
        let found = headers(ipv6Frame(6, first: 43, extensions: routing, tcp([])))
        #expect(found.isSourceRouted)
        #expect(found.routingAddressOffset == 0)
    }

    @Test func aRoutingHeaderOfAnotherLengthHasNoHomeAddress() {
        let routing: [UInt8] = [6, 0, 2, 1, 0, 0, 0, 0]
        let found = headers(ipv6Frame(6, first: 43, extensions: routing, tcp([])))
        #expect(found.isSourceRouted)
        #expect(found.routingAddressOffset == 0)
    }

    @Test func aHomeAddressOptionOfAnotherLengthIsNone() {
        let options: [UInt8] = [6, 2, 0xC9, 15] + [UInt8](repeating: 0x11, count: 15) + [1, 3, 0, 0, 0]
        let found = headers(ipv6Frame(6, first: 60, extensions: options, tcp([])))
        #expect(found.homeAddressOffset == 0)
        #expect(found.transport == .tcp)
    }

    @Test func anOptionLongerThanItsHeaderEndsTheOptionsNotThePacket() {
        let options: [UInt8] = [6, 0, 0xC9, 16, 0, 0, 0, 0]
        let found = headers(ipv6Frame(6, first: 60, extensions: options, tcp(payload(32))))
        #expect(found.homeAddressOffset == 0)
        #expect(found.transport == .tcp)
    }

    @Test(arguments: [0x0001, 0x0008, 0xFFF8] as [UInt16])
    func aFragmentOfIPv6HasNoTransport(fragment: UInt16) {
        let header: [UInt8] = [17, 0] + big(fragment) + [0, 0, 0, 1]
        let found = headers(ipv6Frame(17, first: 44, extensions: header, udp(payload(64))))
        #expect(found.isFragment)
        #expect(found.transport == .none)
    }

    @Test func anAtomicFragmentIsAWholePacket() {
        let header: [UInt8] = [17, 0xFF, 0, 0, 0, 0, 0, 1]
        let found = headers(ipv6Frame(17, first: 44, extensions: header, udp(payload(64))))
        #expect(!found.isFragment)
        #expect(found.transport == .udp)
        #expect(found.transportOffset == 62)
    }

    @Test func anEncryptedPacketHasNoTransport() {
        #expect(headers(ipv6Frame(6, first: 50, tcp([]))).transport == .none)
    }

    @Test func aPacketOfIPv6LongerThanTheFrameHasNoTransport() {
        var frame = ipv6Frame(6, tcp(payload(8)))
        frame.set16(29, at: 18)
        #expect(headers(frame).network == .ipv6)
        #expect(headers(frame).networkEnd == frame.count)
        #expect(headers(frame).transport == .none)
    }

    @Test func anExtensionHeaderLongerThanThePacketHidesTheTransport() {
        let hopByHop: [UInt8] = [6, 255, 1, 4, 0, 0, 0, 0]
        #expect(headers(ipv6Frame(6, first: 0, extensions: hopByHop, tcp(payload(64)))).transport == .none)
    }

    @Test func aChainOfExtensionHeadersToTheEndOfTheFrameEndsThere() {
        let chain = (0..<1_000).flatMap { _ in [60, 0, 1, 4, 0, 0, 0, 0] as [UInt8] }
        #expect(headers(ipv6Frame(6, first: 60, extensions: chain, [])).transport == .none)
    }

    // MARK: Hostile frames

    /// All places lie in their order inside the frame.
    private func holds(_ found: FrameHeaders, in frame: [UInt8]) -> Bool {
        guard found.network != .none else { return found.transport == .none && found.networkEnd == 0 }
        let headerEnd = found.networkOffset + found.networkHeaderBytes
        guard found.networkOffset >= 14, headerEnd <= found.networkEnd, found.networkEnd <= frame.count
        else { return false }
        for address in [found.homeAddressOffset, found.routingAddressOffset] where address != 0 {
            guard address >= headerEnd, address + 16 <= found.networkEnd else { return false }
        }
        let smallest = [TransportProtocol.tcp: 20, .udp: 8, .sctp: 12]
        guard let needed = smallest[found.transport] else { return true }
        return found.transportOffset >= headerEnd && found.transportBytes >= needed && !found.isFragment
    }

    private let samples: [[UInt8]] = {
        let homeAddress: [UInt8] = [43, 2, 1, 2, 0, 0, 0xC9, 16] + [UInt8](repeating: 0x11, count: 16)
        let routing: [UInt8] = [44, 2, 2, 1, 0, 0, 0, 0] + [UInt8](repeating: 0x22, count: 16)
        let atomicFragment: [UInt8] = [6, 0, 0, 0, 0, 0, 0, 1]
        return [
            ipv4Frame(6, tcp(payload(3))),
            ipv4Frame(17, options: [1, 1, 1, 1], tags: [1, 2], udp(payload(3))),
            ipv6Frame(132, sctp(payload(3))),
            ipv6Frame(6, first: 60, extensions: homeAddress + routing + atomicFragment, tags: [7], tcp(payload(3))),
        ]
    }()

    @Test func everyFrameCutShortAtEveryByte() {
        for sample in samples {
            for count in 0...sample.count {
                let frame = [UInt8](sample[..<count])
                #expect(holds(headers(frame), in: frame), "\(count) bytes of \(sample)")
                // Whatever its lengths say, a frame cut short has lost its transport.
                #expect((headers(frame).transport != .none) == (count == sample.count))
            }
        }
    }

    @Test func framesWithRandomBytesInThem() {
        var random = SeededRandom(seed: 5)
        for _ in 0..<20_000 {
            var frame = samples[Int.random(in: 0..<samples.count, using: &random)]
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                frame[Int.random(in: 12..<frame.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if !holds(headers(frame), in: frame) { Issue.record("\(headers(frame)) of \(frame)") }
        }
    }
}
