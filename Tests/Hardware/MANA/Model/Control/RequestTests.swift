// Requests about the adapter, its memory regions and its event queues: what each gives, and every reason to be refused.

import Backing
import MANAModel
import MANAWire
import Memory
import PCIe
import Registers
import Testing

@Suite(.bothMemoryWays) struct RequestTests {
    // MARK: The adapter

    @Test func theVersionIsOne() throws {
        let rig = try ControlRig.ready { $0.capabilities = [.channelTimeout, .dynamicModeration] }
        var request = Message<VerifyVersion>(to: .channel)
        request[.lowestVersion] = 1
        request[.highestVersion] = 1
        let answer = try rig.demand(request)
        #expect(answer[.protocolVersion] == 1)
        #expect(answer[.capabilities] == 0x8008)
        for (low, high) in [(UInt64(2), UInt64(9)), (0, 0)] {
            request[.lowestVersion] = low
            request[.highestVersion] = high
            #expect(try rig.status(request) != 0)
        }
    }

    @Test(arguments: [UInt32(0), 1, 5, 65_535, .max]) func theHostGrantsAnyNumberOfVectors(vectors: UInt32) throws {
        let rig = try ControlRig.ready { $0.limits.vectors = vectors }
        #expect(try rig.demand(Message<QueryMaxResources>(to: .channel))[.vectors] == vectors)
    }

    @Test func whoListensHearsEveryStepOfTheDriver() throws {
        let rig = try ControlRig { $0.faults.requests = [RequestFault(.refused(.unsupported), of: .listDevices)] }
        var steps: [DriverStep] = []
        rig.model.onDriverStep = { steps.append($0) }
        rig.establish()
        _ = rig.takeEvents()
        rig.armEvents()
        _ = try rig.demand(Message<QueryMaxResources>(to: .channel))
        _ = try rig.status(Message<ListDevices>(to: .channel))
        rig.destroy()
        #expect(
            steps == [
                .establishedChannel, .asked(.queryMaxResources, .success), .asked(.listDevices, .unsupported),
                .destroyedChannel,
            ]
        )
        let lines = ["channel established", "request 0x2", "request 0x3: status 0xffffffff", "channel destroyed"]
        #expect(steps.map { "\($0)" } == lines)
    }

    @Test func everyLimitIsAnOption() throws {
        let rig = try ControlRig.ready {
            $0.limits.sendQueues = 3
            $0.limits.receiveQueues = 4
            $0.limits.completionQueues = 5
            $0.limits.eventQueues = 6
            $0.limits.ports = 2
            $0.limits.portQueues = 2
            $0.limits.indirectionEntries = 128
            $0.longestFrame = 1514
            $0.networkCapabilities = .eightFrameCompletions
        }
        let limits = try rig.demand(Message<QueryMaxResources>(to: .channel))
        #expect([limits[.sendQueues], limits[.receiveQueues], limits[.completionQueues]] == [3, 4, 5])
        #expect(limits[.eventQueues] == 6)
        let configuration = try rig.demand(Message<QueryDeviceConfiguration>(to: .network, responseVersion: 3))
        #expect(configuration[.ports] == 2 && configuration[.longestFrame] == 1514)
        #expect(configuration[.capabilities] == 0x20 && configuration[.isHosted] == 0)
        let first = try rig.port(0)
        let second = try rig.port(1)
        #expect(first[.sendQueues] == 2 && first[.receiveQueues] == 2 && first[.indirectionEntries] == 128)
        #expect(first.elements(.address) == [0x02, 0x15, 0x5D, 0x00, 0xBA, 0x00])
        #expect(second.elements(.address) == [0x02, 0x15, 0x5D, 0x00, 0xBA, 0x01])
        #expect(first[.port] != second[.port] && first[.port] > UInt64(UInt32.max))
        var beyond = Message<QueryPort>(to: .network)
        beyond[.index] = 2
        #expect(try rig.status(beyond) != 0)
    }

    @Test func devicesAreListedWithHoles() throws {
        let rig = try ControlRig.ready { $0.devices = [.channel, .none, .network] }
        let answer = try rig.demand(Message<ListDevices>(to: .channel))
        #expect(answer[.count] == 3)
        #expect(answer.elements(.devices).prefix(4) == [1, 0, 2, 0])
    }

    @Test func theNetworkAdapterRegistersOnce() throws {
        let rig = try ControlRig.ready()
        #expect(try rig.status(Message<RegisterDevice>(to: .rdma)) != 0)
        let answer = try rig.demand(Message<RegisterDevice>(to: .network))
        #expect(answer[.protectionDomain] == 5 && answer[.memoryKey] == 0x55 && answer[.doorbellPage] == 1)
        #expect(rig.model.holdings.isRegistered)
        #expect(try rig.status(Message<RegisterDevice>(to: .network)) != 0)
        _ = try rig.demand(Message<DeregisterDevice>(to: .network))
        #expect(!rig.model.holdings.isRegistered)
        #expect(try rig.status(Message<DeregisterDevice>(to: .network)) != 0)
        _ = try rig.demand(Message<RegisterDevice>(to: .network))
    }

    @Test func theTimeoutIsToldWhereItIsOffered() throws {
        let without = try ControlRig.ready()
        #expect(try without.status(Message<QueryChannelTimeout>(to: .channel)) == 0xFFFF_FFFF)
        let with = try ControlRig.ready {
            $0.capabilities = .channelTimeout
            $0.requestTimeout = 250
        }
        #expect(try with.demand(Message<QueryChannelTimeout>(to: .channel))[.milliseconds] == 250)
    }

    @Test func aTestEventFollowsItsAnswer() throws {
        let rig = try ControlRig.ready()
        rig.postAnswerBuffer()
        var request = Message<GenerateTestEvent>(to: .channel)
        request[.eventQueue] = 0
        rig.post(Array(request.bytes))
        #expect(rig.takeEvents() == [.completion(of: 0), Event(.test)])
        #expect(rig.takeAnswer() != nil)
        rig.armCompletions()
        rig.armEvents()
        request[.eventQueue] = 1
        #expect(try rig.status(request) != 0, "there is no such queue")
    }

    // MARK: Regions

    @Test func regionsAreCountedUntilTheyEnd() throws {
        let rig = try ControlRig.ready()
        let first = try rig.makeRegion(rig.takePages(1))
        let second = try rig.makeRegion(rig.takePages(3))
        #expect(first != second && first > UInt64(UInt32.max))
        #expect(rig.model.holdings.regions == 2)
        var request = Message<DestroyRegion>(to: .network)
        request[.region] = first
        _ = try rig.demand(request)
        #expect(try rig.status(request) != 0, "it is gone")
        request[.region] = second
        _ = try rig.demand(request)
        #expect(rig.model.holdings.regions == 0)
    }

    private func region(_ pages: [UInt64], change: (inout Message<CreateRegion>) -> Void) -> Message<CreateRegion> {
        var request = Message<CreateRegion>(to: .network, elementBytes: 8 * pages.count)
        request[.length] = UInt64(4096 * pages.count)
        request[.pageCount] = UInt32(pages.count)
        request[.listedCount] = UInt32(pages.count)
        for (index, page) in pages.enumerated() { request[.pages, index] = page }
        change(&request)
        return request
    }

    @Test func regionsThatCannotBe() throws {
        let rig = try ControlRig.ready()
        let changes: [(inout Message<CreateRegion>) -> Void] = [
            { $0[.length] = 0 },
            { $0[.length] = 4097 * 2 },
            { $0[.length] = 4096 },
            { $0[.length] = .max },
            { $0[.offsetInPage] = 4096 },
            { $0[.offsetInPage] = 1 },
            { $0[.pageType] = 1 },
            { $0[.pageCount] = 0 },
            { $0[.pageCount] = 1 },
            { $0[.pageCount] = .max },
            { $0[.listedCount] = 3 },
            { $0[.listedCount] = .max },
            { $0[.pages, 1] = 0x1001 },
        ]
        for (number, change) in changes.enumerated() {
            #expect(try rig.status(region([0x1000, 0x2000], change: change)) != 0, "change \(number)")
        }
        #expect(rig.model.holdings.regions == 0)
        // More listed than the message has.
        var short = region([0x1000, 0x2000]) { _ in }
        short = try Message(Array(short.bytes.dropLast(8)))
        short[.messageBytes] = UInt32(short.byteCount)
        #expect(try rig.status(short) != 0)
        #expect(try rig.status(region([0x1000, 0x2000]) { _ in }) == 0, "pages need not be reachable yet")
    }

    /// A list in three requests: two answers say that more is awaited.
    @Test func aListInSeveralRequests() throws {
        let rig = try ControlRig.ready()
        let pages = rig.takePages(3)
        var request = Message<CreateRegion>(to: .network, elementBytes: 8)
        request[.length] = 3 * 4096
        request[.pageCount] = 3
        request[.listedCount] = 1
        request[.pages, 0] = pages[0]
        let begun = try #require(try rig.ask(request))
        #expect(begun.status == .moreEntries)
        try rig.register()
        #expect(try rig.status(rig.eventQueueRequest(begun[.region], vector: 1)) != 0, "it is not whole")
        for (index, status) in [(1, ResponseStatus.moreEntries), (2, .success)] {
            var more = Message<AddPages>(to: .network, elementBytes: 8)
            more[.region] = begun[.region]
            more[.listedCount] = 1
            more[.pages, 0] = pages[index]
            #expect(try rig.ask(more)?.status == status)
        }
        var beyond = Message<AddPages>(to: .network, elementBytes: 8)
        beyond[.region] = begun[.region]
        beyond[.listedCount] = 1
        #expect(try rig.status(beyond) != 0)
        beyond[.region] = 1
        #expect(try rig.status(beyond) != 0)
        #expect(try rig.status(rig.eventQueueRequest(begun[.region], vector: 1)) == 0)
    }

    @Test func regionsEnd() throws {
        let rig = try ControlRig.ready {
            $0.limits.regions = 2
            $0.limits.regionPages = 5
        }
        let four = try rig.makeRegion(rig.takePages(4))
        #expect(try rig.status(region([0x1000, 0x2000]) { _ in }) == 0xC000_009A, "no pages left")
        _ = try rig.makeRegion(rig.takePages(1))
        #expect(try rig.status(region([0x1000]) { _ in }) == 0xC000_009A, "no region left")
        var end = Message<DestroyRegion>(to: .network)
        end[.region] = four
        _ = try rig.demand(end)
        #expect(try rig.status(region([0x1000, 0x2000, 0x3000, 0x4000]) { _ in }) == 0, "all four are back")
    }

    // MARK: Event queues

    @Test func anEventQueueHasAVectorOfItsOwn() throws {
        let rig = try ControlRig.ready()
        try rig.register()
        let vector = try rig.attach(3)
        let events = try rig.makeEventQueue(vector: 3)
        #expect(events.id == 1 && rig.model.holdings.eventQueues == 1)
        #expect(rig.model.holdings.regions == 0, "the queue has taken it")
        try events.test()
        #expect(vector.consume(), "armed from the start")
        #expect(events.take() == [Event(.test)])
        try events.test()
        #expect(!vector.consume())
        events.arm()
        #expect(vector.consume())
        _ = events.take()
        _ = try rig.demand(events.disableRequest())
        #expect(rig.model.holdings.eventQueues == 0)
        #expect(try rig.status(events.disableRequest()) != 0)
        #expect(events.take().isEmpty)
    }

    /// Scattered rings: the second page is somewhere else.
    @Test func anEventQueueOfManyPages() throws {
        let rig = try ControlRig.ready()
        try rig.register()
        let pages = rig.takePages(4)
        let region = try rig.makeRegion(pages)
        let id = try rig.demand(rig.eventQueueRequest(region, vector: 1, bytes: 4 * 4096))[.id]
        var request = Message<GenerateTestEvent>(to: .network)
        request[.eventQueue] = id
        for _ in 0..<1025 { _ = try rig.demand(request) }
        for page in pages {
            for slot in [UInt64(0), 255] {
                let lap: UInt32 = page == pages[0] && slot == 0 ? 2 : 1
                #expect(rig.word(page + slot * 16 + 12) == EventTail(.test, owner: lap).raw)
            }
        }
    }

    @Test func eventQueuesThatCannotBe() throws {
        let rig = try ControlRig.ready {
            $0.limits.vectors = 5
            $0.limits.eventQueues = 2
        }
        let region = try rig.makeRegion(rig.takePages(2))
        #expect(try rig.status(rig.eventQueueRequest(region, vector: 1)) != 0, "before the device is registered")
        try rig.register()
        let changes: [(inout Message<CreateQueue>) -> Void] = [
            { $0[.type] = QueueType.send.rawValue },
            { $0[.type] = QueueType.receive.rawValue },
            { $0[.type] = QueueType.completion.rawValue },
            { $0[.type] = 9 },
            { $0[.protectionDomain] = 6 },
            { $0[.doorbellPage] = 0 },
            { $0[.vector] = 5 },
            { $0[.vector] = .max },
            { $0[.region] = 0 },
            { $0[.region] += 1 },
            { $0[.ringBytes] = 0 },
            { $0[.ringBytes] = 2048 },
            { $0[.ringBytes] = 4096 + 16 },
            { $0[.ringBytes] = 4 * 4096 },
            { $0[.ringBytes] = 1 << 31 },
        ]
        for (number, change) in changes.enumerated() {
            var request = rig.eventQueueRequest(region, vector: 4)
            change(&request)
            #expect(try rig.status(request) != 0, "change \(number)")
        }
        #expect(rig.model.holdings.eventQueues == 0 && rig.model.holdings.regions == 1, "nothing was taken")
        #expect(try rig.status(rig.eventQueueRequest(region, vector: 4)) == 0)
        let last = try rig.makeEventQueue(vector: 4)
        let third = rig.eventQueueRequest(try rig.makeRegion(rig.takePages(1)), vector: 1)
        #expect(try rig.status(third) == 0xC000_009A, "none left")
        _ = try rig.demand(last.disableRequest())
        #expect(try rig.demand(third)[.id] == last.id, "the lowest free id comes first")
    }

    /// The table of MSI-X is the limit where it has less than the host grants.
    @Test func vectorsEndWithTheTable() throws {
        let rig = try ControlRig.ready {
            $0.limits.vectors = 65_535
            $0.limits.tableVectors = 4
        }
        try rig.register()
        let region = try rig.makeRegion(rig.takePages(1))
        #expect(try rig.status(rig.eventQueueRequest(region, vector: 4)) != 0)
        #expect(try rig.status(rig.eventQueueRequest(region, vector: 3)) == 0)
    }

    @Test func theChannelsOwnQueueIsNotTheDriversToDisable() throws {
        let rig = try ControlRig.ready()
        try rig.register()
        var request = Message<DisableQueue>(to: .network)
        request[.type] = QueueType.event.rawValue
        request[.id] = 0
        #expect(try rig.status(request) != 0)
        request[.type] = QueueType.send.rawValue
        #expect(try rig.status(request) != 0)
        _ = try rig.demand(Message<ListDevices>(to: .channel))
    }

    // MARK: Answers that go wrong

    @Test func aLostAnswerIsLostAndTheRequestCarriedOut() throws {
        let rig = try ControlRig.ready { $0.faults.requests = [RequestFault(.lost, of: .registerDevice)] }
        #expect(try rig.ask(Message<RegisterDevice>(to: .network)) == nil)
        #expect(rig.model.holdings.isRegistered && rig.model.counters.answersLost == 1)
    }

    /// The answer comes after the driver has given up, into the next one's buffer.
    @Test func aLateAnswerComesWhenItsTimeIsThere() throws {
        let rig = try ControlRig.ready { $0.faults.requests = [RequestFault(.late(30_000_000_001), of: .listDevices)] }
        #expect(try rig.ask(Message<ListDevices>(to: .channel)) == nil)
        #expect(rig.model.nextDeadline == 30_001_000_001)
        rig.advance(nanoseconds: 30_000_000_000)
        #expect(rig.takeAnswer() == nil)
        rig.advance(nanoseconds: 1)
        #expect(rig.takeAnswer()?.count == 296)
        #expect(rig.model.nextDeadline == nil)
    }

    @Test func aLateAnswerDoesNotOutliveItsChannel() throws {
        let rig = try ControlRig.ready { $0.faults.requests = [RequestFault(.late(1000), of: .listDevices)] }
        #expect(try rig.ask(Message<ListDevices>(to: .channel)) == nil)
        rig.destroy()
        rig.establish()
        rig.postAnswerBuffer()
        rig.advance(nanoseconds: 5000)
        #expect(rig.takeAnswer() == nil)
    }

    @Test func aRefusedRequestIsNotCarriedOut() throws {
        let rig = try ControlRig.ready {
            $0.faults.requests = [RequestFault(.refused(.init(rawValue: 77)), of: .registerDevice, occurrence: 1)]
        }
        try rig.register()
        _ = try rig.demand(Message<DeregisterDevice>(to: .network))
        #expect(try rig.status(Message<RegisterDevice>(to: .network)) == 77, "the second one alone")
        #expect(!rig.model.holdings.isRegistered)
        try rig.register()
    }

    @Test func everyFieldOfAnAnswerCanBeWrong() throws {
        let kinds: [(RequestFault.Kind, Int, [UInt8])] = [
            (.status(.init(rawValue: 0x0102_0304)), 24, [4, 3, 2, 1]),
            (.messageID(0xABCD), 10, [0xCD, 0xAB]),
            (.messageType(0x1234_5678), 4, [0x78, 0x56, 0x34, 0x12]),
            (.version(0), 8, [0, 0]),
            (.device(.rdma), 16, [3, 0, 0, 0]),
            (.activity(9), 20, [9, 0, 0, 0]),
            (.contents(at: 68, [1, 2, 3, 4]), 68, [1, 2, 3, 4]),
            (.contents(at: 70, [1, 2, 3, 4]), 70, [1, 2]),
        ]
        for (kind, place, bytes) in kinds {
            let rig = try ControlRig.ready { $0.faults.requests = [RequestFault(kind)] }
            rig.postAnswerBuffer()
            rig.post(Array(Message<QueryMaxResources>(to: .channel).bytes))
            let answer = try #require(rig.takeAnswer())
            #expect(Array(answer[place..<place + bytes.count]) == bytes, "\(kind)")
        }
    }

    @Test func completionsCanLie() throws {
        func completion(_ kind: RequestFault.Kind) throws -> (ChannelCompletion, UInt32) {
            let rig = try ControlRig.ready { $0.faults.requests = [RequestFault(kind, of: .listDevices)] }
            rig.postAnswerBuffer()
            rig.post(Array(Message<ListDevices>(to: .channel).bytes))
            _ = rig.takeCompletion()
            let came = try #require(rig.takeCompletion())
            return (ChannelCompletion(came.data), came.tail.queue)
        }
        #expect(try completion(.bytes(7)).0.messageBytes == 7)
        #expect(try completion(.bytes(5000)).0.messageBytes == 5000)
        #expect(try completion(.offset(0x1000)).0.requestOffset == 0x1000)
        #expect(try completion(.queue(9)).1 == 9)
    }

    @Test func anAnswerCanComeTwice() throws {
        let rig = try ControlRig.ready { $0.faults.requests = [RequestFault(.twice, of: .listDevices)] }
        rig.postAnswerBuffer()
        rig.postAnswerBuffer()
        rig.post(Array(Message<ListDevices>(to: .channel).bytes))
        #expect(rig.takeAnswer()?.count == 296)
        #expect(rig.takeAnswer()?.count == 296)
    }

    @Test func faultsOfEachRequest() throws {
        let rig = try ControlRig.ready {
            $0.faults.requests = [RequestFault(.refused(.unsupported), occurrence: nil)]
        }
        for _ in 0..<3 { #expect(try rig.status(Message<ListDevices>(to: .channel)) == 0xFFFF_FFFF) }
        #expect(rig.model.counters.requestsRefused == 3)
    }

    @Test func testEventsCanBeLost() throws {
        let rig = try ControlRig.ready { $0.faults.losesTestEvents = true }
        try rig.register()
        let events = try rig.makeEventQueue(vector: 1)
        try events.test()
        #expect(events.take().isEmpty)
    }

    @Test func vectorsCanBeRefusedFromTheNthOn() throws {
        let rig = try ControlRig.ready { $0.faults.refusesVectorsFrom = 2 }
        try rig.register()
        _ = try rig.makeEventQueue(vector: 1)
        #expect(try rig.status(rig.eventQueueRequest(try rig.makeRegion(rig.takePages(1)), vector: 2)) != 0)
    }
}
