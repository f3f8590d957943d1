// Requests about ports: queues, steering, fences, counts, and frames that go the whole way.

import Backing
import Ethernet
import MANAModel
import MANAWire
import PCIe
import Registers
import TestFrames
import Testing

private let station: [UInt8] = [0x02, 0x15, 0x5D, 0x00, 0xBA, 0x00]

private func frame(_ length: Int = 100, to destination: [UInt8] = station) -> [UInt8] {
    destination + [0x02, 0, 0, 0, 0, 0x99, 0x88, 0xB5] + payload(length - 14)
}

@Suite(.bothMemoryWays) struct PortTests {
    // MARK: Frames, the whole way

    @Test func aFrameLeavesAndItsCompletionInterrupts() throws {
        let port = try OpenPort()
        let rig = port.rig
        let vector = try rig.attach(1)
        port.events.arm()
        port.send[0].arm()
        let page = rig.takePage()
        let sent = frame(to: [0x02, 1, 2, 3, 4, 5])
        rig.write(sent, at: page)
        port.send[0].post(page, length: sent.count)
        #expect(rig.farEnd.receive.receive() == nil, "frames move when the device is polled")
        rig.poll()
        #expect(rig.farEnd.receive.receive() == sent)
        let completion = try #require(port.send[0].take())
        #expect(completion.tail.isSend && completion.tail.queue == port.send[0].id)
        #expect(SendCompletion(completion.data) == SendCompletion(.sent, requestOffset: 0))
        #expect(port.events.take() == [.completion(of: port.send[0].completionID)])
        #expect(vector.consume() && vector.firedCount == 1)
        #expect(rig.model.statistic(.transmitUnicastPackets) == 1)
    }

    @Test func aFrameArrivesAndItsCompletionInterrupts() throws {
        let port = try OpenPort()
        let rig = port.rig
        let vector = try rig.attach(1)
        port.events.arm()
        port.receive[0].arm()
        let page = rig.takePage()
        port.receive[0].post(page, length: 1514)
        let arrived = frame()
        let fits = rig.farEnd.transmit.send(arrived.raw, wireTime: 0)
        #expect(fits)
        rig.poll()
        let completion = try #require(port.receive[0].take())
        #expect(!completion.tail.isSend && completion.tail.queue == port.receive[0].id)
        let received = ReceiveCompletion(completion.data)
        #expect(received.type == .received && received[0].length == 100)
        #expect(rig.read(page, count: 100) == arrived)
        #expect(port.events.take() == [.completion(of: port.receive[0].completionID)])
        #expect(vector.consume())
        #expect(rig.model.statistic(.receiveUnicastBytes) == 100)
    }

    /// Doorbells of 32 bits say how far the tail has moved.
    @Test func theShortDoorbells() throws {
        let port = try OpenPort()
        let rig = port.rig
        let page = rig.takePage()
        rig.write(frame(), at: page)
        // By a page that is none the request is written and the doorbell goes nowhere.
        port.send[0].post(page, length: 100, page: 2)
        rig.poll()
        #expect(rig.model.counters.framesSent == 0)
        let registers = rig.options.layout.doorbellOffset + UInt64(rig.options.layout.doorbellPageBytes)
        let doorbell = ShortDoorbell(id: port.send[0].id, increment: 32)
        rig.model.write(bar: 0, registers + 0x10, .doubleWord, UInt64(doorbell.raw))
        rig.poll()
        #expect(rig.model.counters.framesSent == 1)

        let vector = try rig.attach(1)
        try port.events.test()
        #expect(vector.consume())
        #expect(port.events.take() == [Event(.test)])
        let read = ShortDoorbell(id: port.events.id, increment: 1, isArmed: true)
        rig.model.write(bar: 0, registers + 0xFF0, .doubleWord, UInt64(read.raw))
        #expect(!vector.consume(), "all is read")
        try port.events.test()
        #expect(vector.consume())
    }

    @Test func withoutALinkNothingMoves() throws {
        let port = try OpenPort()
        let rig = port.rig
        let page = rig.takePage()
        rig.model.setLink(up: false)
        port.receive[0].post(page, length: 1514)
        let fits = rig.farEnd.transmit.send(frame().raw, wireTime: 0)
        #expect(fits)
        port.send[0].post(page, length: 100)
        rig.poll()
        #expect(rig.model.counters.framesSent == 0 && rig.model.counters.framesReceived == 0)
        rig.model.setLink(up: true)
        rig.poll()
        #expect(rig.model.counters.framesSent == 1, "what was rung for goes out")
        #expect(rig.model.counters.framesReceived == 0, "what came meanwhile is gone")
    }

    @Test func aFunctionThatMayNotUseTheBusMovesNothing() throws {
        let port = try OpenPort()
        let page = port.rig.takePage()
        port.rig.allowBus(false)
        port.send[0].post(page, length: 100)
        port.rig.poll()
        #expect(port.rig.model.counters.framesSent == 0)
        port.rig.allowBus()
        port.rig.poll()
        #expect(port.rig.model.counters.framesSent == 1)
    }

    // MARK: Ports

    @Test func aPortIsConfiguredByItsOwnDriver() throws {
        let rig = try ControlRig.ready { $0.portOffset = 300 }
        var request = Message<ConfigurePortTransmit>(to: .network)
        request[.port] = try rig.port()[.port]
        request[.protectionDomain] = 5
        request[.doorbellPage] = 1
        #expect(try rig.status(request) != 0, "before the device is registered")
        try rig.register()
        let answer = try rig.demand(request)
        #expect(answer[.portOffset] == 300 && answer[.allowsShortFormat] == 0, "eight bits do not hold it")
        for change: (inout Message<ConfigurePortTransmit>) -> Void in [
            { $0[.port] += 1 }, { $0[.port] = 0 }, { $0[.protectionDomain] = 0 }, { $0[.doorbellPage] = 0 },
        ] {
            var wrong = request
            change(&wrong)
            #expect(try rig.status(wrong) != 0)
        }
    }

    @Test func theLinkAndItsClamp() throws {
        let rig = try ControlRig.ready { $0.linkMegabits = 100_000 }
        let handle = try rig.port()[.port]
        var query = Message<QueryLink>(to: .network)
        query[.port] = handle
        #expect(try rig.demand(query)[.currentMegabits] == 100_000)
        var clamp = Message<SetBandwidthClamp>(to: .network)
        clamp[.port] = handle
        clamp[.isClamped] = 1
        clamp[.megabits] = 25_000
        _ = try rig.demand(clamp)
        #expect(try rig.demand(query)[.currentMegabits] == 25_000)
        #expect(try rig.demand(query)[.allowedMegabits] == 100_000)
        for megabits in [UInt32(0), 100_001, .max] {
            clamp[.megabits] = megabits
            #expect(try rig.status(clamp) != 0)
        }
        clamp[.isClamped] = 0
        _ = try rig.demand(clamp)
        #expect(try rig.demand(query)[.currentMegabits] == 100_000)
        query[.port] = 3
        #expect(try rig.status(query) != 0)
    }

    /// Drivers that know of links are told; 6.12 does not say that it does.
    @Test(arguments: [(UInt64(0x82D), false), (0x527E_686D, true)])
    func linksAreToldToThoseWhoKnow(capabilities: UInt64, isTold: Bool) throws {
        let rig = try ControlRig.ready()
        var request = Message<VerifyVersion>(to: .channel)
        request[.lowestVersion] = 1
        request[.highestVersion] = 1
        request[.capabilities] = capabilities
        _ = try rig.demand(request)
        rig.model.setLink(up: false)
        rig.model.setLink(up: false)
        rig.model.setLink(up: true)
        #expect(
            rig.takeEvents() == (isTold ? [.reconfiguration(.linkDown), .reconfiguration(.linkUp)] : [])
        )
    }

    @Test func whatTheDeviceAsksOfTheDriver() throws {
        let rig = try ControlRig.ready()
        rig.model.requestReset()
        rig.model.announceReconfiguration()
        rig.model.announceRequestTimeout(milliseconds: 1234)
        rig.model.announceService(.suspendRDMA)
        #expect(
            rig.takeEvents() == [
                Event(.resetRequest), Event(.reconfiguration), Event(.reconfigurationItem, 0x0100_04D2),
                Event(.service, 0x1000_0000),
            ]
        )
    }

    // MARK: Queues

    @Test func queuesHaveIdsOfTheirOwnKind() throws {
        let port = try OpenPort(queues: 2)
        #expect(port.send.map(\.id) == [1, 2] && port.receive.map(\.id) == [1, 2])
        #expect(Set(port.send.map(\.completionID) + port.receive.map(\.completionID)) == [1, 2, 3, 4])
        #expect(port.rig.model.holdings.workQueues == 4 && port.rig.model.holdings.regions == 0)
        #expect(try port.rig.status(port.send[0].destroyRequest(as: .receive)) != 0, "it is a send queue")
        _ = try port.rig.demand(port.send[0].destroyRequest())
        #expect(try port.rig.status(port.send[0].destroyRequest()) != 0)
        let again = try port.rig.makeWorkQueue(.send, port: port.handle, events: port.events.id)
        #expect(again.id == 1 && again.completionID == port.send[0].completionID)
        #expect(again.object != port.send[0].object, "no handle comes twice")
    }

    @Test func queuesThatCannotBe() throws {
        let port = try OpenPort(queues: 0)
        let rig = port.rig
        let work = try rig.makeRegion(rig.takePages(2))
        let completions = try rig.makeRegion(rig.takePages(1))
        let changes: [(inout Message<CreateWorkQueue>) -> Void] = [
            { $0[.port] = 1 },
            { $0[.type] = 0 },
            { $0[.type] = QueueType.completion.rawValue },
            { $0[.type] = QueueType.event.rawValue },
            { $0[.eventQueue] = 0 },
            { $0[.eventQueue] = 2 },
            { $0[.workRegion] = 1 },
            { $0[.completionRegion] = 1 },
            { $0[.completionRegion] = work },
            { $0[.workRingBytes] = 0 },
            { $0[.workRingBytes] = 4096 * 3 },
            { $0[.workRingBytes] = 4096 * 4 },
            { $0[.completionRingBytes] = 64 },
            { $0[.completionRingBytes] = 8192 },
        ]
        for (number, change) in changes.enumerated() {
            var request = rig.workQueueRequest(
                .send,
                port: port.handle,
                events: port.events.id,
                work: work,
                completions: completions
            )
            change(&request)
            #expect(try rig.status(request) != 0, "change \(number)")
            #expect(rig.model.holdings.workQueues == 0 && rig.model.holdings.regions == 2)
        }
        let request = rig.workQueueRequest(
            .send,
            port: port.handle,
            events: port.events.id,
            work: work,
            completions: completions
        )
        #expect(try rig.status(request) == 0)
        #expect(try rig.status(request) != 0, "the regions are the queue's now")
    }

    @Test(arguments: [QueueType.send, .receive]) func queuesEnd(_ type: QueueType) throws {
        let port = try OpenPort(queues: 0) {
            $0.limits.sendQueues = 2
            $0.limits.receiveQueues = 2
        }
        let rig = port.rig
        let first = try rig.makeWorkQueue(type, port: port.handle, events: port.events.id)
        _ = try rig.makeWorkQueue(type, port: port.handle, events: port.events.id)
        let third = rig.workQueueRequest(
            type,
            port: port.handle,
            events: port.events.id,
            work: try rig.makeRegion(rig.takePages(1)),
            completions: try rig.makeRegion(rig.takePages(1))
        )
        #expect(try rig.status(third) == 0xC000_009A)
        _ = try rig.demand(first.destroyRequest())
        #expect(try rig.status(third) == 0)
    }

    @Test func completionQueuesEnd() throws {
        let port = try OpenPort(queues: 1) { $0.limits.completionQueues = 2 }
        let third = port.rig.workQueueRequest(
            .send,
            port: port.handle,
            events: port.events.id,
            work: try port.rig.makeRegion(port.rig.takePages(1)),
            completions: try port.rig.makeRegion(port.rig.takePages(1))
        )
        #expect(try port.rig.status(third) == 0xC000_009A)
    }

    /// An older driver's request ends before the moderation.
    @Test func aRequestOfTheFirstVersion() throws {
        let port = try OpenPort(queues: 0)
        let rig = port.rig
        let request = rig.workQueueRequest(
            .receive,
            port: port.handle,
            events: port.events.id,
            work: try rig.makeRegion(rig.takePages(1)),
            completions: try rig.makeRegion(rig.takePages(1))
        )
        var short = try Message<CreateWorkQueue>(Array(request.bytes.prefix(88)))
        short[.messageBytes] = 88
        short[.expectedBytes] = 48
        short[.expectedVersion] = 1
        #expect(try rig.demand(short)[.workQueue] == 1)
    }

    // MARK: Steering

    @Test func steeringIsAllOrNothing() throws {
        let port = try OpenPort(queues: 2)
        let rig = port.rig
        let good = [port.receive[0].object, port.receive[1].object]
        // Frames go to the default queue, 0.
        let changes: [(inout Message<ConfigurePortReceive>) -> Void] = [
            { $0[.port] = 1 },
            { $0[.receives] = 2 },
            { $0[.hashes] = 2 },
            { $0[.defaultObject] = 5 },
            { $0[.defaultObject] = port.send[0].object },
            { $0[.indirection, 1] = 5 },
            { $0[.indirection, 0] = port.send[0].object },
            { $0[.indirectionEntries] = 0 },
            { $0[.indirectionEntries] = 3 },
            { $0[.indirectionEntries] = 4 },
            { $0[.indirectionEntries] = 128 },
            { $0[.indirectionOffset] = 112 },
            { $0[.coalescesEight] = 1 },
        ]
        for (number, change) in changes.enumerated() {
            var request = rig.steering(port.handle, to: good, receives: 0)
            request[.defaultObject] = port.receive[1].object
            change(&request)
            #expect(try rig.status(request) != 0, "change \(number)")
        }
        port.receive[0].post(rig.takePage(), length: 1514)
        let fits = rig.farEnd.transmit.send(frame().raw, wireTime: 0)
        #expect(fits)
        rig.poll()
        #expect(port.receive[0].take() != nil, "it still receives, into the first queue")
    }

    @Test func whatIsNotUpdatedStays() throws {
        let port = try OpenPort(queues: 2)
        let rig = port.rig
        var request = rig.steering(port.handle, to: [], receives: 0, hashes: ConfigurePortReceive.unchanged)
        request[.updatesIndirection] = 0
        request[.updatesDefault] = 0
        request[.updatesKey] = 0
        request[.defaultObject] = 77
        _ = try rig.demand(request)
        let page = rig.takePage()
        port.receive[0].post(page, length: 1514)
        var fits = rig.farEnd.transmit.send(frame().raw, wireTime: 0)
        rig.poll()
        #expect(fits && port.receive[0].take() == nil, "reception is off")
        request[.receives] = 1
        _ = try rig.demand(request)
        fits = rig.farEnd.transmit.send(frame().raw, wireTime: 0)
        rig.poll()
        #expect(fits && port.receive[0].take() != nil, "into the default queue that was set first")
    }

    @Test func coalescingIsOffered() throws {
        let port = try OpenPort {
            $0.networkCapabilities = .eightFrameCompletions
            $0.coalescingNanoseconds = 2048
        }
        var request = port.rig.steering(port.handle, to: [port.receive[0].object])
        request[.coalescesEight] = 1
        #expect(try port.rig.demand(request)[.coalescingNanoseconds] == 2048)
    }

    @Test func aDestroyedQueueLeadsNowhere() throws {
        let port = try OpenPort()
        _ = try port.rig.demand(port.receive[0].destroyRequest())
        let fits = port.rig.farEnd.transmit.send(frame().raw, wireTime: 0)
        port.rig.poll()
        #expect(fits && port.rig.model.counters.framesReceived == 0 && port.rig.model.counters.framesDropped == 1)
    }

    // MARK: Fences

    @Test func aFenceComesAfterWhatWasReceived() throws {
        let port = try OpenPort()
        let rig = port.rig
        port.receive[0].arm()
        port.events.arm()
        let vector = try rig.attach(1)
        port.receive[0].post(rig.takePage(), length: 1514)
        let fits = rig.farEnd.transmit.send(frame().raw, wireTime: 0)
        #expect(fits)
        rig.poll()
        _ = vector.consume()
        var request = Message<FenceReceiveQueue>(to: .network)
        request[.object] = port.receive[0].object
        _ = try rig.demand(request)
        let types = [port.receive[0].take(), port.receive[0].take()].map { $0?.data.head.type }
        #expect(types == [.received, .fence])
        #expect(port.receive[0].take() == nil)
        port.receive[0].arm()
        request[.object] = port.send[0].object
        #expect(try rig.status(request) != 0, "only receive queues have fences")
        request[.object] = 0
        #expect(try rig.status(request) != 0)
    }

    @Test func fencesCanBeLost() throws {
        let port = try OpenPort { $0.faults.losesFences = true }
        var request = Message<FenceReceiveQueue>(to: .network)
        request[.object] = port.receive[0].object
        _ = try port.rig.demand(request)
        #expect(port.receive[0].take() == nil)
    }

    // MARK: Counts

    /// Only what is asked for is told, by the mask's own bits.
    @Test func statisticsAreToldByTheMask() throws {
        let port = try OpenPort()
        let rig = port.rig
        port.receive[0].post(rig.takePage(), length: 1514)
        let group = frame(to: [0x01, 0, 0x5E, 0, 0, 1])
        let fits = rig.farEnd.transmit.send(group.raw, wireTime: 0)
        #expect(fits)
        rig.poll()
        var request = Message<QueryFunctionStatistics>(to: .network)
        request[.wanted] = FunctionStatistic.receiveMulticastPackets.maskBit
        let some = try rig.demand(request)
        #expect(some[.reported] == 0x20)
        #expect(some[.counters, FunctionStatistic.receiveMulticastPackets.rawValue] == 1)
        #expect(some[.counters, FunctionStatistic.receiveMulticastBytes.rawValue] == 0, "not asked for")
        request[.wanted] = .max
        let all = try rig.demand(request)
        #expect(all[.reported] == 0x7FF_FFFF)
        #expect(all[.counters, FunctionStatistic.receiveMulticastBytes.rawValue] == 100)
        let physical = try rig.demand(Message<QueryPhysicalStatistics>(to: .network))
        #expect(physical[.counters, PhysicalStatistic.packets(class: 0, transmit: false).place] == 1)
        #expect(physical[.counters, PhysicalStatistic.bytes(class: 0, transmit: false).place] == 100)
    }
}
