// Offloads through driver and card, byte for byte against frames that software built one by one.

import Backing
import Ethernet
import MANADriver
import MANAModel
import MANAWire
import Netdev
import TestFrames
import TestQueues
import Testing

/// The station of the frames of `TestFrames`.
private let station = MACAddress(value: 0x02_00_00_00_00_01)

/// A frame whose transport is at `start`, as a stack would hand it over: the folded sum of the pseudo-header in the
/// checksum's place.
private func unsealed(_ frame: [UInt8], _ number: UInt8, start: Int, offset: Int) -> [UInt8] {
    var frame = frame
    let addresses = [UInt8](start == 34 ? frame[26..<34] : frame[22..<54])
    frame.set16(pseudoHeaderSum(number, addresses: addresses, byteCount: frame.count - start), at: start + offset)
    return frame
}

private struct Transport: Sendable, CustomTestStringConvertible {
    let name: String
    let number: UInt8
    let offset: Int
    let header: @Sendable ([UInt8]) -> [UInt8]
    var testDescription: String { name }
}

private let transports = [
    Transport(name: "TCP", number: 6, offset: 16) { tcp($0) },
    Transport(name: "UDP", number: 17, offset: 6) { udp($0) },
]

@Suite("MANA: offloads", .overEveryBacking)
struct OffloadTests {
    @Test("The card completes a checksum", arguments: transports, [true, false])
    fileprivate func checksum(_ transport: Transport, isIPv4: Bool) throws {
        let rig = Rig()
        let device = try rig.open()
        let port = try device.openPort()
        var stack = try rig.stack(port)
        let start = isIPv4 ? 34 : 54
        for count in [10, 63, 64, 1001, 1400] {
            let body = transport.header(payload(count))
            let whole = isIPv4 ? ipv4Frame(transport.number, body) : ipv6Frame(transport.number, body)
            let frame = unsealed(whole, transport.number, start: start, offset: transport.offset)
            let offload = Offload(
                checksumStart: UInt16(start),
                checksumOffset: UInt16(transport.offset),
                isIPv4: isIPv4
            )
            same(stack.send(frame, offload), true)
            rig.settle()
            #expect(rig.arrivals() == [whole], "\(count) bytes of payload")
            same(stack.reap(), 1)
        }
        #expect(value("tx_0_csum_partial", try device.statistics()) == 5)
    }

    @Test("The card inserts a tag, alone and with a checksum")
    func insertsTag() throws {
        let rig = Rig()
        let device = try rig.open()
        let port = try device.openPort()
        var stack = try rig.stack(port)
        let plain = ipv4Frame(17, udp(payload(100)))
        let tagged = ipv4Frame(17, tags: [0x6123], udp(payload(100)))
        same(stack.send(plain, Offload(vlanTag: 0x6123)), true)
        let frame = unsealed(plain, 17, start: 34, offset: 6)
        same(stack.send(frame, Offload(checksumStart: 34, checksumOffset: 6, isIPv4: true, vlanTag: 0x6123)), true)
        // The tag belongs to its frame alone.
        same(stack.send(plain), true)
        rig.settle()
        #expect(rig.arrivals() == [tagged, tagged, plain])
        same(stack.reap(), 3)
    }

    @Test(
        "A long TCP frame leaves as the segments that software would have sent",
        arguments: [1, 99, 100, 101, 1000, 5000],
        [true, false]
    )
    func segments(count: Int, isIPv4: Bool) throws {
        for portOffset: UInt16 in [0, 300] {
            let rig = Rig { $0.portOffset = portOffset }
            let device = try rig.open()
            let port = try device.openPort()
            var stack = try rig.stack(port, bufferBytes: 8192)
            let send = SegmentedSend(isIPv4: isIPv4, payload(count))
            for tag: UInt16? in [nil, 0x0042] {
                let offload = Offload(
                    checksumStart: isIPv4 ? 34 : 54,
                    checksumOffset: 16,
                    segmentSize: 100,
                    segmentHeaderBytes: 32,
                    isIPv4: isIPv4,
                    vlanTag: tag
                )
                same(stack.send(send.prototype, offload), true)
                rig.settle()
                #expect(rig.arrivals() == send.segments(of: 100, tag: tag))
                same(stack.reap(), 1)
            }
            #expect(value("tx_0_tso_packets", try device.statistics()) == 2)
        }
    }

    @Test("Requests that point outside their frame are refused, nothing is sent, and the next frame is")
    func refusals() throws {
        let whole = Offload(
            checksumStart: 34,
            checksumOffset: 16,
            segmentSize: 100,
            segmentHeaderBytes: 20,
            isIPv4: true
        )
        func with(_ change: (inout Offload) -> Void) -> Offload {
            var offload = whole
            change(&offload)
            return offload
        }
        let refusals: [(String, Offload, UInt32)] = [
            ("starts inside the Ethernet header", with { $0.checksumStart = 13 }, 1000),
            ("starts at the end", with { $0.checksumStart = 1000 }, 1000),
            ("starts behind the end", with { $0.checksumStart = 0xFFFF }, 1000),
            ("behind what the transport offset says", with { $0.checksumStart = 0x400 }, 2000),
            ("no transport has it there", with { $0.checksumOffset = 5 }, 1000),
            ("SCTP", with { $0.checksumOffset = 8 }, 1000),
            ("field behind the end", whole, 34 + 17),
            ("segments of UDP", with { $0.checksumOffset = 6 }, 1000),
            ("segments without a checksum", with { $0.checksumStart = 0 }, 1000),
            ("TCP header too short", with { $0.segmentHeaderBytes = 19 }, 1000),
            ("TCP header too long", with { $0.segmentHeaderBytes = 61 }, 1000),
            ("segments of 16 KB", with { $0.segmentSize = 0x4000 }, 1000),
            ("headers and no data", whole, 54),
            ("headers longer than a byte says", with { $0.checksumStart = 240 }, 1000),
        ]
        let rig = Rig()
        let device = try rig.open()
        let port = try device.openPort()
        var stack = try rig.stack(port)
        for (why, offload, length) in refusals {
            same(stack.send(testFrame(0), offload, length: length), false, "\(why)")
            rig.settle()
            #expect(rig.arrivals().isEmpty, "\(why)")
            same(stack.send(testFrame(1)), true)
            rig.settle()
            #expect(rig.arrivals() == [testFrame(1)], "after: \(why)")
            same(stack.reap(), 1)
        }
        #expect(rig.model.counters.dmaFaults == 0)
    }

    @Test("A right checksum is called good, a wrong or unknown one is not; the hash is Toeplitz's")
    func receives() throws {
        let rig = Rig { $0.macAddress = station }
        let device = try rig.open()
        let port = try device.openPort()
        var stack = try rig.stack(port)
        try port.steer()
        let good = ipv4Frame(6, tcp(from: 40_000, to: 7, payload(100)))
        var badTransport = good
        badTransport[80] ^= 1
        var badHeader = good
        badHeader[22] ^= 1
        let other = testFrame(1, to: [0x02, 0, 0, 0, 0, 1])
        for frame in [good, badTransport, badHeader, other] { #expect(rig.send(frame)) }
        rig.settle()
        let received = stack.receive()
        #expect(received.map { $0.bytes } == [good, badTransport, badHeader, other])
        #expect(received.map { $0.frame.checksumIsGood } == [true, false, false, false])
        let hashed: [UInt8] = [10, 0, 0, 1, 10, 0, 0, 2] + big(UInt16(40_000)) + big(UInt16(7))
        let hash = referenceToeplitz(hashed, key: MANAConfiguration.defaultHashKey)
        #expect(received.first?.frame.hash == hash)
        #expect(received.first?.frame.hashType == 2, "TCP over IPv4 is NDIS hash bit 1")
        #expect(received.last?.frame.hashType == 0)
    }

    @Test("A flow lands on the queue that its Toeplitz hash names", arguments: 1...4)
    func spreads(queueCount: Int) throws {
        let rig = Rig { $0.macAddress = station }
        let device = try rig.open()
        let port = try device.openPort()
        var stacks = InlineArray<4, CardStack?> { _ in nil }
        for queue in 0..<queueCount { stacks[queue] = try rig.stack(port, queue) }
        try port.steer()
        var used: Set<Int> = []
        for number: UInt16 in 0..<64 {
            let source: [UInt8] = [10, 1, 0, UInt8(number)]
            let frame = ipv4Frame(6, from: source, tcp(from: 40_000 + number, to: 7, payload(40)))
            let hashed = source + [10, 0, 0, 2] + big(40_000 + number) + big(UInt16(7))
            let hash = referenceToeplitz(hashed, key: MANAConfiguration.defaultHashKey)
            // The table has 64 entries, dealt out in turn.
            let expected = Int(hash % 64) % queueCount
            used.insert(expected)
            #expect(rig.send(frame))
            rig.settle()
            for queue in 0..<queueCount {
                let received = stacks[queue]?.receive() ?? []
                #expect(received.map { $0.bytes } == (queue == expected ? [frame] : []), "queue \(queue)")
            }
        }
        #expect(used == Set(0..<queueCount))
    }
}
