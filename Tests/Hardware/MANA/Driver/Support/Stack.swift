// A stack on the card's queue pairs.

import Backing
import MANADriver
import Netdev
import TestQueues

typealias CardStack = Stack<MANAQueuePair<Card>>

extension Rig {
    /// A stack on queue pair `index` of `port`, with half of its buffers lent to receive into.
    func stack(
        _ port: borrowing MANAPort<Card>,
        _ index: Int = 0,
        entries: Int = 128,
        bufferBytes: Int = 2048
    ) throws -> CardStack {
        var stack = try Stack(
            port.openQueuePair(index, entries: entries, bufferBytes: bufferBytes),
            on: backing,
            buffers: 256,
            bufferBytes: bufferBytes,
            refills: true
        )
        stack.provide(128)
        return stack
    }
}

/// The value of a counter by Linux's name.
func value(_ name: String, _ statistics: [NetdevStatistic]) -> UInt64? { statistics.first { $0.name == name }?.value }
