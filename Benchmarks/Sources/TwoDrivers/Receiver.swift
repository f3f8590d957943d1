// What testpmd's rxonly does: frames are counted and their buffers given back.

import Backing
import Ethernet
import I225Driver
import I225Model
import Measure
import Netdev
import Rings

/// The receiving program, its driver and its card.
struct Receiver: ~Copyable {
    private(set) var received: UInt64 = 0
    // In the order in which they end: the queue lets go of the buffers first.
    private var queue: ReceiveQueue<InProcess<I225Model>>
    private let station: Station
    private var free = FreeStack(full: Station.entries)
    private var frames = Burst(repeating: ReceivedFrame())
    private var buffers = Burst(repeating: NetdevBuffer())

    init(_ port: consuming WirePort) throws {
        let station = try Station(port, name: "receiver")
        queue = try station.card.openReceiveQueue(0, entries: Station.entries, bufferBytes: Station.bufferBytes)
        self.station = station
    }

    /// Two bursts of the driver, one poll of the model.
    mutating func turn() {
        burst()
        burst()
        queue.ringTail()
        _ = station.model.poll()
    }

    private mutating func burst() {
        let found = queue.ring.reap(&frames)
        for index in 0..<found { free.push(frames[index].cookie) }
        received &+= UInt64(truncatingIfNeeded: found)

        let wanted = min(32, free.count, queue.ring.room)
        for index in 0..<wanted {
            let number = free.pop()
            buffers[index] = NetdevBuffer(
                iova: station.iova &+ number &* UInt64(Station.bufferBytes),
                cookie: number,
                length: 0
            )
        }
        _ = queue.ring.provide(buffers, limit: wanted)
    }
}
