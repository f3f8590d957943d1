// What a queue counts, readable by the control thread while the queue's owner works.
// Names: mana_ethtool.c of Linux 6.12 and 7.x.

import Synchronization

/// A counter with one writer: a load and a store do, and cost no locked instruction.
struct SingleWriterCounter: ~Copyable {
    private let value = Atomic<UInt64>(0)

    var count: UInt64 { value.load(ordering: .relaxed) }

    func add(_ amount: UInt64 = 1) {
        value.store(value.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }
}

/// Totals of one queue pair, for as long as the port is known. One writer at a time, any readers.
public final class QueueStatistics: Sendable {
    let transmitPackets = SingleWriterCounter()
    let transmitBytes = SingleWriterCounter()
    let segmentedPackets = SingleWriterCounter()
    let segmentedBytes = SingleWriterCounter()
    let longFormat = SingleWriterCounter()
    let shortFormat = SingleWriterCounter()
    let checksums = SingleWriterCounter()
    let stops = SingleWriterCounter()
    let wakes = SingleWriterCounter()
    let receivePackets = SingleWriterCounter()
    let receiveBytes = SingleWriterCounter()
    /// Completions that told of two frames, of three, and so on to eight.
    let coalesced = InlineArray<7, SingleWriterCounter> { _ in SingleWriterCounter() }
    let xskReceived = SingleWriterCounter()
    let xskDropped = SingleWriterCounter()
    let xskTransmitted = SingleWriterCounter()
    // What the device said that is an error, or cannot be.
    let transmitErrors = SingleWriterCounter()
    let transmitUnknown = SingleWriterCounter()
    let receiveUnknown = SingleWriterCounter()
    let receiveEmpty = SingleWriterCounter()
    let receiveDamaged = SingleWriterCounter()
    let wrongQueue = SingleWriterCounter()
    let unexpected = SingleWriterCounter()
    let overflows = SingleWriterCounter()
    let unknownEvents = SingleWriterCounter()

    init() {}
}
