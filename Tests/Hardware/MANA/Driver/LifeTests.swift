// What happens to a card that lives: links, resets, suspends, silence, and its sudden end.

import Backing
import Clock
import Interrupts
import Leases
import MANADriver
import MANAModel
import MANAWire
import Simulation
import TestCards
import TestQueues
import Testing

@Suite("MANA: life", .overEveryBacking)
struct LifeTests {
    @Test("The card tells of its link")
    func link() throws {
        let rig = Rig()
        var device = try rig.open()
        same(device.linkIsUp, true)
        same(try device.service(), ServiceEvents())
        rig.model.setLink(up: false)
        same(isReadable(device.channelEventDescriptor()), true)
        same(try device.service().linkChanged, true)
        same(device.linkIsUp, false)
        same(isReadable(device.channelEventDescriptor()), false)
        rig.model.setLink(up: true)
        same(try device.service().linkChanged, true)
        same(device.linkIsUp, true)
        let port = try device.openPort()
        same(try device.linkSpeed(port), 200_000)
    }

    @Test("A card that asks for a reset gets one: everything down, ten seconds, everything up, traffic goes on")
    func resetRequest() throws {
        let rig = Rig()
        var device = try rig.open()
        do {
            let port = try device.openPort()
            var stack = try rig.stack(port)
            try port.steer()
            same(stack.send(testFrame(1)), true)
            rig.settle()
            rig.model.requestReset()
            same(try device.service().needsReset, true)
        }
        let before = rig.clock.now
        let suspended = device.suspend()
        #expect(rig.isClean, "\(rig.census.outstanding) \(rig.model.holdings)")
        suspended.pause()
        #expect(rig.clock.now - before >= 10_000_000_000)
        device = try suspended.resume()
        same(try device.service().needsReset, false)
        do {
            let port = try device.openPort()
            var stack = try rig.stack(port)
            try port.steer()
            same(stack.send(testFrame(2)), true)
            #expect(rig.send(testFrame(3)))
            rig.settle()
            #expect(rig.arrivals() == [testFrame(1), testFrame(2)])
            same(stack.receive().map(\.bytes), [testFrame(3)])
            #expect(value("tx_0_packets", try device.statistics()) == 2, "counters go on")
        }
        #expect(rig.model.counters.channelsEstablished == 2)
    }

    @Test("Queues that are out while the card is suspended are silent, also when it is up again")
    func silentQueues() throws {
        let rig = Rig()
        let device = try rig.open()
        let port = try device.openPort()
        var old = try rig.stack(port)
        try port.steer()
        let suspended = device.suspend()
        #expect(rig.model.holdings == MANAHoldings())
        let again = try suspended.resume()
        let newPort = try again.openPort()
        // Vector 1 is still the old queue's: this one is polled.
        var new = try rig.stack(newPort)
        same(new.pair.vectorIndex, nil)
        try newPort.steer()
        let stray = rig.model.counters.strayDoorbells
        same(old.send(testFrame(1)), true)
        old.pair.arm()
        rig.settle()
        #expect(rig.arrivals().isEmpty)
        #expect(rig.model.counters.strayDoorbells == stray)
        same(new.send(testFrame(2)), true)
        rig.settle()
        #expect(rig.arrivals() == [testFrame(2)])
        _ = consume old
        same(new.send(testFrame(3)), true)
        rig.settle()
        #expect(rig.arrivals() == [testFrame(3)], "the end of the old queue touched nothing of the new one's")
    }

    @Test("A request that is lost ends after its time-out, the next ones after a millisecond, and a reset cures it")
    func timeout() throws {
        let rig = Rig(RequestFault(.lost, of: .queryFunctionStatistics, occurrence: nil))
        var device = try rig.open()
        var before = rig.clock.now
        var error = #expect(throws: DeviceError.self) { _ = try device.statistics() }
        #expect(error?.code == .timedOut)
        #expect((30_000_000_000...30_010_000_000).contains(rig.clock.now - before))
        before = rig.clock.now
        error = #expect(throws: DeviceError.self) { _ = try device.statistics() }
        #expect(error?.code == .timedOut)
        #expect((1_000_000...2_000_000).contains(rig.clock.now - before))
        same(device.channelCounters.timeouts, 2)
        same(try device.service().needsReset, true)
        device = try device.suspend().resume()
        same(try device.service().needsReset, false)
        _ = try device.openPort()
    }

    @Test("An answer that comes after its time-out is no answer to the next request")
    func lateAnswer() throws {
        let rig = Rig(RequestFault(.late(31_000_000_000), of: .queryFunctionStatistics))
        let device = try rig.open()
        #expect(throws: DeviceError.self) { _ = try device.statistics() }
        rig.clock.advance(nanoseconds: 2_000_000_000)
        rig.settle()
        let port = try device.openPort()
        same(port.queueCount, 8)
        same(device.channelCounters.lateResponses, 1)
        same(device.channelCounters.wrongResponses, 0)
    }

    @Test("An answer that comes within its time-out is one")
    func slowAnswer() throws {
        let rig = Rig(RequestFault(.late(29_000_000_000), of: .queryFunctionStatistics))
        let device = try rig.open()
        _ = try device.statistics()
        same(device.channelCounters.timeouts, 0)
    }

    @Test("The card may set the time-out, by event and by answer, but not to hours")
    func timeoutOfTheCard() throws {
        let rig = Rig(RequestFault(.lost, of: .queryFunctionStatistics, occurrence: nil))
        var device = try rig.open()
        rig.model.announceRequestTimeout(milliseconds: 500)
        _ = try device.service()
        let before = rig.clock.now
        #expect(throws: DeviceError.self) { _ = try device.statistics() }
        #expect((500_000_000...510_000_000).contains(rig.clock.now - before))

        let slow = Rig {
            $0.capabilities = .channelTimeout
            $0.requestTimeout = 0xFF_FFFF
            $0.faults.requests = [RequestFault(.lost, of: .queryFunctionStatistics)]
        }
        let hours = try slow.open()
        let start = slow.clock.now
        #expect(throws: DeviceError.self) { _ = try hours.statistics() }
        #expect(slow.clock.now - start <= 60_010_000_000)
    }

    @Test("A card pulled out at any register access: a typed error, no hang, nothing on loan")
    func removedAtEveryAccess() throws {
        func run<Backing: PCIeBacking>(_ backing: Backing, _ rig: Rig) throws {
            let device = try rig.open(on: backing)
            let port = try device.openPort()
            let pair = try port.openQueuePair(0, entries: 128)
            try port.steer()
            _ = consume pair
        }
        let healthy = Rig()
        let counting = Faulty(healthy.backing, plan: FaultPlan())
        try run(counting, healthy)
        let accesses = counting.accessCount
        #expect(accesses > 100)
        for access in 0..<accesses {
            let rig = Rig()
            let before = rig.clock.now
            do {
                try run(Faulty(rig.backing, plan: FaultPlan(removeAtAccess: access)), rig)
            } catch let error as DeviceError {
                #expect(error.code == .deviceGone, "access \(access): \(error)")
            }
            #expect(rig.clock.now - before < 1_000_000_000, "access \(access)")
            #expect(rig.hasNothingOut, "access \(access): \(rig.census.outstanding)")
        }
    }

    @Test("A card that is unplugged while it works is gone, and its queues end at once")
    func unplugged() throws {
        let rig = Rig()
        do {
            var device = try rig.open()
            let port = try device.openPort()
            var stack = try rig.stack(port)
            try port.steer()
            rig.card.unplug()
            let before = rig.clock.now
            same(device.isGone, true)
            let error = failure { () throws(DeviceError) in _ = try device.service() }
            #expect(error?.code == .deviceGone)
            _ = stack.send(testFrame(1))
            _ = consume stack
            _ = consume port
            _ = consume device
            #expect(rig.clock.now - before < 1_000_000)
        }
        #expect(rig.hasNothingOut, "\(rig.census.outstanding)")
    }

    @Test("A card that does not let go of the channel is reset: its memory is another's next", arguments: 0..<6)
    func refusedEnd(_ index: Int) throws {
        // Of a destruction of the channel: no response bit, another command, a version, a status; kept; taken, never given.
        let faults: [(WindowFault, ClosedRange<UInt64>)] = [
            (.answers(0x02), 0...0), (.answers(0x81), 0...0), (.answers(0x8A), 0...0), (.answers(0x182), 0...0),
            (.neverAnswers, 20...21), (.late(15_000_000_000), 15...16),
        ]
        let (fault, expected) = faults[index]
        let rig = Rig {
            $0.faults.window = fault
            $0.faults.windowOccurrence = 1
        }
        let device = try rig.open()
        let before = rig.clock.now
        _ = consume device
        let seconds = (rig.clock.now - before) / 1_000_000_000
        #expect(expected.contains(seconds), "\(seconds) s")
        #expect(rig.hooks.resets == (index == 5 ? 0 : 1), "late is not never")
        #expect(rig.isClean, "\(rig.census.outstanding) \(rig.model.holdings)")
    }

    @Test(
        "A card that refuses a queue's vector: that queue fails with its words, and the others work",
        arguments: 1...3
    )
    func refusedVector(_ limit: Int) throws {
        let rig = Rig { $0.faults.refusesVectorsFrom = limit }
        do {
            let device = try rig.open()
            let port = try device.openPort()
            let error = #expect(throws: DeviceError.self) { _ = try port.openQueuePair(limit - 1, entries: 128) }
            #expect(error?.code == .refused)
            guard limit > 1 else { return }
            var stack = try rig.stack(port, limit - 2)
            try port.steer()
            same(stack.send(testFrame(1)), true)
            rig.settle()
            #expect(rig.arrivals() == [testFrame(1)])
        }
        #expect(rig.isClean, "\(rig.census.outstanding) \(rig.model.holdings)")
    }

    @Test("A fence that is never answered holds a queue's end up for ten seconds, not for ever")
    func lostFence() throws {
        let rig = Rig { $0.faults.losesFences = true }
        let device = try rig.open()
        let port = try device.openPort()
        do {
            _ = try rig.stack(port)
            let stack = try rig.stack(port)
            try port.steer()
            let before = rig.clock.now
            _ = consume stack
            #expect((10_000_000_000...10_010_000_000).contains(rig.clock.now - before))
        }
        #expect(rig.model.holdings.workQueues == 0)
    }

    @Test("Test events that do not come end the bring-up after their time-out")
    func lostTestEvent() throws {
        let rig = Rig { $0.faults.losesTestEvents = true }
        let before = rig.clock.now
        let error = #expect(throws: DeviceError.self) { _ = try rig.open() }
        #expect(error?.code == .timedOut)
        #expect((30_000_000_000...31_000_000_000).contains(rig.clock.now - before))
        #expect(rig.isClean)
    }
}
