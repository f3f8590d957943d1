// The hardware channel: requests and answers, events and messages, laps of the rings, and what hostile drivers post.

import Backing
import Clock
import MANAModel
import MANAWire
import Memory
import PCIe
import Registers
import Testing

@Suite(.bothMemoryWays) struct ChannelTests {
    // MARK: Requests and answers

    @Test func aRequestIsAnsweredInTheBufferThatItsCompletionNames() throws {
        let rig = try ControlRig.ready()
        let vector = try rig.attach(0)
        rig.postAnswerBuffer()
        var request = Message<QueryMaxResources>(to: .channel)
        request[.messageID] = 0xBEEF
        rig.post(Array(request.bytes))
        #expect(vector.consume() && vector.firedCount == 1)
        #expect(rig.takeEvents() == [.completion(of: 0)])
        let sent = try #require(rig.takeCompletion())
        #expect(sent.tail.isSend && sent.tail.queue == 0)
        let came = try #require(rig.takeCompletion())
        #expect(!came.tail.isSend && came.tail.queue == 0)
        #expect(ChannelCompletion(came.data) == ChannelCompletion(requestOffset: 0, messageBytes: 72))
        #expect(rig.takeCompletion() == nil)
        let answer = try Message<QueryMaxResourcesResponse>(rig.read(rig.rings.answerBuffer, count: 72))
        #expect(answer[.messageID] == 0xBEEF && answer[.messageType] == 2 && answer[.version] == 1)
    }

    /// 1500 requests: the receive ring goes round eleven times, the completion ring 46, the event ring five.
    @Test func ringsGoRound() throws {
        let rig = try ControlRig.ready()
        for round in 0..<1500 {
            let answer = try rig.demand(Message<QueryMaxResources>(to: .channel))
            try #require(answer[.vectors] == 16, "round \(round)")
        }
        #expect(rig.model.counters.requests == 1500)
    }

    /// An answer has the bytes that were asked for, whatever its own version has.
    @Test(arguments: [UInt32(0), 32, 40, 72, 73, 4096, 5000]) func answersAreAsLongAsAskedFor(bytes: UInt32) throws {
        let rig = try ControlRig.ready()
        var request = Message<QueryMaxResources>(to: .channel)
        request[.expectedBytes] = bytes
        rig.postAnswerBuffer()
        rig.post(Array(request.bytes))
        #expect(rig.takeAnswer()?.count == Int(min(4096, max(32, bytes))))
    }

    /// Linux 6.12 takes the MTU from an answer of version 2 alone.
    @Test(arguments: [(UInt16(0), UInt16(1)), (1, 1), (2, 2), (3, 3), (9, 3)]) func answersHaveTheVersionAskedFor(
        asked: UInt16,
        given: UInt16
    ) throws {
        let rig = try ControlRig.ready()
        let answer = try rig.demand(
            Message<QueryDeviceConfiguration>(to: .network, activity: 77, responseVersion: asked)
        )
        #expect(answer[.version] == given)
        #expect(answer[.activity] == 77)
    }

    @Test func anUnknownRequestIsUnsupported() throws {
        let rig = try ControlRig.ready()
        for kind in [UInt32(0), 6, 11, 99, 0x2_0009, 0x2_8002, .max] {
            rig.postAnswerBuffer()
            var request = Message<ListDevices>(to: .network)
            request[.messageType] = kind
            rig.post(Array(request.bytes))
            let answer = try Message<PlainResponse>(try #require(rig.takeAnswer()))
            #expect(answer.status == .unsupported && answer[.messageType] == kind)
        }
    }

    @Test func aRequestOfTheNetworkAdapterIsForNobodyElse() throws {
        let rig = try ControlRig.ready()
        #expect(try rig.status(Message<QueryDeviceConfiguration>(to: .channel)) != 0)
        #expect(try rig.status(Message<QueryDeviceConfiguration>(to: .rdma)) != 0)
        #expect(try rig.status(Message<QueryDeviceConfiguration>(to: .network)) == 0)
    }

    @Test func aRequestShorterThanItsKindIsRefused() throws {
        let rig = try ControlRig.ready()
        rig.postAnswerBuffer()
        let request = Message<CreateQueue>(to: .network)
        rig.post(Array(request.bytes.prefix(95)))
        let answer = try Message<PlainResponse>(try #require(rig.takeAnswer()))
        #expect(answer.status != .success)
    }

    // MARK: Buffers

    @Test func anAnswerWaitsForABuffer() throws {
        let rig = try ControlRig.ready()
        rig.post(Array(Message<ListDevices>(to: .channel).bytes))
        #expect(rig.takeAnswer() == nil)
        #expect(rig.model.nextDeadline == nil, "it is the driver's turn")
        rig.postAnswerBuffer()
        #expect(rig.takeAnswer()?.count == 296)
    }

    @Test func answersThatNobodyTakesAreLostAtLast() throws {
        let rig = try ControlRig.ready()
        for _ in 0..<100 { rig.post(Array(Message<ListDevices>(to: .channel).bytes)) }
        #expect(rig.model.counters.answersLost == 36)
        #expect(rig.model.counters.requests == 100)
    }

    @Test(arguments: ["short", "key", "nowhere"]) func aBadBufferLosesOneAnswer(_ what: String) throws {
        let rig = try ControlRig.ready()
        rig.postAnswerBuffer(
            length: what == "short" ? 295 : 4096,
            key: what == "key" ? 0x55 : 0x11,
            address: what == "nowhere" ? 0xDEAD_0000 : nil
        )
        rig.post(Array(Message<ListDevices>(to: .channel).bytes))
        #expect(rig.takeAnswer() == nil)
        #expect(rig.model.counters.answersLost == 1)
        _ = rig.takeEvents()
        rig.armCompletions()
        rig.armEvents()
        _ = try rig.demand(Message<ListDevices>(to: .channel))
    }

    // MARK: What is no request

    @Test(arguments: ["short", "long", "key", "nowhere", "pieces", "inline"])
    func whatIsNoRequestHasNoAnswer(_ what: String) throws {
        let rig = try ControlRig.ready()
        rig.postAnswerBuffer()
        let bytes = Array(Message<ListDevices>(to: .channel).bytes)
        switch what {
        case "short": rig.post(bytes, length: 39)
        case "long": rig.post(bytes, length: 4097)
        case "key": rig.post(bytes, key: 0x12)
        case "nowhere": rig.post(bytes, address: 0xDEAD_0000)
        case "pieces": rig.post(bytes, control: WorkRequestControl(pieceCount: 2, inlineBytes: 24))
        default: rig.post(bytes, control: WorkRequestControl(pieceCount: 1, inlineBytes: 20))
        }
        #expect(rig.takeAnswer() == nil)
        #expect(rig.model.counters.malformedRequests == 1)
        #expect(rig.model.counters.requests == 0)
        // The buffer is still there for the next.
        rig.post(bytes)
        #expect(rig.takeAnswer()?.count == 296)
    }

    /// A request that says it is longer than what was rung for: all that was is passed over.
    @Test func aRequestBeyondTheTail() throws {
        let rig = try ControlRig.ready()
        let bytes = Array(Message<ListDevices>(to: .channel).bytes)
        rig.post(bytes, control: WorkRequestControl(pieceCount: 255, inlineBytes: 24))
        #expect(rig.model.counters.malformedRequests == 1)
        _ = try rig.demand(Message<ListDevices>(to: .channel))
    }

    // MARK: Doorbells

    @Test func doorbellsOfWhatIsNotThere() throws {
        let rig = try ControlRig.ready()
        var strays: UInt64 = 0
        for kind in [DoorbellKind.send, .receive, .completion, .event] {
            // The channel's queues by another page, and others by the channel's.
            rig.ring(kind, QueueDoorbell(id: 0, tail: 64, isArmed: true), page: 1)
            rig.ring(kind, QueueDoorbell(id: 1, tail: 64, isArmed: true), page: 0)
            // Ids that nothing has.
            rig.ring(kind, QueueDoorbell(id: 1, tail: 64, isArmed: true), page: 1)
            rig.ring(kind, QueueDoorbell(id: 0xFFFF, tail: 64, isArmed: true), page: 1)
            rig.ring(kind, QueueDoorbell(id: 1, tail: 64, isArmed: true), page: 900)
            strays += 5
            #expect(rig.model.counters.strayDoorbells == strays, "\(kind)")
        }
        _ = try rig.demand(Message<ListDevices>(to: .channel))
    }

    @Test func doorbellsBeforeTheChannel() throws {
        let rig = try ControlRig()
        for kind in DoorbellKind.allCases { rig.ring(kind, QueueDoorbell(id: 0, tail: 64, isArmed: true), page: 0) }
        #expect(rig.model.counters.strayDoorbells == 5)
    }

    @Test func doorbellsOfOddWidth() throws {
        let rig = try ControlRig.ready()
        let page = rig.options.layout.doorbellOffset
        for (offset, size) in [(0, AccessSize.doubleWord), (0, .word), (0x808, .quadWord), (0x20, .doubleWord)] {
            rig.model.write(bar: 0, page + UInt64(offset), size, ~0)
        }
        #expect(rig.model.counters.oddWrites == 4)
    }

    /// Without bus mastering nothing is fetched; with it, what was rung for is.
    @Test func requestsWaitForTheBus() throws {
        let rig = try ControlRig.ready()
        rig.postAnswerBuffer()
        rig.allowBus(false)
        rig.post(Array(Message<ListDevices>(to: .channel).bytes))
        #expect(rig.takeAnswer() == nil && rig.model.counters.requests == 0)
        rig.allowBus()
        #expect(rig.takeAnswer()?.count == 296)
    }

    // MARK: Events and messages

    @Test func anEventQueueRaisesItsVectorOncePerArming() throws {
        let rig = try ControlRig.ready()
        let vector = try rig.attach(0)
        rig.model.requestReset()
        rig.model.requestReset()
        #expect(vector.consume() && vector.firedCount == 1)
        #expect(rig.takeEvents() == [Event(.resetRequest), Event(.resetRequest)])
        rig.model.requestReset()
        #expect(!vector.consume(), "not armed")
        rig.armEvents()
        #expect(vector.consume(), "armed with one event unread: at once")
        rig.model.requestReset()
        #expect(!vector.consume(), "that was the arming")
        _ = rig.takeEvents()
        rig.armEvents()
        #expect(!vector.consume(), "all is read")
        rig.model.requestReset()
        #expect(vector.consume())
    }

    /// A doorbell with a tail of an earlier lap is not the present one.
    @Test func tailsCountModuloEightRings() throws {
        let rig = try ControlRig.ready()
        let vector = try rig.attach(0)
        for _ in 0..<9 * 256 {
            rig.model.requestReset()
            #expect(rig.takeEvents().count == 1)
            rig.armEvents()
        }
        _ = vector.consume()
        rig.armEvents()
        #expect(!vector.consume())
        rig.armEvents(behind: 256)
        #expect(vector.consume(), "one lap behind")
    }

    @Test func aMaskedVectorIsPendingAndComesWhenUnmasked() throws {
        let rig = try ControlRig.ready()
        let vector = try rig.attach(0)
        let before = rig.model.counters.messages[0]
        rig.model.setVectors([0], masked: true)
        rig.model.requestReset()
        #expect(!vector.consume())
        #expect(rig.model.read(bar: 4, 0x8000, .quadWord) == 1)
        rig.model.setVectors([0], masked: false)
        #expect(vector.consume())
        #expect(rig.model.read(bar: 4, 0x8000, .quadWord) == 0)
        #expect(rig.model.counters.messages[0] == before + 1)
    }

    @Test func messagesWaitForMSIXAndTheBus() throws {
        let rig = try ControlRig.ready()
        let vector = try rig.attach(0)
        let capability = try #require(ConfigSpace.findCapability(MSIXCapability.id, read: rig.model.readConfig))
        rig.model.writeConfig(capability + 2, .word, 0)
        rig.model.requestReset()
        #expect(!vector.consume())
        rig.allowBus(false)
        rig.model.writeConfig(capability + 2, .word, MSIXCapability.enable)
        #expect(!vector.consume())
        rig.allowBus()
        #expect(vector.consume())
    }

    /// The event is lost, and counted with what the ring could not take.
    @Test func aCompletionRingWhoseMemoryIsTakenAway() throws {
        let rig = try ControlRig.ready()
        try rig.model.host.memory.unmap(iova: rig.rings.completion)
        rig.postAnswerBuffer()
        rig.post(Array(Message<ListDevices>(to: .channel).bytes))
        #expect(rig.takeEvents().isEmpty)
        #expect(rig.model.counters.unreachableRings == 2, "a completion of the request, one of the answer")
        #expect(rig.destroy() == 0x82)
    }

    @Test func aSendRingWhoseMemoryIsTakenAway() throws {
        let rig = try ControlRig.ready()
        try rig.model.host.memory.unmap(iova: rig.rings.send)
        rig.ring(.send, QueueDoorbell(id: 0, tail: 64), page: 0)
        rig.poll()
        #expect(rig.model.counters.requests == 0)
        #expect(rig.destroy() == 0x82)
    }

    // MARK: The end

    @Test func afterDestroyNothingAnswers() throws {
        let rig = try ControlRig.ready()
        rig.destroy()
        rig.ring(.send, QueueDoorbell(id: 0, tail: 64), page: 0)
        rig.model.requestReset()
        #expect(rig.takeEvents().isEmpty)
        #expect(rig.model.counters.strayDoorbells == 1)
    }
}
