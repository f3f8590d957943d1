// Send requests that make no sense: each is told of with the type that Linux knows, counted, and passed over.

import Ethernet
import MANAModel
import MANAWire
import Registers
import TestFrames
import Testing

private let frame = ipv4Frame(6, tcp(payload(30)))

@Suite(.bothMemoryWays) struct RefusedRequestTests {
    /// Posts a good request, the changed one, and a good one: the changed one alone is refused.
    private func refusal(
        of change: (inout BenchSend.Request, PathRig) -> Void,
        _ expected: SendRefusal,
        limits: (inout DataPathLimits) -> Void = { _ in },
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let rig = try PathRig(limits)
        let queue = rig.makeSend()
        let good = queue.plain(frame)
        var bad = good
        change(&bad, rig)
        queue.post(good)
        queue.post(bad)
        queue.post(good)
        queue.ring()
        rig.poll()
        let completions = queue.take()
        let types: [CompletionType] = [.sent, expected.type, .sent]
        #expect(completions.map(\.head.type) == types, sourceLocation: sourceLocation)
        guard completions.count == 3 else { return }
        #expect(completions[1].head.vendorError == expected.rawValue, sourceLocation: sourceLocation)
        #expect(completions[1].requestOffset == 32, sourceLocation: sourceLocation)
        #expect(rig.count(expected.statistic) == 1, sourceLocation: sourceLocation)
        #expect(rig.sent() == [frame, frame], sourceLocation: sourceLocation)
    }

    @Test func memoryThatIsNotTheDevices() throws {
        try refusal(of: { bad, _ in bad.pieces[0].key = 0x56 }, .memory)
        try refusal(of: { bad, _ in bad.pieces[0].address = 0xDEAD_0000_0000 }, .memory)
        try refusal(of: { bad, _ in bad.pieces[0].address = ~0 - 10 }, .memory)
        try refusal(of: { bad, _ in bad.pieces[0].address += 4096 - 20 }, .memory)
    }

    @Test func lengthsThatAreNone() throws {
        try refusal(of: { bad, _ in bad.pieces[0].length = 13 }, .tooShort)
        try refusal(of: { bad, _ in bad.pieces[0].length = 0 }, .tooShort)
        try refusal(of: { bad, _ in bad.pieces = [] }, .tooShort)
        try refusal(of: { bad, _ in bad.pieces[0].length = 1515 }, .tooLong, limits: { $0.longestFrame = 1514 })
        try refusal(of: { bad, _ in bad.pieces[0].length = ~0 }, .tooLong)
        try refusal(
            of: { bad, _ in bad.pieces = [MemoryPiece](repeating: .init(address: 1, key: 0x55, length: ~0), count: 30)
            },
            .tooLong
        )
    }

    @Test func outOfBandDataThatDoesNotFit() throws {
        try refusal(of: { bad, _ in bad.inlineBytes = 4 }, .outOfBand)
        try refusal(of: { bad, _ in bad.inlineBytes = 0 }, .outOfBand)
        try refusal(of: { bad, _ in bad.request[.format] = 1 }, .outOfBand)
        try refusal(of: { bad, _ in bad.request[.format] = 2 }, .outOfBand)
        try refusal(of: { bad, _ in bad.request[.format] = 3 }, .outOfBand)
    }

    @Test func anotherQueuesName() throws {
        try refusal(of: { bad, _ in bad.request[.completionQueue] = 2 }, .otherQueue)
        try refusal(of: { bad, _ in bad.request[.completionQueue] = 0xFF_FFFF }, .otherQueue)
        try refusal(of: { bad, _ in bad.place[.queueFrame] = 1 }, .otherQueue)
    }

    @Test func anotherPortsOffset() throws {
        try refusal(of: { bad, _ in bad.place[.portOffset] = 1 }, .portOffset)
        try refusal(of: { bad, _ in bad.long = (TransmitTag(raw: 0), .init(raw: 0x0001_0000)) }, .portOffset)
    }

    @Test func aTunnel() throws {
        try refusal(of: { bad, _ in bad.long = (TransmitTag(raw: 1), TransmitInner(raw: 0)) }, .unsupported)
    }

    @Test func headersThatAreNotThere() throws {
        try refusal(of: { bad, _ in bad.request[.udpChecksum] = true }, .headers)
        try refusal(
            of: { bad, _ in
                bad.request[.tcpChecksum] = true
                bad.request[.isIPv6] = true
                bad.place[.transportOffset] = 34
            },
            .headers
        )
        for offset in [0, 13, 70, 1023] as [UInt32] {
            try refusal(
                of: { bad, _ in
                    bad.request[.tcpChecksum] = true
                    bad.place[.transportOffset] = offset
                },
                .headers
            )
        }
        try refusal(
            of: { bad, rig in
                bad.pieces = [rig.buffer(ethernet(type: 0x0806, payload(46)))]
                bad.request[.ipChecksum] = true
            },
            .headers
        )
    }

    @Test func segmentsThatCannotBe() throws {
        func segments(_ change: @escaping (inout BenchSend.Request) -> Void) -> (inout BenchSend.Request, PathRig) ->
            Void
        {
            { bad, rig in
                bad.pieces = [rig.buffer(Array(frame[0..<54])), rig.buffer(Array(frame[54...]))]
                bad.request[.tcpChecksum] = true
                bad.request[.isIPv4] = true
                bad.place[.transportOffset] = 34
                bad.segmentBytes = 10
                change(&bad)
            }
        }
        try refusal(of: segments { $0.lastBytes = 53 }, .outOfBand)
        try refusal(of: segments { $0.segmentBytes = 0 }, .headers)
        try refusal(of: segments { $0.place[.transportOffset] = 55 }, .headers)
        try refusal(of: segments { $0.place[.transportOffset] = 40 }, .headers)
        try refusal(of: segments { $0.request[.tcpChecksum] = false }, .headers)
        try refusal(of: segments { $0.request[.udpChecksum] = true }, .headers)
    }

    @Test func aPortThatIsDisabled() throws {
        let rig = try PathRig()
        rig.path.ports[0].transmitOffset = nil
        let queue = rig.makeSend()
        queue.post(queue.plain(frame))
        queue.ring()
        rig.poll()
        #expect(queue.take().map(\.head.type) == [.portDisabled])
        #expect(rig.count(.transmitPortDisabled) == 1)
        #expect(rig.sent().isEmpty)
    }

    @Test func aRequestBeyondTheTailTakesAllThatWasRung() throws {
        let rig = try PathRig()
        let queue = rig.makeSend()
        // 30 pieces, of which one unit is rung.
        queue.post(words: [0, WorkRequestControl(pieceCount: 30, inlineBytes: 8).raw], span: 32)
        queue.ring()
        rig.poll()
        #expect(queue.take().map(\.head.vendorError) == [SendRefusal.beyondTail.rawValue])
        // Longer than any request, and all of it there.
        queue.post(words: [0, WorkRequestControl(pieceCount: 31, inlineBytes: 24).raw], span: 4064)
        queue.ring()
        rig.poll()
        #expect(queue.take().map(\.head.vendorError) == [SendRefusal.beyondTail.rawValue])
        #expect(rig.count(.transmitRequest) == 2)
        #expect(rig.sent().isEmpty)
    }
}
