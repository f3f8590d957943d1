// A queue pair for a network stack: the Netdev contract on the card's rings.

import Backing
import Interrupts
import Leases
import MANAWire
import Netdev
import Rings

/// A send and a receive queue of one number, with the event queue and the vector that are theirs. One owner thread.
public struct MANAQueuePair<Backing: PCIeBacking>: NetdevQueue, ~Copyable {
    public let index: Int
    public let statistics: QueueStatistics
    /// The vector's number; nil: the queue is polled.
    public let vectorIndex: Int?
    // Ends in this order: no more frames, no more sending, no more events, no more interrupts.
    private var receive: ReceiveQueue<Backing>
    private var transmit: TransmitQueue<Backing>
    private var events: EventQueue<Backing>
    private var vector: VectorLease?
    private let number: IndexLease
    private var buffers = Burst(repeating: NetdevBuffer())

    init(
        receive: consuming ReceiveQueue<Backing>,
        transmit: consuming TransmitQueue<Backing>,
        events: consuming EventQueue<Backing>,
        vector: consuming VectorLease?,
        number: consuming IndexLease,
        statistics: QueueStatistics
    ) {
        index = number.index
        self.statistics = statistics
        vectorIndex =
            switch vector {
            case .some(let vector): vector.index
            case .none: nil
            }
        self.receive = receive
        self.transmit = transmit
        self.events = events
        self.vector = vector
        self.number = number
    }

    public mutating func submit(_ buffer: NetdevBuffer, _ offload: TransmitOffload) -> Bool {
        guard let work = transmit.work(for: buffer, offload), transmit.ring.room >= Int(work.units) else {
            return false
        }
        transmit.ring.submit(work, cookie: buffer.cookie)
        transmit.count(buffer, offload)
        return true
    }

    public mutating func ring() {
        transmit.ringTail()
        receive.ringTail()
    }

    public mutating func reap(_ cookies: inout InlineArray<32, UInt64>) -> Int { transmit.reap(&cookies) }

    public mutating func provide(_ buffer: NetdevBuffer) -> Bool {
        buffers[0] = buffer
        return receive.ring.provide(buffers, limit: 1) == 1
    }

    public mutating func receive(_ frames: inout Burst<ReceivedFrame>) -> Int { receive.reap(&frames) }

    public var eventDescriptor: Int32? {
        switch vector {
        case .some(let vector): vector.eventDescriptor()
        case .none: nil
        }
    }

    public mutating func arm() {
        guard vector?.consume() != nil else { return }
        // The event queue first: what an armed completion queue has to tell finds it armed.
        events.arm(statistics)
        transmit.arm()
        receive.arm()
    }

    /// The card's words about the queue made no sense: it is read no more. Close it and open it anew.
    public var isBroken: Bool { transmit.ring.isBroken || receive.ring.isBroken || events.isBroken }
}
