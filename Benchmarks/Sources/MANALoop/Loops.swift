// The owner's loop around the driver's rings, as in MANA/Transmit.c and MANA/Receive.c of CReference: the same bursts, the
// same free stack, the same doorbells.

import MANADriver
import MANAWire
import Measure
import Netdev
import Rings

/// Where buffer `number` lies.
private func address(_ iova: UInt64, _ number: UInt64) -> UInt64 { iova &+ number &<< 11 }

/// Sends bursts and takes their buffers back.
struct TransmitLoop: ~Copyable {
    private var ring: TransmitRing
    private let format: TransmitFormat
    private var free: FreeStack
    private let workDoorbell: Doorbell
    private let completionDoorbell: Doorbell
    private let shape: LoopShape

    init(_ shared: borrowing SharedRings) {
        shape = shared.shape
        // SAFETY: the caller keeps `shared` as long as the loop.
        ring = unsafe TransmitRing(work: shared.work, completions: shared.completions, queue: shape.queue)
        format = TransmitFormat(
            sendQueue: shape.queue,
            completionQueue: shape.completionQueue,
            memoryKey: shape.memoryKey,
            portOffset: 0,
            allowsShort: true
        )
        free = FreeStack(full: shape.buffers)
        workDoorbell = shared.workDoorbell
        completionDoorbell = shared.completionDoorbell
    }

    /// `bursts` rounds; the number of frames sent.
    @inline(never)
    mutating func swiftTransmitLap(bursts: Int, length: UInt32) -> UInt64 {
        var sent: UInt64 = 0
        for _ in 0..<bursts {
            var reaped = InlineArray<32, UInt64>(repeating: 0)
            let done = ring.reap(&reaped)
            for index in 0..<done { free.push(reaped[index]) }

            let wanted = min(32, free.count, ring.room)
            for _ in 0..<wanted {
                let number = free.pop()
                guard ring.room >= 1 else { break }
                ring.submit(format.plain(iova: address(shape.iova, number), length: length), cookie: number)
                sent &+= 1
            }
            workDoorbell.ring(.send, QueueDoorbell(id: shape.queue, tail: ring.work.tail))
            if ring.completions.isOverdue {
                ring.completions.wasTold()
                completionDoorbell.ring(
                    .completion,
                    QueueDoorbell(id: shape.completionQueue, tail: ring.completions.tail)
                )
            }
        }
        return sent
    }
}

/// Takes frames and provides fresh buffers.
struct ReceiveLoop: ~Copyable {
    private var ring: ReceiveRing
    private var frames = Burst(repeating: ReceivedFrame())
    private var buffers = Burst(repeating: NetdevBuffer())
    private var free: FreeStack
    private let workDoorbell: Doorbell
    private let completionDoorbell: Doorbell
    private let shape: LoopShape

    init(_ shared: borrowing SharedRings) {
        shape = shared.shape
        // SAFETY: the caller keeps `shared` as long as the loop.
        ring = unsafe ReceiveRing(
            work: shared.work,
            completions: shared.completions,
            queue: shape.queue,
            memoryKey: shape.memoryKey,
            bufferBytes: shape.bufferBytes
        )
        free = FreeStack(full: shape.buffers)
        workDoorbell = shared.workDoorbell
        completionDoorbell = shared.completionDoorbell
    }

    /// `bursts` rounds; the bytes of good frames.
    @inline(never)
    mutating func swiftReceiveLap(bursts: Int) -> UInt64 {
        var bytes: UInt64 = 0
        for _ in 0..<bursts {
            let found = ring.reap(&frames)
            for index in 0..<found {
                let frame = frames[index]
                if !frame.isDamaged { bytes &+= UInt64(frame.length) }
                free.push(frame.cookie)
            }

            let wanted = min(32, free.count, ring.room)
            for index in 0..<wanted {
                let number = free.pop()
                buffers[index] = NetdevBuffer(iova: address(shape.iova, number), cookie: number, length: 0)
            }
            _ = ring.provide(buffers, limit: wanted)
            workDoorbell.ring(.receive, QueueDoorbell(id: shape.queue, tail: ring.work.tail))
            if ring.completions.isOverdue {
                ring.completions.wasTold()
                completionDoorbell.ring(
                    .completion,
                    QueueDoorbell(id: shape.completionQueue, tail: ring.completions.tail)
                )
            }
        }
        return bytes
    }
}
