// Frames that ask for a stamp, one after the other: ring, interrupt and stamp code of the driver at once.

import Backing
import Clock
import Glibc
import I225Driver
import I225Wire
import Interrupts
import LinuxVFIO
import Memory
import PTP
import Rings

enum StampTrial {
    private static let frames = 50
    private static let frameBytes = 60

    /// What a frame brought.
    private struct Outcome {
        var stamp: UInt64
        var before: UInt64
        var after: UInt64
        var wasInterrupted: Bool
    }

    /// - Parameter vector: of queue 0.
    static func run(_ relative: borrowing Relative, _ vector: inout VectorLease) throws {
        let buffer = try relative.hardware.backing.allocateDMA(byteCount: frameBytes, .both, purpose: "frame")
        // Broadcast, from a local address, of the type for local experiments (IEEE 802 §9.2.3).
        let header: [UInt8] = [255, 255, 255, 255, 255, 255, 2, 0, 0, 0xDB, 0, 1, 0x88, 0xB5]
        // SAFETY: the buffer has `frameBytes` and more.
        for (index, byte) in header.enumerated() {
            unsafe buffer.base.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        }
        var queue = try relative.openTransmitQueue()
        var interrupts = 0
        var previous: UInt64 = 0
        var widest: UInt64 = 0
        for number in 0..<frames {
            let outcome = try send(relative, &queue, &vector, buffer.iova)
            guard outcome.before <= outcome.stamp, outcome.stamp <= outcome.after else {
                throw TrialError(
                    description:
                        "frame \(number): stamp \(outcome.stamp), but sent between \(outcome.before) and \(outcome.after)"
                )
            }
            guard outcome.stamp > previous else {
                throw TrialError(description: "frame \(number): stamp \(outcome.stamp) after \(previous)")
            }
            previous = outcome.stamp
            widest = max(widest, outcome.after - outcome.before)
            interrupts += outcome.wasInterrupted ? 1 : 0
        }
        let microseconds = widest * Relative.nanosecondsPerUnit / 1000
        say("stamps: \(frames) of \(frames), each between two reads of the clock, at most \(microseconds) µs apart")
        guard interrupts == frames else {
            throw TrialError(description: "\(interrupts) interrupts of queue 0 for \(frames) frames, one at a time")
        }
        say("interrupts: \(interrupts) of \(frames), each after its own re-arming")
        guard relative.stamps.counters.stamped == UInt64(frames), relative.stamps.freeCount == 4 else {
            throw TrialError(description: "stamp registers: \(relative.stamps.counters)")
        }
    }

    /// Sends one frame, waits for its interrupt, its descriptor and its stamp.
    private static func send(
        _ relative: borrowing Relative,
        _ queue: inout TransmitQueue<LinuxVFIO>,
        _ vector: inout VectorLease,
        _ iova: UInt64
    ) throws -> Outcome {
        guard let slot = relative.stamps.claim(), slot.index == 0 else {
            throw TrialError(description: "stamp register 0 is not free; the 82576 has no other")
        }
        var entries = Burst(repeating: TransmitEntry())
        entries[0] = TransmitEntry(
            iova: iova,
            cookie: 7,
            length: UInt32(frameBytes),
            bits: TransmitDataDescriptor.stampBits(slot: slot.index)
        )
        let before = try now(relative)
        _ = vector.consume()
        relative.hardware.rearm(1 << UInt32(vector.index))
        guard queue.ring.submit(entries, limit: 1) == 1 else { throw TrialError(description: "the ring is full") }
        queue.ringTail()
        let wasInterrupted = waitForEvent(vector.eventDescriptor(), milliseconds: 2000)

        var reaped = InlineArray<32, UInt64>(repeating: 0)
        let clock = DeviceClock.monotonic
        var found = 0
        let isDone = clock.waitUntil(timeoutNanoseconds: 2_000_000_000, intervalNanoseconds: 100_000) {
            found = queue.ring.reap(&reaped)
            return found > 0
        }
        guard isDone, found == 1, reaped[0] == 7 else {
            throw TrialError(description: "no descriptor came back (\(found), cookie \(reaped[0]))")
        }
        var stamp: UInt64?
        _ = clock.waitUntil(timeoutNanoseconds: 2_000_000_000, intervalNanoseconds: 100_000) {
            _ = relative.stamps.collect(now: clock.now, isFlooded: false)
            stamp = relative.stamps.take(slot)
            return stamp != nil
        }
        guard let stamp else { throw TrialError(description: "the frame went out, and its stamp did not come") }
        return Outcome(stamp: stamp, before: before, after: try now(relative), wasInterrupted: wasInterrupted)
    }

    /// The card's clock in its own units, read by the driver's code.
    private static func now(_ relative: borrowing Relative) throws -> UInt64 {
        let time = try relative.cardClock.time().time
        guard let units = time.totalNanoseconds, units >= 0 else {
            throw TrialError(description: "the clock reads \(time)")
        }
        return UInt64(units)
    }

    private static func waitForEvent(_ descriptor: Int32, milliseconds: Int32) -> Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // SAFETY: the address of a local.
        return unsafe Glibc.poll(&poll, 1, milliseconds) == 1
    }
}
