// What the threads of a run and the one that measures share.

import Ethernet
import Foundation
import Measure
import Synchronization

/// One run: a sender and a receiver, each on a CPU of its own.
final class Run: Sendable {
    private let ready = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    private let ended = Atomic<Int>(0)
    let received = ReceivedCount()

    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    func isReady() { ready.wrappingAdd(1, ordering: .sequentiallyConsistent) }

    /// Frames of `bytes` per second that went from one driver to the other, over `seconds`.
    static func framesPerSecond(bytes: Int, seconds: Double, cpus: (Int, Int)) -> Double {
        let run = Run()
        var pair: WirePair? = WirePair(capacity: wireCapacity(bytes))
        pair.take()?.split { first, second in
            run.start(cpu: cpus.0, first) { port, run in
                var receiver = try Receiver(port)
                run.isReady()
                while !run.isStopping {
                    receiver.turn()
                    run.received.set(receiver.received)
                }
            }
            run.start(cpu: cpus.1, second) { port, run in
                var sender = try Sender(port, frameBytes: bytes)
                run.isReady()
                while !run.isStopping { sender.turn() }
            }
        }
        while run.ready.load(ordering: .sequentiallyConsistent) < 2 { usleep(1000) }
        usleep(200_000)
        let start = (run.received.value, monotonicNanoseconds())
        usleep(UInt32(seconds * 1e6))
        let end = (run.received.value, monotonicNanoseconds())
        run.stopping.store(true, ordering: .sequentiallyConsistent)
        while run.ended.load(ordering: .sequentiallyConsistent) < 2 { usleep(1000) }
        return Double(end.0 - start.0) * 1e9 / Double(end.1 - start.1)
    }

    /// A wire that holds as many frames as the peers' rings: 1024, with 16 bytes before each.
    private static func wireCapacity(_ frameBytes: Int) -> Int {
        let needed = 1024 * ((frameBytes + 31) & ~15)
        return 1 << (Int.bitWidth - needed.leadingZeroBitCount)
    }

    /// Both ends in turns on this thread until `frames` have passed: for profilers, which then see the same every time.
    static func onOneThread(bytes: Int, frames: UInt64) throws {
        var failure: (any Error)?
        WirePair(capacity: wireCapacity(bytes)).split { first, second in
            do {
                var sender = try Sender(second, frameBytes: bytes)
                var receiver = try Receiver(first)
                while receiver.received < frames {
                    sender.turn()
                    receiver.turn()
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private func start(
        cpu: Int,
        _ port: consuming WirePort,
        _ body: @escaping @Sendable (consuming WirePort, Run) throws -> Void
    ) {
        let handed = Mutex<WirePort?>(port)
        Thread.detachNewThread {
            guard pinThread(to: cpu) else { skip("cannot run on CPU \(cpu)") }
            guard let port = handed.withLock({ $0.take() }) else { return }
            do {
                try body(port, self)
            } catch {
                fail("\(error)")
            }
            self.ended.wrappingAdd(1, ordering: .sequentiallyConsistent)
        }
    }
}

/// A count that one thread writes and another reads now and then, on a cache line of its own.
final class ReceivedCount: Sendable {
    private let before = InlineArray<16, UInt64>(repeating: 0)
    private let count = Atomic<UInt64>(0)
    private let after = InlineArray<16, UInt64>(repeating: 0)

    var value: UInt64 { count.load(ordering: .relaxed) }
    func set(_ value: UInt64) { count.store(value, ordering: .relaxed) }
}
