// Finds Tx queues that stand still: the rule of igc_clean_tx_irq, "head is not tail, nothing moves, no pause".

import Backing
import I225Wire
import Registers

/// Heads of the Tx queues at the last look. One owner: the control thread, which looks every two seconds.
struct TransmitWatchdog {
    private var stalledAt = InlineArray<4, UInt32?>(repeating: nil)
    private(set) var hangCount: UInt64 = 0

    /// The queues that had descriptors at the last look, have them now, and have not moved.
    mutating func look<Backing>(_ hardware: I225Hardware<Backing>, linkIsUp: Bool) -> [Int] {
        // Without a link, or while the partner pauses us, a queue may well stand still.
        guard linkIsUp, !hardware.bar.read(I225Register.deviceStatus)[.transmissionPaused] else {
            stalledAt = InlineArray(repeating: nil)
            return []
        }
        var hung: [Int] = []
        for queue in 0..<I225.queueCount {
            let head = hardware.bar.read(I225Register.transmitHead[queue]).raw
            let isWaiting =
                hardware.bar.read(I225Register.transmitQueueControl[queue])[.enabled]
                && head != hardware.bar.read(I225Register.transmitTail[queue]).raw
            if isWaiting, stalledAt[queue] == head {
                hung.append(queue)
                hangCount += 1
            }
            stalledAt[queue] = isWaiting ? head : nil
        }
        return hung
    }
}
