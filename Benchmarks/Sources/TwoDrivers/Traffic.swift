// The two threads' work: what testpmd's txonly and rxonly do. The sender writes a header into every frame, the receiver
// counts frames and gives their buffers back.

import Ethernet
import I225Driver
import I225Model
import Memory
import Netdev
import Rings

/// Floods the wire until the run ends.
func send(_ port: consuming WirePort, bytes: Int, _ run: Run) throws {
    let station = try Station(port, name: "sender")
    var queue = try station.card.openTransmitQueue(0, entries: Station.entries)
    var free = FreeStack(full: Station.entries)
    // SAFETY: buffer numbers come from `free` and are below `entries`; the buffers outlive the loop.
    let memory = unsafe station.buffers.base
    var entries = Burst(repeating: TransmitEntry())
    let header = FrameHeader.udp(frameBytes: bytes)
    let model = station.model
    let iova = station.buffers.iova
    run.isReady()
    while !run.isStopping {
        for _ in 0..<2 {
            var reaped = InlineArray<32, UInt64>(repeating: 0)
            let done = queue.ring.reap(&reaped)
            for index in 0..<done { free.push(reaped[index]) }

            let wanted = min(32, free.count, queue.ring.room)
            for index in 0..<wanted {
                let number = free.pop()
                let offset = Int(truncatingIfNeeded: number) &* Station.bufferBytes
                unsafe (memory + offset).storeBytes(of: header, as: FrameHeader.self)
                entries[index] = TransmitEntry(
                    iova: iova &+ UInt64(truncatingIfNeeded: offset),
                    cookie: number,
                    length: UInt32(truncatingIfNeeded: bytes)
                )
            }
            _ = queue.ring.submit(entries, limit: wanted)
        }
        queue.ringTail()
        _ = model.poll()
    }
}

/// Takes frames until the run ends.
func receive(_ port: consuming WirePort, _ run: Run) throws {
    let station = try Station(port, name: "receiver")
    var queue = try station.card.openReceiveQueue(0, entries: Station.entries, bufferBytes: Station.bufferBytes)
    var free = FreeStack(full: Station.entries)
    let model = station.model
    let iova = station.buffers.iova
    var frames = Burst(repeating: ReceivedFrame())
    var buffers = Burst(repeating: NetdevBuffer())
    var received: UInt64 = 0
    run.isReady()
    while !run.isStopping {
        for _ in 0..<2 {
            let found = queue.ring.reap(&frames)
            for index in 0..<found { free.push(frames[index].cookie) }
            received &+= UInt64(truncatingIfNeeded: found)

            let wanted = min(32, free.count, queue.ring.room)
            for index in 0..<wanted {
                let number = free.pop()
                buffers[index] = NetdevBuffer(
                    iova: iova &+ number &* UInt64(Station.bufferBytes),
                    cookie: number,
                    length: 0
                )
            }
            _ = queue.ring.provide(buffers, limit: wanted)
        }
        run.received.set(received)
        queue.ringTail()
        _ = model.poll()
    }
}
