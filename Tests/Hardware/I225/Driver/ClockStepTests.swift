// Stamps while the clock is stepped. A stamp that never came may still come; time tells it from the next user's, and a
// step takes that away.

import Backing
import Clock
import I225Driver
import I225Model
import PTP
import TestQueues
import Testing
import XSK

@Suite("Steps of the clock under stamps", .overEveryBacking)
struct ClockStepTests {
    /// When the clock is set back: the register that owes a stamp is in quarantine, free but suspect, or lent again.
    enum Moment: CaseIterable {
        case inQuarantine, suspect, lentAgain
    }

    @Test(
        "A stamp of before the step never goes to a request of after it",
        arguments: Moment.allCases,
        [-3_600_000_000_000, -150_000_000, -1_000_000, 1_000_000, 3_600_000_000_000] as [Int64]
    )
    func lateStampOverAStep(_ moment: Moment, by step: Int64) throws {
        let rig = Rig { $0.stampFaults = [0: .late(150_000_000)] }
        let device = try rig.open()
        try device.clock.setTime(#require(PTPTime(seconds: 100_000, nanoseconds: 0)))
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        program.send(testFrame(0), chunk: 0, stamped: true)
        _ = queue.poll()
        rig.advance(nanoseconds: 10_100_000)
        _ = queue.poll()
        #expect(program.outcome(0) == .timedOut)

        if moment == .inQuarantine { try device.clock.adjustTime(byNanoseconds: step) }
        // Past the quarantine; a request that gets a stamp at once makes the driver look.
        rig.advance(nanoseconds: 105_000_000)
        program.send(testFrame(9), chunk: 9, stamped: true)
        for _ in 0..<3 {
            _ = queue.poll()
            rig.advance(nanoseconds: 10_000)
        }
        if moment == .suspect { try device.clock.adjustTime(byNanoseconds: step) }
        // The stamp is due 150 ms after its frame.
        rig.advance(nanoseconds: 33_000_000)
        _ = rig.arrivals()
        for chunk in 1..<5 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: true) }
        _ = queue.poll()
        rig.settle()
        #expect(queue.outstandingStamps + program.completions().count { (1..<5).contains($0) } == 4)
        let truth = Dictionary(uniqueKeysWithValues: rig.timedArrivals().map { ($0.frame, $0.deviceTime) })
        if moment == .lentAgain { try device.clock.adjustTime(byNanoseconds: step) }
        for _ in 0..<16 {
            rig.advance(nanoseconds: 1_000_000)
            _ = queue.poll()
        }
        #expect(queue.outstandingStamps == 0)
        for chunk in 1..<5 {
            switch program.outcome(chunk) {
            case .stamped(let nanoseconds): #expect(nanoseconds == truth[testFrame(UInt8(chunk))], "chunk \(chunk)")
            case let outcome: #expect(outcome == .timedOut, "chunk \(chunk)")
            }
        }
        #expect(device.stampCounters.late >= 1)
    }

    @Test("After a step the register is soon as good as any")
    func recovers() throws {
        let rig = Rig { $0.stampFaults = [0: .lost] }
        let device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        program.send(testFrame(0), chunk: 0, stamped: true)
        _ = queue.poll()
        rig.advance(nanoseconds: 10_100_000)
        _ = queue.poll()
        try device.clock.adjustTime(byNanoseconds: 1_000_000)
        var stamped = 0
        for _ in 0..<40 {
            rig.advance(nanoseconds: 20_000_000)
            for chunk in 1..<5 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: true) }
            _ = queue.poll()
            rig.advance(nanoseconds: 100_000)
            _ = queue.poll()
            rig.advance(nanoseconds: 10_000_000)
            _ = queue.poll()
            _ = program.completions()
            let truth = Dictionary(uniqueKeysWithValues: rig.timedArrivals().map { ($0.frame, $0.deviceTime) })
            stamped = (1..<5).count {
                program.outcome($0) == truth[testFrame(UInt8($0))].map { .stamped(nanoseconds: $0) }
            }
        }
        #expect(stamped == 4)
    }
}
