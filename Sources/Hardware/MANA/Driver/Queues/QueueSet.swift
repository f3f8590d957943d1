// All that belongs to one queue number of a port: what a queue pair and an XSK queue are made of.

import Backing
import Interrupts
import Leases
import MANAWire
import Netdev

/// A send and a receive queue of one number, with the event queue and the vector that are theirs.
struct QueueSet<Backing: PCIeBacking>: ~Copyable {
    // Ends in this order: no more frames, no more sending, no more events, no more interrupts.
    var receive: ReceiveQueue<Backing>
    var transmit: TransmitQueue<Backing>
    private var events: EventQueue<Backing>
    private var vector: VectorLease?
    private let number: IndexLease
    let statistics: QueueStatistics

    /// - Parameters:
    ///   - vector: nil: the queue is polled.
    ///   - entries: of each ring.
    ///   - bufferBytes: of every buffer provided.
    init(
        _ port: PortCore<Backing>,
        number: consuming IndexLease,
        vector: consuming VectorLease?,
        entries: Int,
        bufferBytes: Int,
        statistics: QueueStatistics
    ) throws(DeviceError) {
        let index = number.index
        let place: Int =
            switch vector {
            case .some(let vector): vector.index
            // Of an event queue that is never armed.
            case .none: MANA.channelVector
            }
        let events = try EventQueue(port.adapter, vector: place)
        let transmit = try TransmitQueue(port, entries: entries, eventQueue: events.id, statistics: statistics)
        let receive = try ReceiveQueue(
            port,
            index: index,
            entries: entries,
            bufferBytes: bufferBytes,
            eventQueue: events.id,
            statistics: statistics
        )
        self.receive = receive
        self.transmit = transmit
        self.events = events
        self.vector = vector
        self.number = number
        self.statistics = statistics
    }

    var index: Int { number.index }

    var vectorIndex: Int? {
        switch vector {
        case .some(let vector): vector.index
        case .none: nil
        }
    }

    var eventDescriptor: Int32? {
        switch vector {
        case .some(let vector): vector.eventDescriptor()
        case .none: nil
        }
    }

    mutating func arm() {
        guard vector?.consume() != nil else { return }
        // The event queue first: what an armed completion queue has to tell finds it armed.
        events.arm(statistics)
        transmit.arm()
        receive.arm()
    }

    var isBroken: Bool { transmit.ring.isBroken || receive.ring.isBroken || events.isBroken }
}
