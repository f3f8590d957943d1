// A queue's owner that sleeps: no frame may come without waking it, and nothing else may.

import Backing
import Clock
import I225Driver
import I225Model
import I225Wire
import Interrupts
import Netdev
import Registers
import TestQueues
import Testing

@Suite("Sleeping on a queue's vector", .overEveryBacking)
struct WakeUpTests {
    /// When the frame comes, in the order of a loop that goes to sleep (poll, re-arm, one more look).
    enum Moment: CaseIterable {
        case beforePoll, betweenPollAndArm, insideArm, betweenArmAndLook, afterLook
    }

    @Test("A frame at any step of going to sleep is seen or wakes", arguments: Moment.allCases, [false, true])
    func noLostWakeUp(_ moment: Moment, hasFired: Bool) throws {
        let rig = Rig()
        let hooks = RegisterHooks()
        let backing = HookedBacking(rig.backing, hooks)
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        var device = try rig.open(on: backing, configuration)
        var vectors = try device.enableInterrupts(queueCount: 1)
        let pair = try device.openQueuePair(0, entries: 64, vector: vectors[0].take())
        var stack = try Stack(pair, on: backing)
        stack.provide(32)
        rig.advance(nanoseconds: 100_000)
        if hasFired {
            // The vector has fired and masked itself; its owner has not armed it since.
            #expect(rig.send(testFrame(1)))
            rig.settle()
            #expect(stack.receive().count == 1)
        }

        func comes(at now: Moment) {
            guard now == moment else { return }
            #expect(rig.send(testFrame(2)))
            rig.settle()
        }
        comes(at: .beforePoll)
        var seen = stack.receive().count
        comes(at: .betweenPollAndArm)
        hooks.beforeStore = { offset in
            if offset == I225Register.vectorMaskSet.offset { comes(at: .insideArm) }
        }
        stack.pair.arm()
        hooks.beforeStore = { _ in }
        comes(at: .betweenArmAndLook)
        seen += stack.receive().count
        let descriptor = stack.pair.eventDescriptor
        comes(at: .afterLook)

        // The gap between two messages may hold the wake-up back, not for ever.
        rig.advance(nanoseconds: 49_000)
        #expect(seen == 1 || isReadable(descriptor))
        seen += stack.receive().count
        #expect(seen == 1)
    }

    @Test("A pump with nothing to do is not woken again and again by what it has seen")
    func sleeps() throws {
        let rig = try PumpRig(isWoken: true)
        for round in 0..<3 {
            #expect(rig.rig.send(testFrame(UInt8(round))))
            #expect(rig.send(testFrame(UInt8(round))))
            rig.run()
            #expect(rig.arrivals().count == 1)
            rig.pump.setSleeping(true)
            rig.run()
            rig.rig.advance(nanoseconds: 100_000)
            // What is still to be told may wake it once.
            rig.pump.setSleeping(false)
            rig.run()

            rig.pump.setSleeping(true)
            rig.run()
            rig.rig.advance(nanoseconds: 100_000)
            #expect(rig.pump.wakeDescriptors.count { isReadable($0) } == 0, "round \(round)")
            #expect(rig.rig.send(testFrame(99)))
            rig.rig.advance(nanoseconds: 100_000)
            #expect(rig.pump.wakeDescriptors.count { isReadable($0) } == 1, "round \(round)")
            rig.pump.setSleeping(false)
            rig.run()
            #expect(rig.arrivals() == [testFrame(99)])
        }
    }

    @Test("A queue without a vector has no descriptor, and arming it does nothing")
    func polledQueue() throws {
        let rig = Rig()
        let recording = Recording(rig.backing, map: I225RegisterMap.map)
        let device = try rig.open(on: recording)
        var pair = try device.openQueuePair(0, entries: 64)
        recording.trace.clear()
        #expect(pair.eventDescriptor == nil)
        pair.arm()
        #expect(recording.trace.entries.isEmpty)
    }
}
