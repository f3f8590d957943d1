// The owner's loop around the driver's rings, as in Transmit.c and Receive.c of CReference: the same bursts, the same
// free stack, the same doorbell.

import I225Driver
import Measure
import Netdev
import Registers
import Rings

/// Where buffer `number` lies.
private func address(_ iova: UInt64, _ number: UInt64) -> UInt64 { iova &+ number &<< 11 }

/// Sends bursts and takes their buffers back.
struct TransmitLoop: ~Copyable {
    private var ring: TransmitRing
    private var entries = Burst(repeating: TransmitEntry())
    private var free: FreeStack
    private let doorbell: DoorbellRegister
    private let iova: UInt64

    init(_ shared: borrowing SharedRing, iova: UInt64, buffers: Int) {
        // SAFETY: the caller keeps `shared` as long as the loop.
        ring = unsafe TransmitRing(shared.descriptors)
        free = FreeStack(full: buffers)
        doorbell = shared.doorbell
        self.iova = iova
    }

    /// `bursts` rounds; the number of frames sent.
    @inline(never)
    mutating func swiftTransmitLap(bursts: Int, length: UInt32) -> UInt64 {
        var sent = 0
        for _ in 0..<bursts {
            var reaped = InlineArray<32, UInt64>(repeating: 0)
            let done = ring.reap(&reaped)
            for index in 0..<done { free.push(reaped[index]) }

            let wanted = min(32, free.count, ring.room)
            for index in 0..<wanted {
                let number = free.pop()
                entries[index] = TransmitEntry(iova: address(iova, number), cookie: number, length: length)
            }
            sent &+= ring.submit(entries, limit: wanted)
            doorbell.ring(ring.tail)
        }
        return UInt64(sent)
    }
}

/// Takes frames and provides fresh buffers.
struct ReceiveLoop: ~Copyable {
    private var ring: ReceiveRing
    private var frames = Burst(repeating: ReceivedFrame())
    private var buffers = Burst(repeating: NetdevBuffer())
    private var free: FreeStack
    private let doorbell: DoorbellRegister
    private let iova: UInt64

    init(_ shared: borrowing SharedRing, iova: UInt64, buffers: Int) {
        // SAFETY: the caller keeps `shared` as long as the loop.
        ring = unsafe ReceiveRing(shared.descriptors)
        free = FreeStack(full: buffers)
        doorbell = shared.doorbell
        self.iova = iova
    }

    /// `bursts` rounds; the bytes of good frames.
    @inline(never)
    mutating func swiftReceiveLap(bursts: Int) -> UInt64 {
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
            doorbell.ring(ring.tail)
        }
        return bytes
    }
}
