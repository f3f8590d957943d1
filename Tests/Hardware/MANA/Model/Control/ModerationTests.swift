// Completion moderation: off unless the function says that it has it and the driver asks; then events wait for enough
// completions or for the time, by the model's clock.

import Backing
import Clock
import Ethernet
import MANAModel
import MANAWire
import PCIe
import Registers
import TestFrames
import Testing

private let station: [UInt8] = [0x02, 0x15, 0x5D, 0x00, 0xBA, 0x00]
private let arrived = station + [0x02, 0, 0, 0, 0, 0x99, 0x88, 0xB5] + payload(86)

@Suite(.bothMemoryWays) struct ModerationTests {
    /// A port whose receive queue has `buffers` and is armed, its moderation set by the doorbell.
    private func port(
        microseconds: UInt16? = 100,
        completions: UInt8? = 4,
        buffers: Int = 16,
        _ change: (inout MANAOptions) -> Void = { $0.capabilities = [.dynamicModeration] }
    ) throws -> OpenPort {
        let port = try OpenPort(change)
        port.receive[0].moderate(microseconds: microseconds, completions: completions)
        for _ in 0..<buffers { port.receive[0].post(port.rig.takePage(), length: 1514) }
        port.receive[0].arm()
        return port
    }

    private func arrive(_ port: OpenPort, _ count: Int = 1) throws {
        for _ in 0..<count {
            let fits = port.rig.farEnd.transmit.send(arrived.raw, wireTime: 0)
            try #require(fits)
        }
        port.rig.poll()
    }

    @Test func theFirstCompletionWaitsForTheTime() throws {
        let port = try port()
        let start = port.rig.clock.now
        try arrive(port)
        #expect(port.events.take().isEmpty)
        #expect(port.rig.model.nextDeadline == start + 100_000)
        port.rig.advance(nanoseconds: 60_000)
        try arrive(port)
        port.rig.advance(nanoseconds: 39_999)
        #expect(port.events.take().isEmpty, "the second does not put the first off, and the time is not over")
        port.rig.advance(nanoseconds: 1)
        #expect(port.events.take() == [.completion(of: port.receive[0].completionID)])
        #expect(port.rig.model.nextDeadline == nil, "not armed, nothing waits")
    }

    @Test func enoughCompletionsDoNotWait() throws {
        let port = try port()
        try arrive(port, 3)
        #expect(port.events.take().isEmpty)
        try arrive(port)
        #expect(port.events.take().count == 1)
        try arrive(port, 8)
        #expect(port.events.take().isEmpty, "not armed")
        for _ in 0..<4 { _ = port.receive[0].take() }
        // Eight are unread: more than enough.
        port.receive[0].arm()
        port.rig.poll()
        #expect(port.events.take().count == 1)
    }

    @Test func unreadCompletionsWaitFromTheArmingOn() throws {
        let port = try port(completions: 0)
        try arrive(port, 2)
        port.rig.advance(nanoseconds: 100_000)
        #expect(port.events.take().count == 1)
        _ = port.receive[0].take()
        port.receive[0].arm()
        port.rig.poll()
        port.rig.advance(nanoseconds: 99_999)
        #expect(port.events.take().isEmpty)
        port.rig.advance(nanoseconds: 1)
        #expect(port.events.take().count == 1)
    }

    @Test func aCountWithoutATimeHoldsNothingUp() throws {
        let port = try port(microseconds: 0, completions: 200)
        try arrive(port)
        #expect(port.events.take().count == 1)
    }

    @Test func partsOfItAreSetOneByOne() throws {
        let port = try port(microseconds: 1000, completions: nil)
        port.receive[0].moderate(microseconds: nil, completions: 2)
        try arrive(port)
        #expect(port.events.take().isEmpty)
        try arrive(port)
        #expect(port.events.take().count == 1)
    }

    /// What waits when it is turned off is told at once.
    @Test func turnedOffWhileSomethingWaits() throws {
        let port = try port()
        try arrive(port)
        #expect(port.events.take().isEmpty)
        port.receive[0].moderate(microseconds: 0, completions: 0)
        #expect(port.events.take().count == 1)
        _ = port.receive[0].take()
        port.receive[0].arm()
        try arrive(port)
        #expect(port.events.take().count == 1)
    }

    @Test func aSendQueueTheSame() throws {
        let port = try OpenPort { $0.capabilities = [.dynamicModeration] }
        port.send[0].moderate(microseconds: 50, completions: 3)
        port.send[0].arm()
        let page = port.rig.takePage()
        port.rig.write(arrived, at: page)
        for count in 1...3 {
            port.send[0].post(page, length: arrived.count)
            port.rig.poll()
            #expect(port.events.take().count == (count == 3 ? 1 : 0))
        }
    }

    @Test func withoutTheCapabilityNothingWaits() throws {
        let port = try port { _ in }
        #expect(port.rig.model.counters.strayDoorbells == 1)
        try arrive(port)
        #expect(port.events.take().count == 1)
    }

    @Test func doorbellsOfQueuesThatAreNotThere() throws {
        let port = try port()
        let before = port.rig.model.counters.strayDoorbells
        for queue: UInt32 in [0, 99, 0xFF_FFFF] { port.rig.moderate(queue, page: 1, 10, 10) }
        port.rig.moderate(port.receive[0].completionID, page: 0, 10, 10)
        #expect(port.rig.model.counters.strayDoorbells == before + 4)
    }

    /// A queue that goes while its completions wait takes nothing with it, and leaves nothing.
    @Test func aQueueThatGoes() throws {
        let port = try port()
        try arrive(port)
        _ = try port.rig.demand(port.receive[0].destroyRequest())
        #expect(port.rig.model.nextDeadline == nil)
        port.rig.advance(nanoseconds: 1_000_000)
        #expect(port.events.take().isEmpty)
    }

    // MARK: Asked for with the queue

    private func make(
        version: UInt16,
        microseconds: UInt16,
        completions: UInt16,
        _ capabilities: AdapterCapabilities
    ) throws -> (port: OpenPort, answer: Message<CreateWorkQueueResponse>) {
        let port = try OpenPort(queues: 0) { $0.capabilities = capabilities }
        var request = port.rig.workQueueRequest(
            .receive,
            port: port.handle,
            events: port.events.id,
            work: try port.rig.makeRegion([port.rig.takePage()]),
            completions: try port.rig.makeRegion([port.rig.takePage()])
        )
        request[.version] = version
        request[.wantsModeration] = 1
        request[.moderationMicroseconds] = microseconds
        request[.moderationCompletions] = completions
        return (port, try port.rig.demand(request))
    }

    @Test func askedForWithTheQueue() throws {
        let answer = try make(version: 3, microseconds: 64, completions: 255, .dynamicModeration).answer
        #expect(answer[.isModerated] == 1)
        #expect(answer[.moderationMicroseconds] == 64 && answer[.moderationCompletions] == 255)
        let cut = try make(version: 3, microseconds: .max, completions: .max, .dynamicModeration).answer
        #expect(cut[.moderationMicroseconds] == 1023 && cut[.moderationCompletions] == 255)
    }

    @Test func askedForByThoseWhoMayNot() throws {
        for (version, capabilities) in [(UInt16(2), AdapterCapabilities.dynamicModeration), (3, [])] {
            let answer = try make(version: version, microseconds: 64, completions: 8, capabilities).answer
            #expect(answer[.isModerated] == 0 && answer[.moderationMicroseconds] == 0)
        }
    }
}
