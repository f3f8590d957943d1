// The one source of time. It is passed in: models derive their own clocks from it, drivers bound their waits by it.

import Glibc

/// Nanoseconds, monotonic or virtual. A value to pass around; copies of a virtual clock show the same time.
public enum DeviceClock: Sendable {
    /// CLOCK_MONOTONIC of this machine.
    case monotonic
    /// Time that moves only when it is told to, so that a 15-second time-out takes no time.
    case virtual(VirtualClock)

    /// Nanoseconds since an arbitrary start.
    @inlinable public var now: UInt64 {
        switch self {
        case .monotonic: return monotonicNanoseconds()
        case .virtual(let clock): return clock.now
        }
    }

    /// Returns not before `nanoseconds` have passed.
    public func wait(nanoseconds: UInt64) {
        switch self {
        case .virtual(let clock):
            clock.advance(nanoseconds: nanoseconds)
        case .monotonic:
            let deadline = now &+ nanoseconds
            // A signal cuts a sleep short.
            while true {
                let current = now
                guard current < deadline else { return }
                let remaining = deadline - current
                var request = timespec(tv_sec: Int(remaining / 1_000_000_000), tv_nsec: Int(remaining % 1_000_000_000))
                // SAFETY: the address of a local.
                unsafe nanosleep(&request, nil)
            }
        }
    }

    /// Asks `condition` until it holds or `timeoutNanoseconds` have passed, `intervalNanoseconds` apart; whether it held.
    ///
    /// It is asked once more after the last wait, so a slow scheduler cannot turn a ready device into a time-out.
    public func waitUntil(
        timeoutNanoseconds: UInt64,
        intervalNanoseconds: UInt64,
        _ condition: () -> Bool
    ) -> Bool {
        let (end, wraps) = now.addingReportingOverflow(timeoutNanoseconds)
        let deadline = wraps ? .max : end
        // Without an interval virtual time would stand still and the wait never end.
        let interval = max(1, intervalNanoseconds)
        while true {
            if condition() { return true }
            if now >= deadline { return false }
            wait(nanoseconds: interval)
        }
    }
}

@usableFromInline func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    // SAFETY: the address of a local.
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}
