// Received frames over four queues, with what the card found out about them.

import Backing
import Ethernet
import I225Driver
import I225Model
import I225Wire
import Netdev
import TestFrames
import TestQueues
import Testing

@Suite("Received frames over the queues", .overEveryBacking)
struct SpreadingTests {
    private struct Flow {
        let frame: [UInt8]
        /// What is hashed, in its order; empty: nothing is.
        let hashed: [UInt8]
        let type: RSSType
    }

    /// Flows that differ in one number.
    private func flows(_ number: UInt16) -> [Flow] {
        let v4: [UInt8] = [10, 1, UInt8(number >> 8), UInt8(number & 0xFF)]
        let v4Target: [UInt8] = [10, 0, 0, 2]
        let v6 = [0xFD] + [UInt8](repeating: 7, count: 13) + big(number)
        let v6Target = [0xFD] + [UInt8](repeating: 0, count: 14) + [2]
        let ports = big(40_000 + number) + big(UInt16(7))
        let segment = tcp(from: 40_000 + number, to: 7, payload(40))
        let datagram = udp(from: 40_000 + number, to: 7, payload(40))
        let other = payload(64)
        return [
            Flow(frame: ipv4Frame(6, from: v4, segment), hashed: v4 + v4Target + ports, type: .tcpIPv4),
            Flow(frame: ipv4Frame(17, from: v4, datagram), hashed: v4 + v4Target + ports, type: .udpIPv4),
            Flow(frame: ipv4Frame(50, from: v4, other), hashed: v4 + v4Target, type: .ipv4),
            Flow(frame: ipv6Frame(6, from: v6, segment), hashed: v6 + v6Target + ports, type: .tcpIPv6),
            Flow(frame: ipv6Frame(17, from: v6, datagram), hashed: v6 + v6Target + ports, type: .udpIPv6),
            Flow(frame: ipv6Frame(50, from: v6, other), hashed: v6 + v6Target, type: .ipv6),
            Flow(frame: testFrame(UInt8(truncatingIfNeeded: number)), hashed: [], type: .none),
        ]
    }

    @Test("A flow lands on the queue that its Toeplitz hash names", arguments: 1...4)
    func spreads(queueCount: Int) throws {
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        configuration.receiveQueueCount = queueCount
        let device = try rig.open(configuration)
        var stacks = InlineArray<4, CardStack?> { _ in nil }
        for queue in 0..<4 { stacks[queue] = try rig.stack(device, queue) }
        var used: Set<Int> = []
        for number: UInt16 in 0..<40 {
            for flow in flows(number) {
                let hash = flow.hashed.isEmpty ? 0 : referenceToeplitz(flow.hashed, key: configuration.hashKey)
                // The table has 128 entries, dealt out in turn; what has no hash goes to queue 0.
                let expected = flow.hashed.isEmpty ? 0 : Int(hash % 128) % queueCount
                used.insert(expected)
                #expect(rig.send(flow.frame))
                rig.settle()
                for queue in 0..<4 {
                    let received = stacks[queue]?.receive() ?? []
                    stacks[queue]?.provide(received.count)
                    #expect(received.map { $0.bytes } == (queue == expected ? [flow.frame] : []), "queue \(queue)")
                    for (_, frame) in received {
                        #expect(frame.hash == hash)
                        #expect(frame.hashType == flow.type.rawValue)
                    }
                }
            }
        }
        #expect(used == Set(0..<queueCount))
    }

    @Test("All four queues send, each frame is out once")
    func sendsOnAll() throws {
        let rig = Rig()
        let device = try rig.open()
        var stacks = InlineArray<4, CardStack?> { _ in nil }
        for queue in 0..<4 { stacks[queue] = try rig.stack(device, queue) }
        for number in 0..<40 { #expect(stacks[number % 4]?.send(testFrame(UInt8(number))) == true) }
        rig.settle()
        #expect(Set(rig.arrivals()) == Set((0..<40).map { testFrame(UInt8($0)) }))
        for queue in 0..<4 { #expect(stacks[queue]?.reap() == 10) }
    }

    @Test("A tag is taken off and told, if the user wants that; else it stays", arguments: [true, false])
    func tags(isStripped: Bool) throws {
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        configuration.stripsVLANTags = isStripped
        let device = try rig.open(configuration)
        var stack = try rig.stack(device)
        let plain = ipv4Frame(17, udp(payload(100)))
        let tagged = ipv4Frame(17, tags: [0xE123], udp(payload(100)))
        #expect(rig.send(tagged))
        #expect(rig.send(plain))
        rig.settle()
        let received = stack.receive()
        #expect(received.map { $0.bytes } == [isStripped ? plain : tagged, plain])
        #expect(received.map { $0.frame.hasVLANTag } == [isStripped, false])
        if isStripped { #expect(received.first?.frame.vlanTag == 0xE123) }
    }

    @Test("A right checksum is called good, a wrong or unknown one is not")
    func checksums() throws {
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        let device = try rig.open(configuration)
        var stack = try rig.stack(device)
        let good = ipv4Frame(6, tcp(payload(100)))
        var badTransport = good
        badTransport[80] ^= 1
        var badHeader = good
        badHeader[22] ^= 1
        for frame in [good, badTransport, badHeader, testFrame(1)] { #expect(rig.send(frame)) }
        rig.settle()
        let received = stack.receive()
        #expect(received.map { $0.bytes } == [good, badTransport, badHeader, testFrame(1)])
        #expect(received.map { $0.frame.checksumIsGood } == [true, false, false, false])
    }
}
