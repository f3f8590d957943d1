// The thread that owns a model: it polls model and wires, answers the mailbox, and sleeps when there is nothing to do.

import CLinux
import Clock
import Glibc
import Synchronization

/// One thread that owns everything it polls. Others reach what it owns through `perform`.
///
/// The loop spins for `spinNanoseconds` after the last work, then sleeps on descriptors: waking a sleeping thread costs
/// some 55 µs on a virtual CPU, a busy look less than one.
public final class PollingLoop: @unchecked Sendable {
    // SAFETY (Sendable): `pollables` is touched by the owner thread alone after init; `request` and `thread` are guarded
    // by `requesters`, and `request` is handed over by `mailbox`. The system calls get addresses of locals only.
    private enum Mailbox {
        static let empty = 0
        static let request = 1
        static let answered = 2
    }

    private let pollables: [any Pollable]
    private let spinNanoseconds: UInt64
    private let cpu: Int?
    private let stopping = Atomic<Bool>(false)
    private let mailbox = Atomic<Int>(Mailbox.empty)
    private let sleeping = Atomic<Bool>(false)
    private let wakeDescriptor = clinux_eventfd()
    private let requesters = Mutex<Void>(())
    private var request: (() -> Void)?
    private var thread: pthread_t?
    /// The thread that may touch what the loop owns; 0 before it starts and after it has ended.
    private let owner = Atomic<UInt>(0)

    /// Starts the thread. The loop owns `pollables` until `stop`.
    public init(_ pollables: [any Pollable], spinNanoseconds: UInt64 = 50_000, cpu: Int? = nil) {
        self.pollables = pollables
        self.spinNanoseconds = spinNanoseconds
        self.cpu = cpu
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        var thread = pthread_t()
        let status = unsafe pthread_create(&thread, nil, runPollingLoop, context)
        precondition(status == 0, "pthread_create failed with \(status)")
        self.thread = thread
    }

    deinit { close(wakeDescriptor) }

    /// Ends the thread and waits for it. What it owned may be used by the caller from then on. Calling it from the owner
    /// thread is a programmer's error and traps: it would wait for itself.
    public func stop() {
        precondition(owner.load(ordering: .relaxed) != pthread_self(), "a polling loop cannot stop itself")
        // The lock is held until the thread is gone: a request that finds no thread runs on its caller's, and must not
        // meet the owner's last poll there.
        requesters.withLock { _ in
            guard let thread else { return }
            stopping.store(true, ordering: .sequentiallyConsistent)
            wake()
            pthread_join(thread, nil)
            owner.store(0, ordering: .relaxed)
            self.thread = nil
        }
    }

    /// Runs `body` on the owner thread and returns when it has run. After `stop` it runs on the caller's thread.
    public func perform(_ body: () -> Void) {
        let caller = pthread_self()
        // A request of a request: the caller has the right already, and the lock too.
        guard owner.load(ordering: .relaxed) != caller else { return body() }
        requesters.withLock { _ in
            guard thread != nil else {
                owner.store(caller, ordering: .relaxed)
                defer { owner.store(0, ordering: .relaxed) }
                return body()
            }
            withoutActuallyEscaping(body) { escapable in
                request = escapable
                mailbox.store(Mailbox.request, ordering: .sequentiallyConsistent)
                if sleeping.load(ordering: .sequentiallyConsistent) { wake() }
                var spins = 0
                while mailbox.load(ordering: .acquiring) != Mailbox.answered {
                    spins += 1
                    // With fewer CPUs than threads the owner needs ours to answer.
                    if spins % 256 == 0 { sched_yield() } else { clinux_pause() }
                }
                mailbox.store(Mailbox.empty, ordering: .relaxed)
                request = nil
            }
        }
    }

    fileprivate func run() {
        owner.store(pthread_self(), ordering: .relaxed)
        if let cpu { _ = clinux_pin_to_cpu(Int32(cpu)) }
        var idleSince: UInt64?
        while !stopping.load(ordering: .relaxed) {
            if work() {
                idleSince = nil
                continue
            }
            let now = DeviceClock.monotonic.now
            if now &- (idleSince ?? now) < spinNanoseconds {
                idleSince = idleSince ?? now
                clinux_pause()
            } else {
                sleep()
                idleSince = nil
            }
        }
    }

    private func answer() -> Bool {
        guard mailbox.load(ordering: .acquiring) == Mailbox.request else { return false }
        request?()
        mailbox.store(Mailbox.answered, ordering: .releasing)
        return true
    }

    private func work() -> Bool {
        var worked = answer()
        for pollable in pollables {
            if pollable.poll() { worked = true }
            // A caller waits for its answer: it comes before the next pollable's burst, not behind all of them.
            if answer() { worked = true }
        }
        return worked
    }

    private func sleep() {
        sleeping.store(true, ordering: .sequentiallyConsistent)
        for pollable in pollables { pollable.setSleeping(true) }
        defer {
            for pollable in pollables { pollable.setSleeping(false) }
            sleeping.store(false, ordering: .sequentiallyConsistent)
            var value: UInt64 = 0
            _ = unsafe Glibc.read(wakeDescriptor, &value, 8)
        }
        // What came before the flags were up signalled nobody. The fence keeps the looks behind the flags: an acquiring
        // load alone may pass an earlier store.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard !work(), !stopping.load(ordering: .sequentiallyConsistent) else { return }

        var timeoutMilliseconds: Int32 = -1
        if let deadline = pollables.compactMap({ $0.nextDeadline }).min() {
            let now = DeviceClock.monotonic.now
            guard deadline > now else { return }
            // Rounded down: the last part of a millisecond is spun, so that a timer is never late by the rounding.
            timeoutMilliseconds = Int32(clamping: (deadline - now) / 1_000_000)
            guard timeoutMilliseconds > 0 else { return }
        }
        let descriptors = [wakeDescriptor] + pollables.flatMap { $0.wakeDescriptors }
        var waits = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        _ = unsafe Glibc.poll(&waits, nfds_t(waits.count), timeoutMilliseconds)
    }

    private func wake() {
        var one: UInt64 = 1
        _ = unsafe Glibc.write(wakeDescriptor, &one, 8)
    }
}

private func runPollingLoop(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    // SAFETY: `init` passed itself, retained, for this call to release.
    if let context = unsafe context {
        unsafe Unmanaged<PollingLoop>.fromOpaque(context).takeRetainedValue().run()
    }
    return nil
}
