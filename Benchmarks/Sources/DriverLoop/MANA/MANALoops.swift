// The owner's loop around the MANA driver's rings, as in MANA/Transmit.c and MANA/Receive.c of CReference: the same bursts,
// the same free stack, the same doorbells.

import CReference
import MANADriver
import MANAWire
import Measure
import Netdev
import Rings

/// Where buffer `number` lies.
private func address(_ iova: UInt64, _ number: UInt64) -> UInt64 { iova &+ number &<< 11 }

private let completionQueue = UInt32(creference_mana_completion_queue)

/// Sends bursts and takes their buffers back.
struct MANATransmitLoop: ~Copyable {
    private static let queue = UInt32(creference_mana_send_queue)

    private var ring: TransmitRing
    private var free: FreeStack
    private let format: TransmitFormat
    private let doorbell: DoorbellWord
    private let completionDoorbell: DoorbellWord
    private let iova: UInt64

    init(_ shared: borrowing SharedMANARings, iova: UInt64, buffers: Int) {
        // SAFETY: the caller keeps `shared` as long as the loop.
        ring = unsafe TransmitRing(work: shared.work, completions: shared.completions, queue: Self.queue)
        free = FreeStack(full: buffers)
        format = TransmitFormat(
            sendQueue: Self.queue,
            completionQueue: completionQueue,
            memoryKey: UInt32(creference_mana_memory_key),
            portOffset: UInt16(creference_mana_port_offset),
            allowsShort: true
        )
        doorbell = shared.workDoorbell
        completionDoorbell = shared.completionDoorbell
        self.iova = iova
    }

    /// `bursts` rounds; the number of frames sent.
    @inline(never)
    mutating func swiftMANATransmitLap(bursts: Int, length: UInt32) -> UInt64 {
        var sent = 0
        for _ in 0..<bursts {
            var reaped = InlineArray<32, UInt64>(repeating: 0)
            let done = ring.reap(&reaped)
            for index in 0..<done { free.push(reaped[index]) }

            let wanted = min(32, free.count, ring.room)
            for _ in 0..<wanted {
                let number = free.pop()
                ring.submit(format.plain(iova: address(iova, number), length: length), cookie: number)
            }
            sent &+= wanted
            doorbell.store(QueueDoorbell(id: Self.queue, tail: ring.work.tail).raw(.send))
            if ring.completions.isOverdue {
                ring.completions.wasTold()
                let told = QueueDoorbell(id: completionQueue, tail: ring.completions.tail)
                completionDoorbell.store(told.raw(.completion))
            }
        }
        return UInt64(sent)
    }
}

/// Takes frames and provides fresh buffers.
struct MANAReceiveLoop: ~Copyable {
    private static let queue = UInt32(creference_mana_receive_queue)

    private var ring: ReceiveRing
    private var frames = Burst(repeating: ReceivedFrame())
    private var buffers = Burst(repeating: NetdevBuffer())
    private var free: FreeStack
    private let doorbell: DoorbellWord
    private let completionDoorbell: DoorbellWord
    private let iova: UInt64

    init(_ shared: borrowing SharedMANARings, iova: UInt64, buffers: Int) {
        // SAFETY: the caller keeps `shared` as long as the loop.
        ring = unsafe ReceiveRing(
            work: shared.work,
            completions: shared.completions,
            queue: Self.queue,
            memoryKey: UInt32(creference_mana_memory_key),
            bufferBytes: Int(manaBufferBytes)
        )
        free = FreeStack(full: buffers)
        doorbell = shared.workDoorbell
        completionDoorbell = shared.completionDoorbell
        self.iova = iova
    }

    /// `bursts` rounds; the bytes of good frames.
    @inline(never)
    mutating func swiftMANAReceiveLap(bursts: Int) -> UInt64 {
        var bytes: UInt64 = 0
        for _ in 0..<bursts {
            let found = ring.reap(&frames)
            for index in 0..<found {
                let frame = frames[index]
                if !frame.continues, !frame.isDamaged { bytes &+= UInt64(frame.length) }
                free.push(frame.cookie)
            }

            let wanted = min(32, free.count, ring.room)
            for index in 0..<wanted {
                let number = free.pop()
                buffers[index] = NetdevBuffer(iova: address(iova, number), cookie: number, length: 0)
            }
            _ = ring.provide(buffers, limit: wanted)
            doorbell.store(QueueDoorbell(id: Self.queue, tail: ring.work.tail).raw(.receive))
            if ring.completions.isOverdue {
                ring.completions.wasTold()
                let told = QueueDoorbell(id: completionQueue, tail: ring.completions.tail)
                completionDoorbell.store(told.raw(.completion))
            }
        }
        return bytes
    }
}
