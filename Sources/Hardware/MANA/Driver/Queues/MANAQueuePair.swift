// A queue pair for a network stack: the Netdev contract on the card's rings.

import Backing
import MANAWire
import Netdev
import Rings

/// A send and a receive queue of one number. One owner thread. Its end has the card end both, and wait for what is on its
/// way.
public struct MANAQueuePair<Backing: PCIeBacking>: NetdevQueue, ~Copyable {
    private var queues: QueueSet<Backing>
    private var buffers = Burst(repeating: NetdevBuffer())

    init(_ queues: consuming QueueSet<Backing>) { self.queues = queues }

    public var index: Int { queues.index }

    /// The number of the queue's vector; nil: it is polled.
    public var vectorIndex: Int? { queues.vectorIndex }

    public mutating func submit(_ buffer: NetdevBuffer, _ offload: TransmitOffload) -> Bool {
        queues.transmit.submit(buffer, offload)
    }

    public mutating func ring() {
        queues.transmit.ringTail()
        queues.receive.ringTail()
    }

    public mutating func reap(_ cookies: inout InlineArray<32, UInt64>) -> Int { queues.transmit.reap(&cookies) }

    public mutating func provide(_ buffer: NetdevBuffer) -> Bool {
        buffers[0] = buffer
        return queues.receive.ring.provide(buffers, limit: 1) == 1
    }

    public mutating func receive(_ frames: inout Burst<ReceivedFrame>) -> Int { queues.receive.reap(&frames) }

    public var eventDescriptor: Int32? { queues.eventDescriptor }

    public mutating func arm() { queues.arm() }

    /// The card's words about the queue made no sense: it is read no more. Close it and open it anew.
    public var isBroken: Bool { queues.isBroken }
}
