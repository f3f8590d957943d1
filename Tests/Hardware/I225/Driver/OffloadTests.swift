// Offloads through driver and card, byte for byte against frames that software built one by one.

import Ethernet
import I225Driver
import I225Model
import I225Wire
import Netdev
import Registers
import TestFrames
import TestQueues
import Testing

/// A frame whose transport is at `start` and has its checksum, as a stack would hand it over: the folded sum of the
/// pseudo-header in the checksum's place.
private func unsealed(_ frame: [UInt8], protocolNumber: UInt8, start: Int, offset: Int) -> [UInt8] {
    var frame = frame
    guard protocolNumber != 132 else {
        // SCTP has no pseudo-header.
        frame.set32(0, at: start + offset)
        return frame
    }
    let addresses = [UInt8](start == 34 ? frame[26..<34] : frame[22..<54])
    frame.set16(
        pseudoHeaderSum(protocolNumber, addresses: addresses, byteCount: frame.count - start),
        at: start + offset
    )
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
    Transport(name: "SCTP", number: 132, offset: 8) { sctp($0) },
]

@Suite("Offloads of sent frames", .overEveryBacking)
struct OffloadTests {
    @Test("The card completes a checksum", arguments: transports, [true, false])
    fileprivate func checksum(_ transport: Transport, isIPv4: Bool) throws {
        let rig = Rig()
        let device = try rig.open()
        var stack = try rig.stack(device)
        let start = isIPv4 ? 34 : 54
        for count in [0, 1, 2, 63, 64, 1001, 1400] {
            let body = transport.header(payload(count))
            let whole = isIPv4 ? ipv4Frame(transport.number, body) : ipv6Frame(transport.number, body)
            let frame = unsealed(whole, protocolNumber: transport.number, start: start, offset: transport.offset)
            let offload = Offload(checksumStart: UInt16(start), checksumOffset: UInt16(transport.offset))
            #expect(stack.send(frame, offload) == true)
            rig.settle()
            let padding = [UInt8](repeating: 0, count: max(0, 60 - whole.count))
            #expect(rig.arrivals() == [whole + padding], "\(count) bytes of payload")
            #expect(stack.reap() == 1)
        }
    }

    @Test("The card inserts a tag, alone and with a checksum")
    func insertsTag() throws {
        let rig = Rig()
        let device = try rig.open()
        var stack = try rig.stack(device)
        let plain = ipv4Frame(17, udp(payload(100)))
        let tagged = ipv4Frame(17, tags: [0x6123], udp(payload(100)))
        #expect(stack.send(plain, Offload(vlanTag: 0x6123)) == true)
        let frame = unsealed(plain, protocolNumber: 17, start: 34, offset: 6)
        #expect(stack.send(frame, Offload(checksumStart: 34, checksumOffset: 6, vlanTag: 0x6123)) == true)
        // The tag belongs to its frame alone.
        #expect(stack.send(plain) == true)
        rig.settle()
        #expect(rig.arrivals() == [tagged, tagged, plain])
    }

    @Test(
        "A long TCP frame leaves as the segments that software would have sent",
        arguments: [1, 99, 100, 101, 1000, 5000],
        [true, false]
    )
    func segments(count: Int, isIPv4: Bool) throws {
        let rig = Rig()
        let device = try rig.open()
        var stack = try rig.stack(device, bufferBytes: 8192)
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
            #expect(stack.send(send.prototype, offload) == true)
            rig.settle()
            #expect(rig.arrivals() == send.segments(of: 100, tag: tag))
            #expect(stack.reap() == 1)
        }
    }

    @Test("64 KB less the headers leave as segments of the wire's size")
    func longestSend() throws {
        let rig = Rig()
        let device = try rig.open()
        var stack = try rig.stack(device, bufferBytes: 65536)
        let send = SegmentedSend(isIPv4: true, payload(65535 - 66))
        let offload = Offload(
            checksumStart: 34,
            checksumOffset: 16,
            segmentSize: 1448,
            segmentHeaderBytes: 32,
            isIPv4: true
        )
        #expect(stack.send(send.prototype, offload) == true)
        rig.settle()
        #expect(rig.arrivals() == send.segments(of: 1448))
    }

    /// Our card does not look at it; Linux's driver writes it, and a real card may.
    @Test("PAYLEN is the payload of a frame that is segmented, and all of one that is not (igc_tx_olinfo_status)")
    func payloadLength() throws {
        let rig = Rig()
        let device = try rig.open()
        var stack = try rig.stack(device)
        let card = try LyingDevice(rig)
        let frame = SegmentedSend(isIPv4: true, payload(500)).prototype
        let checksum = Offload(checksumStart: 34, checksumOffset: 16)
        var segments = checksum
        segments.segmentSize = 100
        segments.segmentHeaderBytes = 32
        segments.isIPv4 = true
        for offload in [Offload(), checksum, segments] { #expect(stack.send(frame, offload) == true) }
        // Plain, context, checksum, context, segments.
        let lengths = [0, 2, 4].map { card.transmitDescriptor($0).options[.payloadLength] }
        #expect(lengths == [UInt32(frame.count), UInt32(frame.count), 500])
    }

    private struct Refusal: Sendable {
        let why: String
        let offload: Offload
        var length: UInt32 = 1000
    }

    @Test("Requests that point outside their frame are refused, nothing is sent, and the next frame is")
    func refusals() throws {
        let tcp = Offload(
            checksumStart: 34,
            checksumOffset: 16,
            segmentSize: 100,
            segmentHeaderBytes: 20,
            isIPv4: true
        )
        func with(_ change: (inout Offload) -> Void) -> Offload {
            var offload = tcp
            change(&offload)
            return offload
        }
        let refusals = [
            Refusal(why: "no bytes", offload: Offload(), length: 0),
            Refusal(why: "longer than a frame", offload: Offload(), length: 9729),
            Refusal(why: "longer than a frame, tagged", offload: Offload(vlanTag: 1), length: 9729),
            Refusal(why: "starts inside the Ethernet header", offload: with { $0.checksumStart = 13 }),
            Refusal(why: "starts at the end", offload: with { $0.checksumStart = 1000 }),
            Refusal(why: "starts behind the end", offload: with { $0.checksumStart = 0xFFFF }),
            Refusal(why: "more IP headers than IPLEN holds", offload: with { $0.checksumStart = 14 + 512 }),
            Refusal(why: "no transport has it there", offload: with { $0.checksumOffset = 5 }),
            Refusal(why: "field behind the end", offload: tcp, length: 34 + 17),
            Refusal(why: "UDP behind the end", offload: Offload(checksumStart: 34, checksumOffset: 6), length: 41),
            Refusal(why: "SCTP behind the end", offload: Offload(checksumStart: 34, checksumOffset: 8), length: 45),
            Refusal(why: "segments of UDP", offload: with { $0.checksumOffset = 6 }),
            Refusal(why: "segments without a checksum", offload: with { $0.checksumStart = 0 }),
            Refusal(why: "TCP header too short", offload: with { $0.segmentHeaderBytes = 19 }),
            Refusal(why: "TCP header too long", offload: with { $0.segmentHeaderBytes = 61 }),
            Refusal(why: "TCP header of 64 KB", offload: with { $0.segmentHeaderBytes = 0xFFFF }),
            Refusal(why: "headers and no data", offload: tcp, length: 54),
            Refusal(why: "headers behind the end", offload: tcp, length: 53),
            Refusal(why: "more than a descriptor can say", offload: tcp, length: 0x1_0000),
            Refusal(why: "more than PAYLEN can say", offload: tcp, length: 0x10_0000),
        ]
        let rig = Rig()
        let device = try rig.open()
        var stack = try rig.stack(device)
        for refusal in refusals {
            #expect(stack.send(testFrame(0), refusal.offload, length: refusal.length) == false, "\(refusal.why)")
            rig.settle()
            #expect(rig.arrivals().isEmpty, "\(refusal.why)")
            #expect(stack.send(testFrame(1)) == true, "after: \(refusal.why)")
            rig.settle()
            #expect(rig.arrivals() == [testFrame(1)], "after: \(refusal.why)")
            #expect(stack.reap() == 1)
        }
        #expect(rig.model.counters.malformedTransmits == 0)
        #expect(rig.model.counters.dmaFaults == 0)
    }

    @Test("What only the card can find out it refuses, and the queue goes on")
    func cardRefuses() throws {
        let rig = Rig()
        let device = try rig.open()
        var stack = try rig.stack(device)
        // An IPv4 header of 6 bytes.
        let odd = Offload(
            checksumStart: 20,
            checksumOffset: 16,
            segmentSize: 100,
            segmentHeaderBytes: 20,
            isIPv4: true
        )
        #expect(stack.send(testFrame(0, length: 1000), odd) == true)
        #expect(stack.send(testFrame(1)) == true)
        rig.settle()
        #expect(rig.arrivals() == [testFrame(1)])
        #expect(rig.model.counters.malformedTransmits == 1)
        #expect(stack.reap() == 2)
    }

    @Test("A ring with room for one descriptor takes a plain frame, and no frame with a context")
    func lastSlot() throws {
        let rig = Rig()
        let device = try rig.open()
        var stack = try Stack(device.openQueuePair(0, entries: 64), on: rig.backing, buffers: 80, bufferBytes: 256)
        for number in 0..<62 { #expect(stack.send(testFrame(UInt8(number))) == true) }
        #expect(stack.send(testFrame(99), Offload(vlanTag: 1)) == false)
        #expect(stack.send(testFrame(62)) == true)
        #expect(stack.send(testFrame(99)) == false)
        rig.settle()
        #expect(rig.arrivals() == (0..<63).map { testFrame(UInt8($0)) })
    }
}
