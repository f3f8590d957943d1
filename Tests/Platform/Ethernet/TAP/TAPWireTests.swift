// Linux's own network stack on both ends of a wire, in two namespaces, and what Linux can do to a TAP device meanwhile.

import Clock
import Ethernet
import Testing

@Suite(.serialized, .enabled(if: Host.hasTAPs && Host.hasNamespaces, "needs root, ip, ping, /dev/net/tun"))
struct TAPWireTests {
    @Test func pingLosesNothing() throws {
        let network = try TwoNamespaces("pl")
        #expect(try network.ping(50) == 50)
        let first = network.counters(0)
        let second = network.counters(1)
        // An address request and 50 echo requests at least.
        #expect(first.framesIn >= 51)
        #expect(first.framesIn == second.framesOut)
        #expect(first.bytesIn == second.bytesOut)
        #expect(second.framesIn == first.framesOut)
        #expect(first.interfaceDown + second.interfaceDown + first.noRoom + second.noRoom == 0)
    }

    @Test func framesBeyondAWireAreCountedAndTheWireGoesOn() throws {
        let network = try TwoNamespaces("tl")
        #expect(try network.ping(1) == 1)
        for side in 0...1 { try network.link(side, "mtu 20000") }
        #expect(try network.ping(2, payloadBytes: 15_000) == 0)
        #expect(network.counters(0).tooLong == 2)

        // 14 Ethernet, 20 IPv4, 8 ICMP: the longest that a TAP device can give to a wire, and one byte more.
        let longest = maximumFrameBytes - 1 - 42
        #expect(try network.ping(3, payloadBytes: longest) == 3)
        #expect(network.counters(0).tooLong == 2)
        #expect(try network.ping(1, payloadBytes: longest + 1) == 0)
        #expect(network.counters(0).tooLong == 3)
    }

    @Test func anInterfaceThatIsDownLosesFramesUntilItIsUp() throws {
        let network = try TwoNamespaces("dn")
        #expect(try network.ping(1) == 1)
        try network.link(1, "down")
        #expect(try network.ping(2) == 0)
        #expect(network.counters(1).interfaceDown >= 2)
        try network.link(1, "up")
        #expect(try network.ping(5) == 5)
    }

    @Test func aDeletedInterfaceIsNoTrouble() throws {
        let network = try TwoNamespaces("de")
        #expect(try network.ping(1) == 1)
        try network.deleteLink(1)
        #expect(try network.ping(2) == 0)
        #expect(network.counters(1).interfaceDown >= 2)
        #expect(network.isDeleted(1))
        #expect(!network.isDeleted(0))
    }

    @Test func aTCPSendCrossesWholeAndInFewerPacketsThanFrames() throws {
        let network = try TwoNamespaces("tr", takesTrains: true)
        let connection = try network.connectTCP()
        let sent = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
        #expect(try connection.carry(sent) == sent)
        let frames = network.counters(1).framesOut
        let packets = try network.receivedPackets(1)
        // A million bytes are 690 segments of 1448.
        #expect(frames >= 690)
        #expect(packets * 2 < frames, "\(packets) packets of \(frames) frames")
        #expect(network.counters(0).refused + network.counters(1).refused == 0)
    }
}
