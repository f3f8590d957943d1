// A MANA at work: as many queue pairs as it has vectors for on this machine.

import Backing
import Ethernet
import Interrupts
import MANADriver
import MANAModel

enum MANAInspection {
    private static let entries = 256

    static func vectors() throws -> VectorListing {
        let wire = WirePair()
        let cardEnd = wire.first
        let card = VirtualMANA(MANAOptions(), port: cardEnd, farEnd: [])
        var device = try card.open(MANAConfiguration(), topology: try Topology.read())
        let port = try device.openPort()
        let traffic = FlowTraffic(to: port.address, from: wire.second)
        for index in 0..<port.queueCount {
            try traffic.add(
                try port.openQueuePair(index, entries: entries),
                buffers: 2 * entries,
                on: card.backing
            )
        }
        try port.steer()
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
