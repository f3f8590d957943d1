// Requests of a send queue: frames on the wire byte for byte, and a completion for each request.

import Ethernet
import MANAModel
import MANAWire
import Registers
import TestFrames
import Testing

/// A frame from the station, of `length` bytes.
private func frame(_ length: Int, seed: Int = 0) -> [UInt8] {
    let header = [0x02, 0, 0, 0, 0, 0x99] + PathRig.station + [0x88, 0xB5]
    return header + (header.count..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ seed) }
}

@Suite(.bothMemoryWays) struct TransmitTests {
    @Test func aPlainFrameGoesOutAndCompletes() throws {
        let rig = try PathRig()
        let queue = rig.makeSend()
        let sent = frame(100)
        queue.post(queue.plain(sent))
        rig.poll()
        #expect(rig.sent().isEmpty, "nobody has rung")
        queue.ring()
        rig.poll()
        #expect(rig.sent() == [sent])
        let completions = queue.take()
        #expect(completions == [SendCompletion(.sent, requestOffset: 0)])
        // The head as bits: type 32, client type 1, as mana_poll_tx_cq wants it.
        #expect(completions.first?.head.raw == 0x60)
        #expect(rig.count(.transmitUnicastPackets) == 1)
        #expect(rig.count(.transmitUnicastBytes) == 100)
        #expect(rig.count(.transmitBytes) == 100)
    }

    @Test func completionsNameTheirRequests() throws {
        let rig = try PathRig()
        let queue = rig.makeSend()
        // 32, 64 and 32 bytes of ring.
        queue.post(queue.plain(frame(60)))
        var inPieces = queue.plain(frame(60))
        inPieces.pieces = [frame(60)[0..<14], frame(60)[14..<20], frame(60)[20..<60]].map { rig.buffer(Array($0)) }
        queue.post(inPieces)
        queue.post(queue.plain(frame(61)))
        queue.ring()
        rig.poll()
        #expect(rig.sent() == [frame(60), frame(60), frame(61)])
        #expect(queue.take().map(\.requestOffset) == [0, 32, 96])
    }

    @Test func requestsWrapAtTheEndOfTheRing() throws {
        let rig = try PathRig()
        let queue = rig.makeSend(pages: 2, completionPages: 2)
        var expected: [[UInt8]] = []
        // 8192 is no multiple of 96: a list of pieces straddles the end once a lap.
        for index in 0..<300 {
            let bytes = frame(60 + index % 200, seed: index)
            var request = BenchSend.Request(request: queue.usual)
            let page = rig.buffer(bytes)
            request.pieces = [0..<14, 14..<20, 20..<40, 40..<bytes.count].map {
                MemoryPiece(address: page.address + UInt64($0.lowerBound), key: page.key, length: UInt32($0.count))
            }
            queue.post(request)
            queue.ring()
            rig.poll()
            expected.append(bytes)
            #expect(queue.take().map(\.requestOffset) == [UInt32(index * 96 % 8192)])
        }
        #expect(rig.sent() == expected)
    }

    @Test func ownerBitsGoOnForManyLaps() throws {
        let rig = try PathRig()
        let queue = rig.makeSend()
        let request = queue.plain(frame(60))
        for _ in 0..<64 * 20 / 32 {
            for _ in 0..<32 { queue.post(request) }
            queue.ring()
            rig.poll()
            // Owner bits that do not fit the lap are an issue in `take`.
            #expect(queue.take().count == 32)
            _ = rig.sent()
        }
    }

    // MARK: Events

    @Test func anArmedQueueTellsOnce() throws {
        let rig = try PathRig()
        let queue = rig.makeSend()
        let request = queue.plain(frame(60))
        queue.post(request)
        queue.ring()
        rig.poll()
        #expect(rig.takeEvents().isEmpty, "a queue that CREATE_WQ_OBJ made is not armed")
        // Arming with something unread tells at once.
        queue.arm()
        #expect(rig.takeEvents() == [1])
        #expect(rig.takeVectors() == [3])
        _ = queue.take()
        queue.arm()
        #expect(rig.takeEvents().isEmpty)
        queue.post(request)
        queue.post(request)
        queue.ring()
        rig.poll()
        #expect(rig.takeEvents() == [1])
        #expect(rig.takeVectors().isEmpty, "the event queue is not armed")
        rig.armEvents()
        #expect(rig.takeVectors().isEmpty)
        queue.post(request)
        queue.ring()
        rig.poll()
        #expect(rig.takeEvents().isEmpty, "one event per arming")
        queue.arm()
        #expect(rig.takeEvents() == [1])
        #expect(rig.takeVectors() == [3])
    }

    @Test func aRingWithoutArmingIsOnlyNews() throws {
        let rig = try PathRig()
        let queue = rig.makeSend()
        queue.post(queue.plain(frame(60)))
        queue.ring()
        rig.poll()
        rig.path.ring(completion: 1, tail: queue.completions.tail, isArmed: false, &rig.events)
        #expect(rig.takeEvents().isEmpty)
    }

    @Test func aSilentRequestCompletesOnlyIfItFails() throws {
        let rig = try PathRig()
        let queue = rig.makeSend()
        var request = queue.plain(frame(60))
        request.request[.isSilent] = true
        queue.post(request)
        request.pieces[0].key = 0
        queue.post(request)
        queue.ring()
        rig.poll()
        #expect(rig.sent().count == 1)
        let completions = queue.take()
        #expect(completions.map(\.head.type) == [.invalidOutOfBand])
        #expect(completions.map(\.requestOffset) == [32])
    }

    // MARK: Formats

    @Test func theLongFormatNamesFarPorts() throws {
        let rig = try PathRig()
        rig.path.ports[0].transmitOffset = 300
        let queue = rig.makeSend()
        var request = queue.plain(frame(60))
        var inner = TransmitInner(raw: 0)
        inner[.portOffset] = 300
        // As Linux 6.12 wrote it.
        #expect(inner.raw == 0x012C_0000)
        request.long = (TransmitTag(raw: 0), inner)
        queue.post(request)
        queue.ring()
        rig.poll()
        #expect(rig.sent() == [frame(60)])
        #expect(queue.take().map(\.head.type) == [.sent])
    }

    @Test func aTagIsInserted() throws {
        let rig = try PathRig()
        let queue = rig.makeSend()
        let bytes = frame(60)
        var request = queue.plain(bytes)
        request.long = (TransmitTag(inserting: 0xB123), TransmitInner(raw: 0))
        queue.post(request)
        queue.ring()
        rig.poll()
        let header: [UInt8] = [0x81, 0x00, 0xB1, 0x23]
        #expect(rig.sent() == [Array(bytes[0..<12]) + header + Array(bytes[12...])])
        #expect(queue.take().count == 1)
    }

    @Test func theLongestFrameGoesOutAlsoWithATag() throws {
        let rig = try PathRig { $0.longestFrame = 1514 }
        let queue = rig.makeSend()
        var request = queue.plain(frame(1514))
        request.long = (TransmitTag(inserting: 5), TransmitInner(raw: 0))
        queue.post(request)
        queue.post(queue.plain(frame(1515)))
        queue.ring()
        rig.poll()
        #expect(rig.sent().map(\.count) == [1518])
        #expect(queue.take().map(\.head.type) == [.sent, .lengthDrop])
        #expect(rig.count(.transmitTooLong) == 1)
    }

    @Test func aListWithDPDKsEmptyPieceIsSkippedOver() throws {
        let rig = try PathRig()
        let queue = rig.makeSend()
        var request = queue.plain(frame(60))
        request.pieces.append(.nothing)
        queue.post(request)
        queue.ring()
        rig.poll()
        #expect(rig.sent() == [frame(60)])
    }

    // MARK: Holding

    @Test func aFullWireHoldsFramesAndLosesNone() throws {
        let rig = try PathRig(wireCapacity: 64 * 1024)
        let queue = rig.makeSend(pages: 1)
        let bytes = frame(4000)
        let request = queue.plain(bytes)
        for _ in 0..<40 { queue.post(request) }
        queue.ring()
        rig.poll()
        #expect(rig.isWireFull)
        var sent = rig.sent()
        #expect(sent.count < 40)
        #expect(queue.take().count == sent.count)
        for _ in 0..<10 {
            rig.poll()
            sent += rig.sent()
        }
        #expect(sent == [[UInt8]](repeating: bytes, count: 40))
        #expect(!rig.isWireFull)
        #expect(queue.take().count > 0)
    }

    @Test func oneQueueDoesNotHoldUpTheOthers() throws {
        // Out of remote memory no frame leaves in the first burst.
        guard MemoryWay.current == .shared else { return }
        let rig = try PathRig { $0.pollBudget = 8 }
        let busy = rig.makeSend(0, pages: 2, completionPages: 2)
        let other = rig.makeSend(3)
        let request = busy.plain(frame(60))
        for _ in 0..<100 { busy.post(request) }
        busy.ring()
        other.post(other.plain(frame(77)))
        other.ring()
        #expect(rig.pollOnce())
        let sent = rig.sent()
        #expect(sent.count == 9)
        #expect(sent.last == frame(77))
        #expect(other.take().count == 1)
        rig.poll()
        #expect(rig.sent().count == 92)
    }

    // MARK: Statistics

    @Test func kindsOfFramesAreCountedApart() throws {
        let rig = try PathRig()
        let queue = rig.makeSend()
        var broadcast = frame(70)
        broadcast.replaceSubrange(0..<6, with: [UInt8](repeating: 0xFF, count: 6))
        var multicast = frame(80)
        multicast[0] = 0x01
        for bytes in [frame(60), broadcast, multicast, multicast] { queue.post(queue.plain(bytes)) }
        queue.ring()
        rig.poll()
        #expect(rig.count(.transmitUnicastPackets) == 1)
        #expect(rig.count(.transmitBroadcastPackets) == 1)
        #expect(rig.count(.transmitBroadcastBytes) == 70)
        #expect(rig.count(.transmitMulticastPackets) == 2)
        #expect(rig.count(.transmitMulticastBytes) == 160)
        #expect(rig.count(.transmitBytes) == 290)
        #expect(rig.framesSent == 4)
    }
}
