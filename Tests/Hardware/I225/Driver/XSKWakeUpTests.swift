// An XSK queue whose owner sleeps: the program's frames and the card's either are seen before, or wake it.

import Backing
import Clock
import I225Driver
import I225Model
import Interrupts
import TestQueues
import Testing
import XSK

@Suite("Sleeping on an XSK queue", .overEveryBacking)
struct XSKWakeUpTests {
    /// When something comes, in the order of a loop that goes to sleep.
    enum Moment: CaseIterable {
        case beforePoll, betweenPollAndFlag, betweenFlagAndLook, afterLook
    }

    /// A queue and its vector, and what has left and come so far.
    private struct Sleeper: ~Copyable {
        let rig: Rig
        var device: I225Device<CardBacking>
        var vector: VectorLease?
        var program: Program
        var queue: XSKQueue<CardBacking>

        init() throws {
            let rig = Rig()
            var configuration = I225Configuration()
            configuration.isPromiscuous = true
            var device = try rig.open(configuration)
            var vectors = try device.enableInterrupts(queueCount: 1)
            var program = try Program(census: rig.census)
            var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
            program.provide(32..<64)
            _ = queue.poll()
            rig.advance(nanoseconds: 100_000)
            self.rig = rig
            self.device = device
            vector = vectors[0].take()
            self.program = program
            self.queue = queue
        }

        /// Goes to sleep as a polling loop does; `event` happens at each moment.
        mutating func goToSleep(_ event: (Moment, inout Sleeper) -> Void) {
            event(.beforePoll, &self)
            _ = queue.poll()
            event(.betweenPollAndFlag, &self)
            queue.setSleeping(true)
            _ = vector?.consume()
            queue.rearm()
            event(.betweenFlagAndLook, &self)
            _ = queue.poll()
            event(.afterLook, &self)
            rig.advance(nanoseconds: 49_000)
        }

        var isWoken: Bool {
            switch vector {
            case .some(let vector): isReadable(queue.wakeDescriptor) || isReadable(vector.eventDescriptor())
            case .none: isReadable(queue.wakeDescriptor)
            }
        }
    }

    @Test("A program's frame at any step of going to sleep leaves or wakes", arguments: Moment.allCases)
    func sent(_ moment: Moment) throws {
        var sleeper = try Sleeper()
        sleeper.goToSleep { now, sleeper in
            guard now == moment else { return }
            sleeper.program.send(testFrame(1), chunk: 1)
            // What a program does after it has put frames in (libxdp: xsk_ring_prod__needs_wakeup).
            if sleeper.program.end.transmitNeedsWakeup { sleeper.program.end.kick() }
        }
        let left = sleeper.rig.arrivals()
        let isWoken = sleeper.isWoken
        #expect(left == [testFrame(1)] || isWoken)
        sleeper.queue.setSleeping(false)
        _ = sleeper.queue.poll()
        sleeper.rig.settle()
        #expect(left + sleeper.rig.arrivals() == [testFrame(1)])
    }

    @Test("A received frame at any step of going to sleep is the program's or wakes", arguments: Moment.allCases)
    func received(_ moment: Moment) throws {
        var sleeper = try Sleeper()
        sleeper.goToSleep { now, sleeper in
            guard now == moment else { return }
            #expect(sleeper.rig.send(testFrame(1)))
            sleeper.rig.settle()
        }
        let seen = sleeper.program.received().map { $0.frame }
        let isWoken = sleeper.isWoken
        #expect(seen == [testFrame(1)] || isWoken)
        sleeper.queue.setSleeping(false)
        _ = sleeper.queue.poll()
        #expect(seen + sleeper.program.received().map { $0.frame } == [testFrame(1)])
    }

    @Test("A program need not kick a queue that is awake; a kick is forgotten when it wakes")
    func kicks() throws {
        var sleeper = try Sleeper()
        sleeper.queue.setSleeping(false)
        #expect(sleeper.program.end.transmitNeedsWakeup == false)
        #expect(sleeper.program.end.fillNeedsWakeup == false)
        sleeper.queue.setSleeping(true)
        #expect(sleeper.program.end.transmitNeedsWakeup == true)
        #expect(sleeper.program.end.fillNeedsWakeup == true)
        sleeper.program.end.kick()
        #expect(isReadable(sleeper.queue.wakeDescriptor))
        sleeper.queue.setSleeping(false)
        #expect(!isReadable(sleeper.queue.wakeDescriptor))
        #expect(sleeper.program.end.transmitNeedsWakeup == false)
        #expect(sleeper.program.end.fillNeedsWakeup == false)
    }
}
