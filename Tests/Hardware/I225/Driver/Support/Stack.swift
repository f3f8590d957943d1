// A stack on the card's queue pairs.

import Backing
import I225Driver
import TestQueues

typealias CardStack = Stack<I225QueuePair<CardBacking>>

extension Rig {
    /// A stack on the queue pair `index` of `device`, with half of its buffers lent to receive into.
    func stack(
        _ device: borrowing I225Device<CardBacking>,
        _ index: Int = 0,
        bufferBytes: Int = 2048
    ) throws -> CardStack {
        var stack = try Stack(device.openQueuePair(index, entries: 64), on: backing, bufferBytes: bufferBytes)
        stack.provide(32)
        return stack
    }
}
