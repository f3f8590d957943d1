// What a card's queues have counted, kept over suspend and reset, under the names of Linux's mana.
// Source: mana_get_strings, mana_get_ethtool_stats (mana_ethtool.c of Linux 6.12 and 7.x).

import MANAWire
import Netdev
import Synchronization

/// Counters of queues by port and number. They live as long as the card is known, not as long as it is open.
final class StatisticsBook: Sendable {
    private let ports = Mutex<[Int: [QueueStatistics]]>([:])

    func queues(ofPort port: Int, count: Int) -> [QueueStatistics] {
        ports.withLock { ports in
            var queues = ports[port] ?? []
            while queues.count < count { queues.append(QueueStatistics()) }
            ports[port] = queues
            return queues
        }
    }

    /// Counters of the port as a whole, of the function, of the physical port, then of each queue: the order of Linux 7.x.
    ///
    /// - Parameters:
    ///   - function: by `FunctionStatistic.rawValue`.
    ///   - physical: by `PhysicalStatistic.place`; nil: the card does not tell, and none is shown.
    func named(port: Int, queueCount: Int, function: [UInt64], physical: [UInt64]?) -> [NetdevStatistic] {
        let queues = queues(ofPort: port, count: queueCount)
        func sum(_ count: (QueueStatistics) -> UInt64) -> UInt64 { queues.reduce(0) { $0 &+ count($1) } }
        func value(_ place: Int, _ values: [UInt64]) -> UInt64 { values.indices.contains(place) ? values[place] : 0 }
        var all = [
            NetdevStatistic("stop_queue", sum { $0.stops.count }),
            NetdevStatistic("wake_queue", sum { $0.wakes.count }),
            NetdevStatistic("tx_cq_err", sum { $0.transmitErrors.count }),
            NetdevStatistic("tx_cqe_unknown_type", sum { $0.transmitUnknown.count }),
            NetdevStatistic("rx_cqe_unknown_type", sum { $0.receiveUnknown.count }),
            NetdevStatistic("rx_dropped", sum { $0.receiveDamaged.count }),
        ]
        all += FunctionStatistic.allCases.map { NetdevStatistic($0.name, value($0.rawValue, function)) }
        if let physical { all += PhysicalStatistic.all.map { NetdevStatistic($0.name, value($0.place, physical)) } }
        for (index, queue) in queues.prefix(queueCount).enumerated() {
            all += [
                NetdevStatistic("rx_\(index)_packets", queue.receivePackets.count),
                NetdevStatistic("rx_\(index)_bytes", queue.receiveBytes.count),
                NetdevStatistic("rx_\(index)_xdp_drop", queue.xskDropped.count),
                NetdevStatistic("rx_\(index)_xdp_redirect", queue.xskReceived.count),
                NetdevStatistic("rx_\(index)_pkt_len0_err", queue.receiveEmpty.count),
            ]
            all += (2...8).map { NetdevStatistic("rx_\(index)_coalesced_cqe_\($0)", queue.coalesced[$0 - 2].count) }
        }
        for (index, queue) in queues.prefix(queueCount).enumerated() {
            all += [
                NetdevStatistic("tx_\(index)_packets", queue.transmitPackets.count),
                NetdevStatistic("tx_\(index)_bytes", queue.transmitBytes.count),
                NetdevStatistic("tx_\(index)_xdp_xmit", queue.xskTransmitted.count),
                NetdevStatistic("tx_\(index)_tso_packets", queue.segmentedPackets.count),
                NetdevStatistic("tx_\(index)_tso_bytes", queue.segmentedBytes.count),
                NetdevStatistic("tx_\(index)_long_pkt_fmt", queue.longFormat.count),
                NetdevStatistic("tx_\(index)_short_pkt_fmt", queue.shortFormat.count),
                NetdevStatistic("tx_\(index)_csum_partial", queue.checksums.count),
            ]
        }
        // Not Linux's: it warns in its log.
        all += [
            NetdevStatistic("doorbell_wrong_queue", sum { $0.wrongQueue.count }),
            NetdevStatistic("doorbell_unexpected", sum { $0.unexpected.count }),
            NetdevStatistic("doorbell_overflows", sum { $0.overflows.count }),
            NetdevStatistic("doorbell_unknown_events", sum { $0.unknownEvents.count }),
        ]
        return all
    }
}
