// An I225 at work: four queue pairs with their vectors.

import Backing
import Ethernet
import I225Driver
import I225Model
import Interrupts

enum I225Inspection {
    private static let queueCount = 4
    private static let entries = 256

    static func vectors() throws -> VectorListing {
        let wire = WirePair()
        let cardEnd = wire.first
        let card = VirtualI225(I225Options(), port: cardEnd, farEnd: [])
        var configuration = I225Configuration()
        configuration.receiveQueueCount = queueCount
        var device = try card.open(configuration)
        // Where this machine's CPUs cannot be told, the vectors go anywhere.
        let spread = (try? Topology.read()).map { topology in
            var spread = AffinitySpread(.allAtOnce, over: topology, near: nil)
            spread.place(upTo: queueCount + 1)
            return spread
        }
        var leases = try device.enableInterrupts(queueCount: queueCount, spread: spread)
        let traffic = FlowTraffic(to: device.address, from: wire.second)
        for index in 0..<queueCount {
            let queue = try device.openQueuePair(index, entries: entries, vector: leases[index].take())
            try traffic.add(queue, buffers: 2 * entries, on: card.backing)
        }
        return try traffic.run {
            _ = try device.service()
            return VectorListing(
                device: card.backing.name,
                tableCount: card.backing.vectorCount,
                device.vectorStatuses
            )
        }
    }
}
