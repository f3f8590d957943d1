// The life of a request for a stamp: from claim to tear-down, on one queue and on several.

import Backing
import Clock
import I225Driver
import I225Model
import I225Wire
import Leases
import Memory
import Netdev
import TestQueues
import Testing
import XSK

@Suite("The life of a stamp request", .overEveryBacking)
struct StampLifeTests {
    private static let delay: UInt64 = 50_000

    private func options(_ change: (inout I225Options) -> Void = { _ in }) -> I225Options {
        var options = I225Options()
        options.stampDelayNanoseconds = Self.delay
        change(&options)
        return options
    }

    @Test("Tear-down with requests pending leaves nothing behind")
    func tearDownLeavesNothing() throws {
        let rig = Rig(options { $0.stampFaults = [0: .lost, 1: .lost, 2: .lost, 3: .lost] })
        do {
            let device = try rig.open()
            var program = try Program(census: rig.census)
            do {
                var queue = try device.openXSKQueue(0, try program.socket.takePool())
                for chunk in 0..<8 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: chunk % 2 == 0) }
                _ = queue.poll()
                rig.settle()
            }
            #expect(program.completions().sorted() == Array(0..<8))
            #expect(program.socket.diagnostics.lostTransmitFrames == 0)
            for chunk in [0, 2, 4, 6] { #expect(program.outcome(chunk) == .tornDown) }
            // Nobody waited for them in vain.
            #expect(device.stampCounters.timedOut == 0)
        }
        #expect(rig.census.outstanding.isEmpty)
        #expect(rig.model.host.memory.mappingCount == 0)
    }

    @Test("Tear-down gives back what the card never sent, too, and what the driver had not yet given it")
    func tearDownUnsent() throws {
        let rig = Rig()
        let device = try rig.open()
        var program = try Program(chunks: 128, census: rig.census)
        do {
            var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
            for chunk in 0..<100 {
                program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: chunk == 10 || chunk > 60)
            }
            // The card does nothing: the ring fills, and some frames stay with the driver.
            for _ in 0..<10 { _ = queue.poll() }
            #expect(queue.outstandingFrames > 63)
        }
        let completions = program.completions()
        try #require(completions.count > 63)
        #expect(completions.sorted() == Array(0..<completions.count))
        #expect(program.socket.diagnostics.lostTransmitFrames == 0)
        #expect(program.outcome(10) == .tornDown)
        for chunk in 61..<completions.count { #expect(program.outcome(chunk) != nil, "chunk \(chunk)") }
        #expect(rig.arrivals().isEmpty)
    }

    @Test("A request does not end while its frame is with the card, whatever the time")
    func unsentFrameHasNoEnd() throws {
        let rig = Rig()
        let device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        program.send(testFrame(0), chunk: 0, stamped: true)
        _ = queue.poll()
        // Far past the deadline: the memory is the card's, and its register will be written.
        rig.clock.advance(nanoseconds: 50_000_000)
        _ = queue.poll()
        #expect(program.completions() == [])
        #expect(program.outcome(0) == nil)
        rig.settle()
        for _ in 0..<2 { _ = queue.poll() }
        let sent = rig.timedArrivals()
        #expect(program.completions() == [0])
        #expect(program.outcome(0) == sent.first.map { .stamped(nanoseconds: $0.deviceTime) })
    }

    @Test("The stamp is corrected for the speed of the link", arguments: LinkSpeed.allCases)
    func latencyBySpeed(_ speed: LinkSpeed) throws {
        let rig = Rig(options { $0.linkSpeed = speed })
        let device = try rig.open()
        #expect(device.link.speed == speed.rawValue)
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        program.send(testFrame(0), chunk: 0, stamped: true)
        _ = queue.poll()
        rig.advance(nanoseconds: Self.delay * 4)
        _ = queue.poll()
        let sent = rig.timedArrivals()
        #expect(sent.count == 1)
        #expect(program.outcome(0) == sent.first.map { .stamped(nanoseconds: $0.deviceTime) })
    }

    @Test("Requests on a card that does not stamp end with that word")
    func stampingDisabled() throws {
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.stampsTransmitted = false
        let device = try rig.open(configuration)
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        program.send(testFrame(0), chunk: 0, stamped: true)
        _ = queue.poll()
        rig.settle()
        _ = queue.poll()
        #expect(program.completions() == [0])
        #expect(program.outcome(0) == .disabled)
    }

    @Test("Two queues share the four registers and never each other's stamps")
    func queuesShareSlots() throws {
        let rig = Rig(options())
        let device = try rig.open()
        var first = try Program(census: rig.census)
        var second = try Program(census: rig.census)
        var firstQueue = try device.openXSKQueue(0, try first.socket.takePool())
        var secondQueue = try device.openXSKQueue(3, try second.socket.takePool())
        for round in 0..<10 {
            for chunk in 0..<2 {
                first.send(testFrame(UInt8(round * 4 + chunk)), chunk: chunk, stamped: true)
                second.send(testFrame(UInt8(round * 4 + chunk + 2)), chunk: chunk, stamped: true)
            }
            _ = firstQueue.poll()
            _ = secondQueue.poll()
            rig.advance(nanoseconds: Self.delay * 2)
            _ = firstQueue.poll()
            _ = secondQueue.poll()
            let truth = Dictionary(uniqueKeysWithValues: rig.timedArrivals().map { ($0.frame, $0.deviceTime) })
            #expect(first.completions().sorted() == [0, 1])
            #expect(second.completions().sorted() == [0, 1])
            for chunk in 0..<2 {
                let mine = truth[testFrame(UInt8(round * 4 + chunk))]
                let theirs = truth[testFrame(UInt8(round * 4 + chunk + 2))]
                #expect(first.outcome(chunk) == mine.map { .stamped(nanoseconds: $0) })
                #expect(second.outcome(chunk) == theirs.map { .stamped(nanoseconds: $0) })
            }
        }
    }
}
