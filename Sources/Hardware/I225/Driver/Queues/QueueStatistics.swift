// What a queue counts, readable by the control thread while the queue's owner works.

import Synchronization

/// Totals of one queue and direction. One writer, any readers.
public final class QueueStatistics: Sendable {
    private let packetCount = Atomic<UInt64>(0)
    private let byteCount = Atomic<UInt64>(0)

    package init() {}

    public var packets: UInt64 { packetCount.load(ordering: .relaxed) }
    public var bytes: UInt64 { byteCount.load(ordering: .relaxed) }

    /// Once per burst, by the queue's owner. One writer: a load and a store do, and cost no locked instruction.
    func add(packets: Int, bytes: UInt64) {
        packetCount.store(packetCount.load(ordering: .relaxed) &+ UInt64(packets), ordering: .relaxed)
        byteCount.store(byteCount.load(ordering: .relaxed) &+ bytes, ordering: .relaxed)
    }
}
