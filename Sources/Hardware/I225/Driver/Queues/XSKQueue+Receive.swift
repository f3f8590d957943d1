// Received frames: from the card's ring to the program's, and chunks from the program to the card.

import Backing
import I225Wire
import Memory
import Netdev
import Rings
import XSK

extension XSKQueueState {
    mutating func receiveFrames() -> Bool {
        let refilled = refill()
        let count = receive.ring.reap(&frames)
        guard count > 0 else { return refilled }
        var bytes: UInt64 = 0
        for index in 0..<count {
            bytes &+= UInt64(frames[index].length)
            deliver(frames[index])
        }
        pool.publishReceived()
        receive.statistics.add(packets: count, bytes: bytes)
        return true
    }

    /// A frame of one undamaged buffer goes to the program; all else is dropped and its chunk used again. A frame over
    /// several buffers would need XDP_PKT_CONTD, which igc refuses too.
    private mutating func deliver(_ frame: ReceivedFrame) {
        let stampBytes: UInt32 = frame.hasTimestamp ? UInt32(ReceiveStampHeader.byteCount) : 0
        let isWhole = !frame.continues && !isDropping
        isDropping = frame.continues
        // The length is the device's word: no more than it was given can be there.
        guard isWhole, !frame.isDamaged, frame.length > stampBytes,
            frame.length <= UInt32(truncatingIfNeeded: pool.umem.receiveCapacity)
        else { return pool.drop(frame.cookie) }
        let start = frame.cookie &+ UInt64(pool.umem.receiveOffset)
        if frame.hasTimestamp { pool.translateStamp(at: start, frame, latency: receiveLatency) }
        _ = pool.deliver(address: start &+ UInt64(stampBytes), length: frame.length &- stampBytes)
    }

    private var receiveLatency: UInt64 { hardware.lastLinkSpeed?.receiveLatency ?? 0 }

    /// Gives the card chunks, in batches: a tail write for each would cost more than they are worth.
    private mutating func refill() -> Bool {
        guard receive.ring.room >= 32 else { return false }
        var chunks = InlineArray<32, UInt64>(repeating: 0)
        let count = pool.takeFill(&chunks, limit: 32)
        guard count > 0 else { return false }
        let offset = UInt64(pool.umem.receiveOffset)
        for index in 0..<count {
            buffers[index].iova = umemBase &+ chunks[index] &+ offset
            buffers[index].cookie = chunks[index]
        }
        _ = receive.ring.provide(buffers, limit: count)
        receive.ringTail()
        return true
    }
}

extension XSKPool {
    /// Turns the card's 16-byte header into what a program reads before its frame: `XSKReceiveMetadata`.
    fileprivate func translateStamp(at address: UInt64, _ frame: ReceivedFrame, latency: UInt64) {
        guard let words = readReceiveHeader(at: address) else { return }
        let raw = ReceiveStampHeader(first: words.first, second: words.second).timer0.totalNanoseconds
        let metadata = XSKReceiveMetadata(
            timestamp: raw &- latency,
            hash: frame.hash,
            hashType: UInt32(frame.hashType)
        )
        writeReceiveMetadata(metadata, at: address)
    }
}
