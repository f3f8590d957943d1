// Waiting on a virtual clock takes no time and is exact; on the monotonic one it is never too short.

import Clock
import Testing

@Suite struct DeviceClockTests {
    @Test func copiesOfAVirtualClockShowTheSameTime() {
        let hand = VirtualClock(startNanoseconds: 500)
        let clock = DeviceClock.virtual(hand)
        let copy = clock
        hand.advance(nanoseconds: 20)
        copy.wait(nanoseconds: 3)
        #expect(clock.now == 523 && copy.now == 523 && hand.now == 523)
    }

    @Test func fifteenVirtualSecondsPassAtOnce() {
        let clock = DeviceClock.virtual(VirtualClock())
        let held = clock.waitUntil(timeoutNanoseconds: 15_000_000_000, intervalNanoseconds: 1_000_000) { false }
        #expect(!held)
        #expect(clock.now == 15_000_000_000)
    }

    /// When the condition comes true, how often it was asked, and whether it was in time.
    @Test(arguments: [
        (trueAt: UInt64(0), asked: 1, held: true),
        (trueAt: 1, asked: 2, held: true),
        (trueAt: 30, asked: 4, held: true),
        (trueAt: 95, asked: 11, held: true),
        (trueAt: 100, asked: 11, held: true),
        (trueAt: 101, asked: 11, held: false),
    ])
    func waitUntilAsksAtItsIntervalAndOnceAtTheEnd(trueAt: UInt64, asked: Int, held: Bool) {
        let clock = DeviceClock.virtual(VirtualClock())
        var count = 0
        let result = clock.waitUntil(timeoutNanoseconds: 100, intervalNanoseconds: 10) {
            count += 1
            return clock.now >= trueAt
        }
        #expect(result == held)
        #expect(count == asked)
    }

    /// A bounded wait is bounded whatever its arguments: without an interval virtual time would stand still.
    @Test func waitUntilWithoutAnIntervalEnds() {
        let clock = DeviceClock.virtual(VirtualClock())
        #expect(!clock.waitUntil(timeoutNanoseconds: 100, intervalNanoseconds: 0) { false })
        #expect(clock.now == 100)
    }

    @Test func aTimeoutBeyondTheEndOfTimeWaitsForTheCondition() {
        let clock = DeviceClock.virtual(VirtualClock(startNanoseconds: 1000))
        let held = clock.waitUntil(timeoutNanoseconds: .max, intervalNanoseconds: 1) { clock.now == 2000 }
        #expect(held)
    }

    @Test func monotonicTimeNeverGoesBackAndWaitsAreNotShort() {
        let clock = DeviceClock.monotonic
        let start = clock.now
        clock.wait(nanoseconds: 2_000_000)
        #expect(clock.now - start >= 2_000_000)
        var earlier = clock.now
        for _ in 0..<10_000 {
            let later = clock.now
            #expect(later >= earlier)
            earlier = later
        }
    }
}
