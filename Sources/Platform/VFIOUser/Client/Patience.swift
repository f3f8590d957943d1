// How long to wait for the server, and how: looking without pause at first, asleep afterwards, never beyond a limit.

import Clock
import Glibc

/// One bounded wait.
struct Patience {
    private let limit: UInt64
    private let spin: UInt64
    private let clock: DeviceClock
    /// Whether there is nothing else to do than to sleep.
    private let sleeps: Bool
    private var looks: UInt32 = 0
    /// Read late: most waits are over before the clock is worth its price.
    private var start: UInt64?
    /// The time is up, and what came until then is looked at.
    private var isOver = false

    /// The clock is read at one look in so many.
    private static let looksPerClock: UInt32 = 16

    init(_ options: borrowing VFIOUserOptions) {
        limit = options.replyNanoseconds
        spin = options.spinNanoseconds
        clock = options.clock
        sleeps = options.whileWaiting == nil
    }

    /// To be called after every look, with whether something came; false: the time is up. It bounds a server that keeps
    /// sending as well.
    mutating func goesOn(_ socket: Int32, sending: Bool, something: Bool) -> Bool {
        looks &+= 1
        // No pause between looks: each is a system call, which lets another thread of the core run as well.
        guard looks % Self.looksPerClock == 0 else { return true }
        return look(socket, sending: sending, something: something)
    }

    @inline(never)
    private mutating func look(_ socket: Int32, sending: Bool, something: Bool) -> Bool {
        let now = clock.now
        guard let start else {
            start = now
            return true
        }
        let waited = now &- start
        guard waited < limit else {
            // A thread that stood still for all that time may have its reply: it has not looked since.
            defer { isOver = true }
            return !isOver
        }
        guard sleeps, !something, waited >= spin else { return true }
        // Rounded up, so that the last part of a millisecond is slept too; the limit is looked at again.
        let milliseconds = Int32(clamping: (limit - waited) / 1_000_000 + 1)
        var wait = pollfd(fd: socket, events: Int16(POLLIN) | (sending ? Int16(POLLOUT) : 0), revents: 0)
        // SAFETY: one pollfd, on this stack.
        _ = unsafe Glibc.poll(&wait, 1, milliseconds)
        return true
    }
}
