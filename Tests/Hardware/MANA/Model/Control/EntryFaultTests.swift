// Entries of completion and event rings that go wrong where the options say so, and nowhere else.

import Backing
import Ethernet
import MANAModel
import MANAWire
import PCIe
import Registers
import TestFrames
import Testing

private let station: [UInt8] = [0x02, 0x15, 0x5D, 0x00, 0xBA, 0x00]
private let arrived = station + [0x02, 0, 0, 0, 0, 0x99, 0x88, 0xB5] + payload(86)

@Suite(.bothMemoryWays) struct EntryFaultTests {
    /// A port that sends `count` frames and gets as many, one by one; the raw last dwords of both completion rings.
    private func exchange(_ port: OpenPort, frames count: Int) throws -> (send: [UInt32], receive: [UInt32]) {
        let rig = port.rig
        for _ in 0..<count {
            let page = rig.takePage()
            rig.write(arrived, at: page)
            port.send[0].arm()
            port.receive[0].arm()
            port.send[0].post(page, length: arrived.count)
            port.receive[0].post(rig.takePage(), length: 1514)
            let fits = rig.farEnd.transmit.send(arrived.raw, wireTime: 0)
            try #require(fits)
            rig.poll()
            #expect(rig.farEnd.receive.receive() == arrived, "the frame leaves whatever its completion says")
        }
        return (port.send[0].lastWords, port.receive[0].lastWords)
    }

    private func owners(_ words: [UInt32]) -> [UInt32] { words.prefix { $0 != 0 }.map { $0 >> 29 } }

    @Test(arguments: [UInt32(1), 3, 6]) func ownerBitsOfAWrongLap(lap: UInt32) throws {
        let port = try OpenPort {
            $0.faults.entries = [
                EntryFault(.lap(lap), in: .sendCompletions, occurrence: 1),
                EntryFault(.lap(lap), in: .receiveCompletions, occurrence: 2),
            ]
        }
        let words = try exchange(port, frames: 4)
        #expect(owners(words.send) == [1, 1 + lap, 1, 1])
        #expect(owners(words.receive) == [1, 1, 1 + lap, 1])
    }

    @Test func falseQueuesAndSides() throws {
        let port = try OpenPort {
            $0.faults.entries = [
                EntryFault(.queue(0xABCDEF), in: .sendCompletions, occurrence: 0),
                EntryFault(.otherSide, in: .sendCompletions, occurrence: 1),
                EntryFault(.queue(77), in: .receiveCompletions, occurrence: nil),
            ]
        }
        let words = try exchange(port, frames: 3)
        let id = port.send[0].id
        let tails = words.send.prefix(3).map(CompletionTail.init(raw:))
        #expect(tails.map(\.queue) == [0xABCDEF, id, id])
        #expect(tails.map(\.isSend) == [true, false, true])
        #expect(words.receive.prefix(3).map { CompletionTail(raw: $0).queue } == [77, 77, 77])
    }

    @Test func placesBeyondTheRing() throws {
        let port = try OpenPort {
            $0.faults.entries = [
                EntryFault(.offset(0xFFFF_FFE0), in: .sendCompletions),
                EntryFault(.offset(0x1000), in: .receiveCompletions),
            ]
        }
        _ = try exchange(port, frames: 1)
        let sent = try #require(port.send[0].take())
        #expect(SendCompletion(sent.data).requestOffset == 0xFFFF_FFE0)
        let received = try #require(port.receive[0].take())
        #expect(ReceiveCompletion(received.data).requestOffset == 0x1000)
    }

    @Test func anyWordOfAnEntry() throws {
        let port = try OpenPort {
            $0.faults.entries = [
                EntryFault(.word(0, 0x3F), in: .receiveCompletions),
                EntryFault(.word(99, 0x3F), in: .receiveCompletions),
                EntryFault(.word(15, 0x1234_5678), in: .sendCompletions),
            ]
        }
        let words = try exchange(port, frames: 1)
        #expect(try #require(port.receive[0].take()).data.words[0] == 0x3F)
        #expect(words.send[0] == 0x1234_5678)
    }

    @Test func lostAndRepeatedEntries() throws {
        let port = try OpenPort {
            $0.faults.entries = [
                EntryFault(.lost, in: .sendCompletions, occurrence: 1),
                EntryFault(.repeated(2), in: .receiveCompletions, occurrence: 0),
            ]
        }
        let words = try exchange(port, frames: 2)
        #expect(owners(words.send) == [1], "the second is never written")
        #expect(port.events.take().count == 4, "and told of all the same")
        #expect(owners(words.receive) == [1, 1, 1, 1])
    }

    /// A ring that is full once more than the driver has read has the next lap's owner bits where it looks.
    @Test func completionsThatOvertakeTheDriver() throws {
        let port = try OpenPort { $0.faults.entries = [EntryFault(.overrun, in: .receiveCompletions, occurrence: 1)] }
        let words = try exchange(port, frames: 2)
        #expect(words.receive.count == 64)
        #expect(words.receive.map { $0 >> 29 } == [2, 2] + [UInt32](repeating: 1, count: 62))
    }

    @Test func eventsThatOvertakeTheDriver() throws {
        let port = try OpenPort { $0.faults.entries = [EntryFault(.overrun, in: .events)] }
        let vector = try port.rig.attach(1)
        try port.events.test()
        #expect(vector.consume() && vector.firedCount == 1)
        let tails = (0..<256).map { EventTail(raw: port.rig.word(port.events.page + UInt64(16 * $0 + 12))) }
        #expect(tails.map(\.owner) == [2] + [UInt32](repeating: 1, count: 255))
        #expect(tails.allSatisfy { $0.type == .test })
    }

    @Test func eventsOfFalseQueuesAndWrongLaps() throws {
        let port = try OpenPort {
            $0.faults.entries = [
                EntryFault(.queue(0xFF_FFFF), in: .events, occurrence: 0),
                EntryFault(.lap(4), in: .events, occurrence: 1),
            ]
        }
        let rig = port.rig
        _ = try exchange(port, frames: 1)
        let event = port.events.page
        // The receive queue is told first.
        #expect(rig.word(event) == 0xFF_FFFF)
        #expect(EventTail(raw: rig.word(event + 12)).owner == 1)
        #expect(rig.word(event + 16) == port.send[0].completionID)
        #expect(EventTail(raw: rig.word(event + 28)).owner == 5)
    }

    @Test func oneQueueOfSeveral() throws {
        let port = try OpenPort(queues: 2) {
            $0.faults.entries = [EntryFault(.lap(2), in: .sendCompletions, queue: 3, occurrence: nil)]
        }
        #expect(port.send.map(\.completionID) == [1, 3])
        let page = port.rig.takePage()
        port.rig.write(arrived, at: page)
        for queue in port.send { queue.post(page, length: arrived.count) }
        port.rig.poll()
        #expect(port.send.map { $0.lastWords[0] >> 29 } == [1, 3])
    }

    // MARK: The hardware channel

    @Test func theChannelsCompletions() throws {
        let rig = try ControlRig.ready {
            $0.faults.entries = [
                // Of a request's two completions the answer's is the second.
                EntryFault(.offset(0x8000_0000), in: .channelCompletions, occurrence: 1),
                EntryFault(.queue(9), in: .channelCompletions, occurrence: 3),
            ]
        }
        for (offset, queue) in [(UInt32(0x8000_0000), UInt32(0)), (32, 9), (64, 0)] {
            var request = Message<QueryMaxResources>(to: .channel)
            rig.number(&request)
            rig.postAnswerBuffer()
            rig.post(Array(request.bytes))
            _ = try #require(rig.takeCompletion())
            let answer = try #require(rig.takeCompletion())
            #expect(ChannelCompletion(answer.data).requestOffset == offset)
            #expect(answer.tail.queue == queue)
        }
    }

    @Test func theChannelsEvents() throws {
        let rig = try ControlRig { $0.faults.entries = [EntryFault(.lap(3), in: .channelEvents, occurrence: 1)] }
        let vector = try rig.attach(0)
        #expect(rig.establish() == 0x81)
        #expect(vector.consume())
        let owners = (0..<3).map { rig.word(rig.rings.event + UInt64(16 * $0 + 12)) >> 29 }
        #expect(owners == [1, 4, 1])
    }

    /// A channel that is set up anew does not begin the count anew.
    @Test func aFaultHasItsTurnOnce() throws {
        let rig = try ControlRig { $0.faults.entries = [EntryFault(.lap(3), in: .channelEvents)] }
        for expected: UInt32 in [4, 1] {
            #expect(rig.establish() == 0x81)
            #expect(rig.word(rig.rings.event + 12) >> 29 == expected)
            rig.destroy()
        }
    }

    // MARK: The window

    @Test func oneRequestOfTheWindow() throws {
        let rig = try ControlRig {
            $0.faults.window = .answers(0x0000_0182)
            $0.faults.windowOccurrence = 1
        }
        #expect(rig.establish() == 0x81)
        #expect(rig.destroy() == 0x182)
        #expect(rig.destroy() == 0x82)
    }
}
