// The thread that owns a model: what it promises to those who ask it, wake it and stop it.

import Backing
import Clock
import Glibc
import Registers
import Synchronization
import Testing

/// Something to own: it counts its polls, and finds out if two threads are ever in it together.
private final class Exclusive: Pollable, @unchecked Sendable {
    // SAFETY (Sendable): atomics, except `value`, whose safety is what the tests are about.
    private let inside = Atomic<Bool>(false)
    let collisions = Atomic<Int>(0)
    let polls = Atomic<Int>(0)
    let served = Atomic<Int>(0)
    let pollingThread = Atomic<UInt>(0)
    var value = 0

    func touch() {
        if inside.exchange(true, ordering: .acquiring) { collisions.add(1, ordering: .relaxed) }
        value += 1
        // Long enough to be met in here.
        for _ in 0..<50 { _ = DeviceClock.monotonic.now }
        inside.store(false, ordering: .releasing)
    }

    func poll() -> Bool {
        touch()
        polls.add(1, ordering: .relaxed)
        pollingThread.store(pthread_self(), ordering: .relaxed)
        return false
    }
}

/// Work that comes by doorbell.
private final class DoorbellWatcher: Pollable, Sendable {
    let page = DoorbellPage(count: 1)
    let seen = Atomic<UInt32>(0)
    let sleeps = Atomic<Int>(0)

    func poll() -> Bool {
        let tail = page.load(0)
        guard tail != seen.load(ordering: .relaxed) else { return false }
        seen.store(tail, ordering: .releasing)
        return true
    }

    var wakeDescriptors: [Int32] { [page.wakeDescriptor] }

    func setSleeping(_ sleeping: Bool) {
        if sleeping { sleeps.add(1, ordering: .relaxed) }
        page.setSleeping(sleeping)
    }
}

/// Work that falls due by itself.
private final class Alarm: Pollable, Sendable {
    let deadline = Atomic<UInt64>(0)
    let rangAt = Atomic<UInt64>(0)

    func poll() -> Bool {
        let now = DeviceClock.monotonic.now
        let deadline = deadline.load(ordering: .acquiring)
        guard deadline != 0, now >= deadline else { return false }
        self.deadline.store(0, ordering: .relaxed)
        rangAt.store(now, ordering: .releasing)
        return true
    }

    var nextDeadline: UInt64? {
        let deadline = deadline.load(ordering: .acquiring)
        return deadline == 0 ? nil : deadline
    }
}

/// Bounded, so that what never comes is a failure and not a hang.
private func eventually(_ condition: () -> Bool) -> Bool {
    DeviceClock.monotonic.waitUntil(timeoutNanoseconds: 20_000_000_000, intervalNanoseconds: 10_000, condition)
}

@Suite struct PollingLoopTests {
    @Test func requestsRunOnTheThreadThatPolls() {
        let owned = Exclusive()
        let loop = PollingLoop([owned])
        defer { loop.stop() }
        #expect(eventually { owned.polls.load(ordering: .relaxed) > 0 })
        var thread: UInt = 0
        loop.perform { thread = pthread_self() }
        #expect(thread == owned.pollingThread.load(ordering: .relaxed))
        #expect(thread != pthread_self())
    }

    @Test(arguments: [UInt64(0), 50_000, 1_000_000_000])
    func aRequestMayMakeRequests(spinNanoseconds: UInt64) {
        let loop = PollingLoop([], spinNanoseconds: spinNanoseconds)
        func nested(_ depth: Int) -> Int {
            var sum = 0
            loop.perform { sum = depth == 0 ? 0 : 1 + nested(depth - 1) }
            return sum
        }
        #expect(nested(10) == 10)
        loop.stop()
        #expect(nested(10) == 10, "also when the requests run on their caller")
    }

    @Test func stoppingTwiceIsStoppingOnce() async {
        let loop = PollingLoop([Exclusive()], spinNanoseconds: 0)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { loop.stop() } }
        }
        loop.stop()
        var ran = false
        loop.perform { ran = true }
        #expect(ran)
    }

    @Test func aLoopThatStopsItselfTraps() async {
        await #expect(processExitsWith: .failure) {
            let loop = PollingLoop([])
            loop.perform { loop.stop() }
        }
    }

    /// Requests from four threads while the loop is stopped under them: each runs exactly once, and never beside the
    /// owner's poll or another request.
    @Test(arguments: [UInt64(0), 1_000_000_000])
    func stoppingWhileRequestsComeLosesNoneAndMixesNone(spinNanoseconds: UInt64) async {
        for _ in 0..<20 {
            let owned = Exclusive()
            let loop = PollingLoop([owned], spinNanoseconds: spinNanoseconds)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<200 {
                            loop.perform {
                                owned.touch()
                                owned.served.add(1, ordering: .relaxed)
                            }
                        }
                    }
                }
                group.addTask {
                    while owned.served.load(ordering: .relaxed) < 100 { await Task.yield() }
                    loop.stop()
                }
            }
            #expect(owned.served.load(ordering: .relaxed) == 800)
            #expect(owned.collisions.load(ordering: .relaxed) == 0)
            #expect(owned.value == 800 + owned.polls.load(ordering: .relaxed))
        }
    }

    /// A loop without patience goes to sleep between any two rings. A wake-up lost once leaves a ring unseen for good.
    @Test(arguments: [UInt64(0), 2_000])
    func noRingIsLostBetweenTheLookAndTheSleep(spinNanoseconds: UInt64) {
        let watcher = DoorbellWatcher()
        let loop = PollingLoop([watcher], spinNanoseconds: spinNanoseconds)
        defer { loop.stop() }
        let doorbell = watcher.page.register(0)
        for number in UInt32(1)...2000 {
            doorbell.ring(number)
            // Unequal pauses move the next ring through the loop's steps.
            for _ in 0..<(number % 97) * 8 { _ = DeviceClock.monotonic.now }
            guard eventually({ watcher.seen.load(ordering: .acquiring) == number }) else {
                Issue.record("ring \(number) was not seen")
                return
            }
        }
        #expect(watcher.sleeps.load(ordering: .relaxed) > 0, "the loop slept, or this was no test")
    }

    @Test func aSleepingLoopAnswersRequests() {
        let watcher = DoorbellWatcher()
        let loop = PollingLoop([watcher], spinNanoseconds: 0)
        defer { loop.stop() }
        for round in 1...200 {
            var answered = false
            loop.perform { answered = true }
            #expect(answered)
            #expect(eventually { watcher.sleeps.load(ordering: .relaxed) >= round / 2 })
        }
    }

    @Test(arguments: [UInt64(300_000), 3_000_000, 20_000_000])
    func aDeadlineEndsTheSleepAndIsNotEarly(delay: UInt64) {
        let alarm = Alarm()
        let loop = PollingLoop([alarm], spinNanoseconds: 0)
        defer { loop.stop() }
        let deadline = DeviceClock.monotonic.now + delay
        loop.perform { alarm.deadline.store(deadline, ordering: .releasing) }
        #expect(eventually { alarm.rangAt.load(ordering: .acquiring) != 0 })
        #expect(alarm.rangAt.load(ordering: .relaxed) >= deadline)
    }

    @Test func stopEndsASleepWithoutDeadline() {
        let watcher = DoorbellWatcher()
        let loop = PollingLoop([watcher], spinNanoseconds: 0)
        #expect(eventually { watcher.sleeps.load(ordering: .relaxed) > 0 })
        loop.stop()
        watcher.page.register(0).ring(1)
        #expect(watcher.poll(), "what the loop owned is the caller's again")
    }
}
