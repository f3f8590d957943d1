// The card's counters, which a read clears, added up for ever. Source: igc_update_stats.

import Backing
import I225Wire
import Netdev
import Registers

/// Counters since the card was opened. One owner: the control thread.
struct I225Totals: Sendable {
    private(set) var values = [UInt64](repeating: 0, count: I225Statistic.all.count)
    private(set) var queueDrops = [UInt64](repeating: 0, count: I225.queueCount)

    /// Reads every counter once. Due every 2 s at the latest: octet counters wrap.
    mutating func update(from bar: some RegisterAccess) {
        for (index, statistic) in I225Statistic.all.enumerated() {
            guard let low = count(statistic.register, bar) else { return }
            values[index] &+= low
            guard let high = statistic.high else { continue }
            guard let high = count(high, bar) else { return }
            values[index] &+= high << 32
        }
        for queue in 0..<I225.queueCount {
            guard let drops = count(I225Register.receiveQueueDrops[queue], bar) else { return }
            queueDrops[queue] &+= drops
            // This one is not cleared by reading (igc_update_stats writes it).
            bar.write(I225Register.receiveQueueDrops[queue], 0)
        }
    }

    /// A register's count; nil if the card is gone. It then reads all ones everywhere, a real count only there.
    private func count(_ register: Register<PlainWord>, _ bar: some RegisterAccess) -> UInt64? {
        let value = bar.read(register).raw
        guard value != ~0 || bar.load(I225Register.deviceControl.offset) != ~0 else { return nil }
        return UInt64(value)
    }

    /// The sum of a counter of the MAC.
    subscript(_ register: Register<PlainWord>) -> UInt64 {
        I225Statistic.all.firstIndex { $0.register.offset == register.offset }.map { values[$0] } ?? 0
    }

    /// The counters that Linux's igc shows, by its names, without those of stamps and queues.
    var named: [NetdevStatistic] {
        zip(I225Statistic.all, values).compactMap { statistic, value in
            statistic.ethtoolName.map { NetdevStatistic($0, value) }
        } + derived
    }

    /// Sums that igc_update_stats makes of several counters.
    private var derived: [NetdevStatistic] {
        let crc = self[I225Register.crcErrors]
        let alignment = self[I225Register.alignmentErrors]
        let length = self[I225Register.undersizeReceived] &+ self[I225Register.oversizeReceived]
        let transmit = self[I225Register.excessiveCollisions] &+ self[I225Register.lateCollisions]
        return [
            NetdevStatistic("multicast", self[I225Register.multicastsReceived]),
            NetdevStatistic("rx_long_byte_count", self[I225Register.goodOctetsReceived]),
            NetdevStatistic("tx_abort_late_coll", self[I225Register.lateCollisions]),
            NetdevStatistic(
                "rx_errors",
                self[I225Register.receiveErrors] &+ crc &+ alignment &+ length
            ),
            NetdevStatistic("rx_length_errors", length),
            NetdevStatistic("rx_frame_errors", alignment),
            NetdevStatistic("tx_errors", transmit),
        ]
    }
}
