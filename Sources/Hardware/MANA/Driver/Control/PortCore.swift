// What a port and its queues share: which queues get the frames.

import Backing
import Leases
import MANAWire
import Synchronization

/// The steering of an open port. The port and its queues keep it alive.
final class PortCore<Backing: PCIeBacking>: Sendable {
    let adapter: MANAAdapter<Backing>
    /// In requests: the port's own handle, or the one that replaces it.
    let handle: UInt64
    let identity: PortIdentity
    let transmit: PortTransmitSettings
    let numbers: IndexPool

    private struct Steering {
        /// Objects of the receive queues that are open, by queue.
        var objects: [Int: UInt64] = [:]
        var isOn = false
        /// The queues among which the card spreads frames now.
        var steered: Set<Int> = []
    }
    private let steering = Mutex(Steering())

    init(
        _ adapter: MANAAdapter<Backing>,
        handle: UInt64,
        identity: PortIdentity,
        transmit: PortTransmitSettings,
        queueCount: Int
    ) {
        self.adapter = adapter
        self.handle = handle
        self.identity = identity
        self.transmit = transmit
        numbers = IndexPool(kind: "MANA queue pair", capacity: queueCount, census: adapter.census)
    }

    func join(_ queue: Int, object: UInt64) { steering.withLock { $0.objects[queue] = object } }

    /// Steers frames to all queues that are open now; those that have closed get none any more.
    func start() throws(DeviceError) {
        try steering.withLock { steering throws(DeviceError) in
            guard !steering.objects.isEmpty else {
                throw adapter.error(.invalidArgument, "steer", "no receive queue is open, expected one")
            }
            try apply(&steering, Set(steering.objects.keys))
        }
    }

    /// The card delivers no more frames.
    func stop() {
        steering.withLock { steering in
            guard steering.isOn else { return }
            steering.isOn = false
            steering.steered = []
            adapter.undo { () throws(DeviceError) in
                try adapter.steer(handle, entries: identity.indirectionEntries, to: [])
            }
        }
    }

    /// Takes a queue out of the spread, before it ends; whether frames can still be on their way to it.
    func leave(_ queue: Int) -> Bool {
        steering.withLock { steering in
            steering.objects[queue] = nil
            guard steering.steered.remove(queue) != nil else { return false }
            let rest = steering.steered
            adapter.undo { () throws(DeviceError) in try apply(&steering, rest) }
            return true
        }
    }

    private func apply(_ steering: inout Steering, _ queues: Set<Int>) throws(DeviceError) {
        let objects = queues.sorted().compactMap { steering.objects[$0] }
        try adapter.steer(handle, entries: identity.indirectionEntries, to: objects)
        steering.steered = queues
        steering.isOn = !objects.isEmpty
    }
}
