// A card that is pulled while it works. What it had comes back, requests end with a word, and it reaches nothing more.

import Backing
import Clock
import I225Driver
import I225Model
import I225Wire
import Leases
import Memory
import Netdev
import TestCards
import TestQueues
import Testing
import XSK

@Suite("A card pulled in traffic", .overEveryBacking)
struct SurpriseRemovalTests {
    /// When it is pulled.
    enum Stage: CaseIterable {
        case beforeTraffic, framesInRing, framesSent, framesReaped, stampsDue, stampsTaken
    }

    @Test("Every frame and chunk comes back, every request ends, and nothing is on loan", arguments: Stage.allCases)
    func program(_ stage: Stage) throws {
        let rig = Rig { $0.stampDelayNanoseconds = 50_000 }
        var program = try Program(census: rig.census)
        var truth: [[UInt8]: UInt64] = [:]
        do {
            var configuration = I225Configuration()
            configuration.isPromiscuous = true
            var device = try rig.open(configuration)
            let vectors = try device.enableInterrupts(queueCount: 1)
            _ = try device.service()
            do {
                var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
                program.provide(32..<64)
                func pull(at now: Stage) { if now == stage { rig.backing.unplug() } }
                pull(at: .beforeTraffic)
                for chunk in 0..<12 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: chunk % 2 == 0) }
                _ = queue.poll()
                for number in 0..<8 { #expect(rig.send(testFrame(UInt8(number)))) }
                pull(at: .framesInRing)
                rig.settle()
                truth = Dictionary(uniqueKeysWithValues: rig.timedArrivals().map { ($0.frame, $0.deviceTime) })
                pull(at: .framesSent)
                _ = queue.poll()
                pull(at: .framesReaped)
                rig.advance(nanoseconds: 50_000)
                pull(at: .stampsDue)
                _ = queue.poll()
                pull(at: .stampsTaken)
                // A queue's owner goes on polling until somebody tells it; that ends.
                for _ in 0..<100 {
                    _ = queue.poll()
                    rig.advance(nanoseconds: 1_000_000)
                }
                rig.advance(nanoseconds: 2_000_000_000)
                let error = #expect(throws: DeviceError.self) { _ = try device.service() }
                #expect(error?.code == .deviceGone)
                let isGone = device.isGone
                #expect(isGone)
            }
            _ = consume vectors
        }
        #expect(program.completions().sorted() == Array(0..<12))
        // Four of the six requests got a register.
        var ends: [TransmitStampOutcome?] = [.tornDown, .timedOut, .noSlot]
        if stage == .stampsTaken { ends.removeFirst(2) }
        for chunk in stride(from: 0, to: 12, by: 2) {
            let stamp = truth[testFrame(UInt8(chunk))].map { TransmitStampOutcome.stamped(nanoseconds: $0) }
            let isStamped = stage == .stampsTaken && program.outcome(chunk) == stamp
            #expect(isStamped || ends.contains(program.outcome(chunk)), "chunk \(chunk)")
        }
        #expect(program.socket.diagnostics.lostTransmitFrames == 0)
        #expect(program.socket.diagnostics.lostReceiveChunks == 0)
        #expect(rig.model.host.memory.mappingCount == 0)
        #expect(rig.census.outstanding == ["XSK program": 1])
    }

    @Test("Stamps that were pending when it was pulled time out; all ones is not a time")
    func pendingStamps() throws {
        let rig = Rig { $0.stampDelayNanoseconds = 50_000 }
        let device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        for chunk in 0..<4 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: true) }
        _ = queue.poll()
        rig.settle()
        rig.backing.unplug()
        rig.clock.advance(nanoseconds: 10_000_000)
        _ = queue.poll()
        #expect(program.completions().sorted() == [0, 1, 2, 3])
        for chunk in 0..<4 { #expect(program.outcome(chunk) == .timedOut) }
    }

    @Test("Pulled between the look at the stamps and any of its reads, no stamp is made up", arguments: 0..<12)
    func pulledInTheProtocol(reads: Int) throws {
        let rig = Rig { $0.stampDelayNanoseconds = 50_000 }
        let hooks = RegisterHooks()
        let device = try rig.open(on: HookedBacking(rig.backing, hooks))
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        for chunk in 0..<4 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: true) }
        _ = queue.poll()
        rig.settle()
        let truth = rig.timedArrivals().map { $0.deviceTime }
        rig.advance(nanoseconds: 50_000)
        var made = 0
        hooks.answer = { _, value in
            made += 1
            return made > reads ? ~0 : value
        }
        for _ in 0..<20 {
            _ = queue.poll()
            rig.clock.advance(nanoseconds: 1_000_000)
        }
        #expect(program.completions().sorted() == [0, 1, 2, 3])
        for chunk in 0..<4 {
            let outcome = program.outcome(chunk)
            #expect(outcome == .timedOut || outcome == .stamped(nanoseconds: truth[chunk]), "chunk \(chunk)")
        }
    }

    @Test("A stack's queue ends as well, with all buffers back and its memory out of reach", arguments: Stage.allCases)
    func stack(_ stage: Stage) throws {
        let rig = Rig()
        do {
            var configuration = I225Configuration()
            configuration.isPromiscuous = true
            let device = try rig.open(configuration)
            var stack = try rig.stack(device)
            func pull(at now: Stage) { if now == stage { rig.backing.unplug() } }
            pull(at: .beforeTraffic)
            for number in 0..<10 { #expect(stack.send(testFrame(UInt8(number))) == true) }
            for number in 0..<8 { #expect(rig.send(testFrame(UInt8(number)))) }
            pull(at: .framesInRing)
            rig.settle()
            pull(at: .framesSent)
            _ = stack.reap()
            pull(at: .framesReaped)
            _ = stack.receive()
            stack.provide(8)
            pull(at: .stampsTaken)
            for _ in 0..<10 {
                _ = stack.reap()
                _ = stack.receive()
                rig.advance(nanoseconds: 1_000_000)
            }
        }
        #expect(rig.census.outstanding.isEmpty)
        #expect(rig.model.host.memory.mappingCount == 0)
    }

    @Test("Nothing can be opened on a card that is gone, and the refusal takes nothing")
    func openAfterwards() throws {
        let rig = Rig()
        var device = try rig.open()
        let before = rig.census.outstanding
        rig.backing.unplug()
        for index in 0..<4 {
            #expect(throws: DeviceError.self) { _ = try device.openTransmitQueue(index) }
            #expect(throws: DeviceError.self) { _ = try device.openReceiveQueue(index) }
        }
        #expect(throws: DeviceError.self) { _ = try device.enableInterrupts(queueCount: 4) }
        let program = try Program(census: Census())
        #expect(throws: DeviceError.self) { _ = try device.openXSKQueue(0, try program.socket.takePool()) }
        #expect(throws: DeviceError.self) { _ = try rig.open() }
        #expect(rig.census.outstanding == before)
        #expect(rig.model.host.memory.mappingCount == 0)
    }
}
