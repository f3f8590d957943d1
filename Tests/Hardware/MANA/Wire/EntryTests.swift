// Ring entries, doorbells and the shared-memory window against values that were seen between Linux's driver and a device.

import MANAWire
import Registers
import Testing

@Suite struct EntryTests {
    // MARK: The shared-memory window

    @Test func theWindowHoldsFourFramesAndTheHeader() {
        let setup = ChannelSetup(eventFrame: 0x551B, completionFrame: 0x552F, receiveFrame: 0x552A, sendFrame: 0x53AA)
        let words = setup.words
        #expect(
            (0..<8).map { words[$0] } == [0x551B, 0x552F_0000, 0, 0x552A, 0x53AA_0000, 0, 0, 1]
        )
        #expect(ChannelSetup(words) == setup)
    }

    @Test func highBitsOfAFrameLieInDword6() {
        var setup = ChannelSetup(
            eventFrame: 1 << 48,
            completionFrame: 2 << 48,
            receiveFrame: 4 << 48,
            sendFrame: 8 << 48
        )
        setup.vector = 0x0102
        #expect(setup.words[6] == 0x0102_8421)
        #expect((0..<6).allSatisfy { setup.words[$0] == 0 })
        #expect(ChannelSetup(setup.words) == setup)
        let all: UInt64 = 0xF_FFFF_FFFF_FFFF
        let full = ChannelSetup(eventFrame: all, completionFrame: 0, receiveFrame: all, sendFrame: 0)
        #expect((0..<7).map { full.words[$0] } == [~0, 0xFFFF, 0, ~0, 0xFFFF, 0, 0x0F0F])
        #expect(ChannelSetup(full.words) == full)
    }

    @Test func headersOfTheChannel() {
        #expect(ChannelHeader.request(.establish).raw == 1)
        #expect(ChannelHeader.request(.destroy).raw == 2)
        #expect(ChannelHeader.response(1).raw == 0x81)
        #expect(ChannelHeader.response(2).raw == 0x82)
        #expect(ChannelHeader.response(1, status: 5).raw == 0x581)
        #expect(ChannelHeader(raw: 0x8000_0000)[.isDevices])
        #expect(ChannelHeader(raw: 0x0100_0000)[.resetsFunction])
        #expect(ChannelHeader(raw: 0x38)[.version] == 7)
    }

    @Test func aFrameAbove52BitsTraps() async {
        await #expect(processExitsWith: .failure) {
            _ = ChannelSetup(eventFrame: 1 << 52, completionFrame: 0, receiveFrame: 0, sendFrame: 0).words
        }
    }

    // MARK: Doorbells

    @Test func doorbellsOfEveryKind() {
        #expect(DoorbellKind.allCases.map(\.offset) == [0, 0x400, 0x800, 0x820, 0xFF8])
        #expect(DoorbellKind.allCases.map(\.shortOffset) == [0x10, 0x410, 0x810, nil, 0xFF0])
        for kind in DoorbellKind.allCases {
            #expect(DoorbellKind(offset: kind.offset) == kind)
            if let place = kind.shortOffset { #expect(DoorbellKind(shortOffset: place) == kind) }
        }
        let places = (UInt32(0)..<0x2000).count { DoorbellKind(offset: $0) != nil }
        let shortPlaces = (UInt32(0)..<0x2000).count { DoorbellKind(shortOffset: $0) != nil }
        #expect(places == 5 && shortPlaces == 4)
        #expect(QueueDoorbell(id: 0xABCDEF, tail: 0xFFFF_FFE0).raw(.send) == 0xFFFF_FFE0_00AB_CDEF)
        #expect(QueueDoorbell(id: 7, tail: 32).raw(.receive) == 0x0000_0020_0000_0007)
        #expect(QueueDoorbell(id: 3, tail: 5, isArmed: true).raw(.completion) == 0x8000_0005_0000_0003)
        #expect(QueueDoorbell(id: 0x1_0003, tail: 5, isArmed: true).raw(.event) == 0x8000_0005_0000_0003)
        for kind in [DoorbellKind.send, .receive, .completion, .event] {
            let hasArm = kind == .completion || kind == .event
            let doorbell = QueueDoorbell(id: 0x1234, tail: hasArm ? 0x7FFF_FFFF : ~0, isArmed: hasArm)
            #expect(QueueDoorbell(raw: doorbell.raw(kind), kind) == doorbell)
        }
        // Bits that are not the queue's id: the work request count of a receive doorbell.
        #expect(QueueDoorbell(raw: 0x0000_0020_FF00_0007, .receive) == QueueDoorbell(id: 7, tail: 32))
    }

    @Test func theShortFormAndTheModerationDoorbell() {
        #expect(ShortDoorbell(id: 0xABC, increment: 0x40, isArmed: true).raw == 0x8ABC_0040)
        #expect(ShortDoorbell(raw: 0x8ABC_0040) == ShortDoorbell(id: 0xABC, increment: 0x40, isArmed: true))
        let both = ModerationDoorbell(completionQueue: 9, microseconds: 0x3FF, completions: 64)
        #expect(both.raw == 0x8040_83FF_0000_0009)
        #expect(ModerationDoorbell(raw: both.raw) == both)
        let none = ModerationDoorbell(completionQueue: 9, microseconds: nil, completions: nil)
        #expect(none.raw == 9)
        #expect(ModerationDoorbell(raw: 9) == none)
    }

    // MARK: Owner bits

    @Test func theFirstLapWritesOnesAndTheEighthZeros() {
        let owner = OwnerBits(entryCount: 256)
        #expect(owner.first == 256)
        #expect(owner.bits(256) == 1 && owner.slot(256) == 0)
        #expect(owner.bits(511) == 1 && owner.slot(511) == 255)
        #expect(owner.bits(512) == 2)
        #expect(owner.bits(256 * 8) == 0)
        #expect(owner.tail(256 * 8 + 3) == 3)
        #expect(owner.tail(256 * 7 + 3) == 256 * 7 + 3)
        #expect(owner.state(0, at: 256) == .empty)
        #expect(owner.state(1, at: 256) == .valid)
        #expect(owner.state(7, at: 256 * 8) == .empty)
        #expect(owner.state(0, at: 256 * 8) == .valid)
    }

    /// Every lap and every value of the bits: one is valid, one is empty, six say that something is wrong.
    @Test(arguments: [UInt32(1), 2, 64, 1 << 20]) func bitsOfAnotherLapAreAnOverflow(entryCount: UInt32) {
        let owner = OwnerBits(entryCount: entryCount)
        for lap in UInt32(0)..<20 {
            let states = (UInt32(0)..<8).map { owner.state($0, at: lap &* entryCount) }
            #expect(states[Int(lap % 8)] == .valid)
            #expect(states[Int((lap &+ 7) % 8)] == .empty)
            #expect(states.count(where: { $0 == .overflow }) == 6)
        }
    }

    @Test func aRingOfAnOddSizeTraps() async {
        await #expect(processExitsWith: .failure) { _ = OwnerBits(entryCount: 3) }
    }

    // MARK: Events

    @Test func eventsAndTheirTails() {
        #expect(EventTail(.completion, owner: 1).raw == 0x2000_0003)
        #expect(EventTail(raw: 0xE003_0040).type == .test)
        #expect(EventTail(raw: 0xE003_0040).owner == 7)
        #expect(EventTail(raw: 0xE003_0040)[.client] == 3)
        #expect(Event.channelQueue(id: 5, doorbellPage: 2).detail0 == 0x0002_0005)
        #expect(Event.channelItem(.completionQueueLimit, 256).detail0 == 0x0700_0100)
        #expect(Event.channelItem(.memoryKey, 0x11).channelItem == .memoryKey)
        #expect(Event(.channelItem, 0x0C00_0000).channelItem == nil)
        #expect(Event.reconfiguration(.linkDown).detail0 == 0x0300_0000)
        #expect(Event.reconfiguration(.requestTimeout, 500).itemValue == 500)
        #expect(Event.service(.resumeRDMA).detail0 == 0x2000_0000)
        #expect(Event.completion(of: 0x1FF_0001).completionQueue == 0xFF_0001)
    }

    // MARK: Completions

    @Test func tailsOfCompletions() {
        #expect(CompletionTail(queue: 5, isSend: true, owner: 2).raw == 0x4100_0005)
        let tail = CompletionTail(raw: 0xE1FF_FFFE)
        #expect(tail.queue == 0xFF_FFFE && tail.isSend && tail.owner == 7)
    }

    @Test func aSendCompletionSaysWhereTheRequestWas() {
        let completion = SendCompletion(.sent, requestOffset: 0x1FE0, dataOffset: 60, listOffset: 3)
        let data = completion.data
        #expect((0..<3).map { data.words[$0] } == [0x60, 60, 0x1FE3])
        #expect(SendCompletion(data) == completion)
        #expect(CompletionHead(.invalidOutOfBand, vendorError: 0x1234).raw == 0x0012_3463)
        #expect(CompletionHead(raw: 0x60).client == 1)
    }

    @Test func aChannelCompletionHasOffsetAndLength() {
        let completion = ChannelCompletion(requestOffset: 0x40, messageBytes: 72, sourceQueue: 9)
        let data = completion.data
        #expect(data.words[0] == 0xC0)
        #expect(data.words[1] == 9)
        #expect(data.words[3] == 0x40)
        #expect(data.words[6] == 72)
        #expect(ChannelCompletion(data) == completion)
    }

    @Test func receivedFramesInEveryFormat() {
        var verdict = ReceiveVerdict.with {
            $0[.vlan] = 100
            $0[.hasVLAN] = true
            $0[.ipGood] = true
            $0[.tcpGood] = true
        }
        verdict.hashTypes = .tcpIPv4
        #expect(verdict.raw == 0x0A02_1064)
        #expect(verdict.hashTypes == .tcpIPv4)

        var four = ReceiveCompletion(.receivedFour, verdict: verdict, requestOffset: 0x60)
        for index in 0..<4 { four[index] = ReceivedItem(length: UInt16(60 + index), hash: 0xA0 + UInt32(index)) }
        #expect(four.data.words[0] == 0x42)
        #expect([2, 4, 5, 7, 11, 13].map { four.data.words[$0] } == [60, 0xA0, 61, 0xA1, 63, 0xA3])
        #expect(four.data.words[14] == 0x60)
        #expect(four[3] == ReceivedItem(length: 63, hash: 0xA3))

        var eight = ReceiveCompletion(.receivedEight, verdict: verdict, requestOffset: 0)
        for index in 0..<8 { eight[index] = ReceivedItem(length: UInt16(60 + index), hash: 0xA0 + UInt32(index)) }
        #expect((2..<5).map { eight.data.words[$0] } == [0xA0, 61 << 16 | 60, 0xA1])
        #expect((11..<14).map { eight.data.words[$0] } == [0xA6, 67 << 16 | 66, 0xA7])
        #expect((0..<8).map { eight[$0].length } == [60, 61, 62, 63, 64, 65, 66, 67])
        #expect((0..<8).map { eight[$0].hash } == (0xA0..<0xA8).map { UInt32($0) })
        #expect(ReceiveCompletion(.fence, verdict: .init(raw: 0), requestOffset: 0).capacity == 0)
    }

    @Test func anItemThatACompletionLacksTraps() async {
        await #expect(processExitsWith: .failure) {
            _ = ReceiveCompletion(.received, verdict: .init(raw: 0), requestOffset: 0)[1]
        }
    }

    // MARK: Work requests

    @Test func headersOfWorkRequests() {
        // A message of the hardware channel: 24 bytes inline, one piece.
        let message = WorkRequestControl(pieceCount: 1, inlineBytes: 24)
        #expect(message.raw == 0x601)
        #expect(message.listOffset == 32 && message.spanBytes == 64)
        // A receive buffer.
        let buffer = WorkRequestControl(pieceCount: 1, inlineBytes: 8)
        #expect(buffer.raw == 0x201)
        #expect(buffer.listOffset == 16 && buffer.spanBytes == 32)
        // The longest request: 30 pieces behind the short out-of-band data, 512 bytes.
        #expect(WorkRequestControl(pieceCount: 30, inlineBytes: 8).spanBytes == 512)
        #expect(WorkRequestControl(pieceCount: 31, inlineBytes: 8).spanBytes == 512)
        #expect(WorkRequestControl(pieceCount: 32, inlineBytes: 8).spanBytes == 544)
        let segments = WorkRequestControl.with {
            $0[.pieces] = 3
            $0[.inlineWords] = 2
            $0[.segments] = true
            $0[.segmentBytes] = 1448
        }
        let header = WorkRequestHeader(lastBytes: 66, control: segments)
        #expect(header.low == 0x4200_0000)
        #expect(header.high == 0x05A8_0A03)
        #expect(WorkRequestHeader(low: header.low, high: header.high) == header)
    }

    @Test func piecesOfMemory() {
        let piece = MemoryPiece(address: 0x1_2345_6789, key: 0x55, length: 1514)
        #expect(piece.low == 0x1_2345_6789 && piece.high == 0x0000_05EA_0000_0055)
        #expect(MemoryPiece(low: piece.low, high: piece.high) == piece)
    }

    // MARK: Out-of-band data

    @Test func whatASenderTells() {
        let request = TransmitRequest.with {
            $0[.isIPv4] = true
            $0[.ipChecksum] = true
            $0[.tcpChecksum] = true
            $0[.completionQueue] = 0x0A
        }
        #expect(request.raw == 0x0A34)
        let place = TransmitPlace.with {
            $0[.transportOffset] = 34
            $0[.queueFrame] = 3
            $0[.portOffset] = 255
        }
        #expect(place.raw == 0xFF00_0C22)
        #expect(TransmitOutOfBand(request: request, place: place).portOffset == 255)
    }

    @Test func theLongFormatHasTagAndPort() {
        let inner = TransmitInner.with { $0[.portOffset] = 300 }
        #expect(inner.raw == 0x012C_0000)
        let tag = TransmitTag(inserting: 0xB123)
        #expect(tag[.insertsVLAN] && tag[.priority] == 5 && tag[.dropEligible] && tag[.vlan] == 0x123)
        #expect(tag.control == 0xB123)
        let request = TransmitRequest.with { $0[.format] = 1 }
        let outOfBand = TransmitOutOfBand(request: request, place: .init(raw: 0xFF00_0000), tag: tag, inner: inner)
        #expect(outOfBand.isLong && outOfBand.portOffset == 300)
    }

    @Test func whatAMessageCarries() {
        let outOfBand = ChannelOutOfBand(
            receiveQueue: 1,
            receiveCompletionQueue: 2,
            sendCompletionQueue: 3,
            sendQueue: 4,
            isForPhysicalFunction: true,
            destinationFunction: 9
        )
        #expect((0..<6).map { outOfBand.words[$0] } == [0, 0, 0x0900_0001, 2, 0x0400_0003, 4])
        #expect(ChannelOutOfBand(outOfBand.words) == outOfBand)
    }
}
