// What is different where the device reaches the driver's memory by transfers alone: order, refusals, and memory that changes
// its way. That all else is the same, the other suites say, which run in both ways.

import Backing
import Ethernet
import Interrupts
import MANAModel
import MANAWire
import Memory
import TestFrames
import Testing

private struct RemoteMemory: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        try await MemoryWay.$current.withValue(.remote) { try await function() }
    }
}

private let station = PathRig.station

private func frame(_ length: Int, _ seed: UInt8 = 0) -> [UInt8] {
    station + [0x02, 0, 0, 0, 0, 0x99, 0x88, 0xB5] + payload(length - 14).map { $0 ^ seed }
}

@Suite(RemoteMemory()) struct RemoteMemoryTests {
    /// Whoever carries a message out may write its bytes in any order; so the owner bits have one of their own.
    @Test func ownerBitsComeLast() throws {
        let rig = try PathRig()
        let queue = rig.makeReceive()
        rig.path.ports[0].defaultQueue = 0
        queue.arm()
        queue.provide(1)
        rig.poll()
        rig.arrive(frame(60))
        rig.poll()
        let buffer = try #require(queue.take().first)
        #expect(buffer.bytes == frame(60))
        let completion = queue.completions.ring.pages[0]
        let event = rig.eventRing.pages[0]
        #expect(rig.bench.writes.map(\.count) == [60, 56, 8, 8, 8])
        #expect(rig.bench.writes.dropFirst().map(\.iova) == [completion, completion + 56, event, event + 8])
    }

    /// Posted writes arrive in order: the driver must find the completion when the message comes.
    @Test func aMessageDoesNotOvertakeWhatItTellsOf() throws {
        let rig = try ControlRig()
        var lease = try rig.device.attachVector(0, cpu: nil)
        rig.writeWindow(rig.setup.words)
        #expect(rig.readWindow(7) == 0x81)
        var steps = 0
        while rig.bench.step() {
            steps += 1
            let hasFired = lease.consume()
            #expect(hasFired == (rig.model.host.memory.transfers.unconfirmedWrites == 0))
        }
        #expect(steps == 2 * 13, "thirteen events in two writes each")
    }

    /// A ring rung in whole is not fetched in whole.
    @Test func aWindowOfTheRingIsHere() throws {
        let rig = try PathRig()
        let queue = rig.makeReceive(pages: 16)
        rig.path.ports[0].defaultQueue = 0
        let page = rig.takePage()
        let piece = MemoryPiece(address: page, key: PathRig.key, length: 1514)
        for _ in 0..<16 * 128 { queue.post([piece]) }
        queue.ring()
        rig.poll()
        #expect(rig.bench.readCount == 1)
        for count in 0..<200 {
            rig.arrive(frame(60, UInt8(count)))
            rig.poll()
        }
        #expect(rig.framesReceived == 200)
        #expect((2...4).contains(rig.bench.readCount), "\(rig.bench.readCount)")
    }

    /// Requests of every length, so that some lie across a page's end, and across what was fetched.
    @Test(arguments: [1, 2, 4]) func requestsAcrossPages(pages: Int) throws {
        let rig = try PathRig()
        let queue = rig.makeSend(pages: pages, completionPages: 4)
        var expected: [[UInt8]] = []
        for round in 0..<60 {
            for count in [1, 7, 30, 2, 13] {
                let bytes = frame(20 * count + 14, UInt8(round))
                var request = queue.plain(bytes)
                let whole = request.pieces[0]
                let share = bytes.count / count
                request.pieces = (0..<count).map { index in
                    let start = index * share
                    let length = index == count - 1 ? bytes.count - start : share
                    return MemoryPiece(address: whole.address + UInt64(start), key: whole.key, length: UInt32(length))
                }
                queue.post(request)
                expected.append(bytes)
                if count == 30 { queue.ring() }
            }
            queue.ring()
            rig.poll()
            #expect(queue.take().map(\.head.type) == [CompletionType](repeating: .sent, count: 5))
            rig.reusePages()
        }
        #expect(rig.sent() == expected)
        #expect(rig.memory.faults == 0 && rig.memory.transfers.openReads == 0)
    }

    @Test func aRingThatIsRefusedIsTriedAgainWhenItIsRung() throws {
        let rig = try PathRig()
        let queue = rig.makeSend()
        rig.bench.refusesReads = true
        queue.post(queue.plain(frame(60)))
        queue.ring()
        rig.poll()
        #expect(rig.sent().isEmpty && rig.unreachableRings == 1 && rig.memory.faults == 1)
        #expect(rig.bench.readCount == 1, "and not again before that")
        rig.bench.refusesReads = false
        queue.ring()
        rig.poll()
        #expect(rig.sent() == [frame(60)])
    }

    @Test func aPieceThatIsRefusedRefusesItsFrame() throws {
        let rig = try PathRig()
        let queue = rig.makeSend()
        queue.post(queue.plain(frame(60)))
        queue.post(queue.plain(frame(61)))
        queue.ring()
        // The ring comes, the piece does not.
        _ = rig.path.poll(now: 0, &rig.events)
        #expect(rig.bench.step())
        rig.bench.refusesReads = true
        _ = rig.path.poll(now: 0, &rig.events)
        #expect(rig.bench.step())
        _ = rig.path.poll(now: 0, &rig.events)
        rig.bench.refusesReads = false
        rig.poll()
        #expect(rig.sent() == [frame(61)])
        #expect(queue.take().map(\.head.vendorError) == [SendRefusal.memory.rawValue, 0])
        #expect(rig.memory.faults == 1)
    }

    /// Whatever is on its way when the queues go ends nowhere, and nothing is kept of it.
    @Test(arguments: 0..<12) func queuesThatGoMeanwhile(steps: Int) throws {
        let rig = try PathRig()
        let send = rig.makeSend()
        let receive = rig.makeReceive()
        rig.path.ports[0].defaultQueue = 0
        for _ in 0..<3 { send.post(send.plain(frame(60))) }
        send.ring()
        receive.provide(3)
        for _ in 0..<steps {
            _ = rig.path.poll(now: 0, &rig.events)
            _ = rig.bench.step()
        }
        rig.path.removeAll()
        #expect(rig.memory.transfers.openReads == 0)
        rig.poll()
        #expect(rig.memory.transfers.openReads == 0 && rig.memory.transfers.unconfirmedWrites == 0)
    }

    /// The same for a request of the channel: destroyed between any two transfers, then set up anew.
    @Test(arguments: 0..<8) func aChannelThatGoesMeanwhile(steps: Int) throws {
        let rig = try ControlRig()
        #expect(rig.establish() == 0x81)
        _ = rig.takeEvents()
        rig.postAnswerBuffer()
        rig.write(Array(Message<QueryMaxResources>(to: .channel).bytes), at: rig.rings.requestBuffer)
        rig.postQuietly()
        for _ in 0..<steps {
            _ = rig.bench.step()
            _ = rig.readWindow(7)
        }
        #expect(rig.destroy() == 0x82)
        #expect(rig.model.host.memory.transfers.openReads == 0)
        rig.settle()
        #expect(rig.establish() == 0x81)
        _ = rig.takeEvents()
        rig.armEvents()
        _ = try rig.demand(Message<QueryMaxResources>(to: .channel))
    }

    /// A client may map its memory anew, shared where it was not, and back.
    @Test func memoryThatChangesItsWay() throws {
        let rig = try PathRig()
        let queue = rig.makeSend(pages: 2)
        let page = rig.takePage()
        for round in 0..<30 {
            let bytes = frame(60, UInt8(round))
            rig.write(bytes, at: page)
            let piece = MemoryPiece(address: page, key: PathRig.key, length: 60)
            for _ in 0..<5 { queue.post(BenchSend.Request(pieces: [piece], request: queue.usual)) }
            queue.ring()
            // In the middle of it.
            for _ in 0..<round % 4 {
                _ = rig.path.poll(now: 0, &rig.events)
                _ = rig.bench.step()
            }
            let way = round % 2 == 0 ? MemoryWay.shared : .remote
            while rig.bench.transfer() {}
            for page in queue.work.pages + queue.completions.ring.pages + [page] {
                try rig.unmap(page)
                try rig.map(page, as: way)
            }
            rig.poll()
            #expect(rig.sent() == [[UInt8]](repeating: bytes, count: 5), "round \(round)")
            #expect(queue.take().count == 5)
        }
        #expect(rig.unreachableRings == 0 && rig.memory.faults == 0)
    }

    /// A ring that is remote in part is no ring.
    @Test func aRingInBothWays() throws {
        let rig = try PathRig()
        let queue = rig.makeSend(pages: 2)
        try rig.unmap(queue.work.pages[1])
        try rig.map(queue.work.pages[1], as: .shared)
        queue.post(queue.plain(frame(60)))
        queue.ring()
        rig.poll()
        #expect(rig.sent().isEmpty && rig.unreachableRings == 1)
    }
}
