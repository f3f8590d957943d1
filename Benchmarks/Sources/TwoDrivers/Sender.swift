// What testpmd's txonly does: a header into every frame, as many frames as the ring takes.

import Backing
import Ethernet
import I225Driver
import I225Model
import Measure
import Memory
import Rings

/// The sending program, its driver and its card.
struct Sender: ~Copyable {
    // In the order in which they end: the queue lets go of the buffers first.
    private var queue: TransmitQueue<InProcess<I225Model>>
    private let station: Station
    private var free = FreeStack(full: Station.entries)
    private var entries = Burst(repeating: TransmitEntry())
    private let header: FrameHeader
    private let frameBytes: UInt32

    init(_ port: consuming WirePort, frameBytes: Int) throws {
        let station = try Station(port, name: "sender")
        queue = try station.card.openTransmitQueue(0, entries: Station.entries)
        self.station = station
        self.frameBytes = UInt32(frameBytes)
        header = FrameHeader.udp(frameBytes: frameBytes)
    }

    /// Two bursts of the driver, one poll of the model.
    mutating func turn() {
        burst()
        burst()
        queue.ringTail()
        _ = station.model.poll()
    }

    private mutating func burst() {
        var reaped = InlineArray<32, UInt64>(repeating: 0)
        let done = queue.ring.reap(&reaped)
        for index in 0..<done { free.push(reaped[index]) }

        let wanted = min(32, free.count, queue.ring.room)
        for index in 0..<wanted {
            let number = free.pop()
            let offset = Int(truncatingIfNeeded: number) &* Station.bufferBytes
            // SAFETY: the number is below `entries`, for which there are buffers, longer than a header.
            unsafe (station.memory + offset).storeBytes(of: header, as: FrameHeader.self)
            entries[index] = TransmitEntry(
                iova: station.iova &+ UInt64(truncatingIfNeeded: offset),
                cookie: number,
                length: frameBytes
            )
        }
        _ = queue.ring.submit(entries, limit: wanted)
    }
}
