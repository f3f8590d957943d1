// MSI-X as the function's side: the table in BAR 3, the pending bits, and the function's own switches.
// PCI Express Base 5.0 §6.1.4.

import I225Wire
import PCIe

/// The messages of the function, masked by entry, by function, or because it may not write at all.
struct MessageVectors {
    private var table = MSIXTable(count: I225.vectorCount)
    /// Vectors whose message waits until the function may send.
    private var held: UInt32 = 0

    mutating func reset() {
        table.reset()
        held = 0
    }

    /// Whether the message of `vector` goes out now; if not, it is pending.
    mutating func fire(_ vector: Int, functionMaySend: Bool) -> Bool {
        guard functionMaySend else {
            held |= 1 << UInt32(vector)
            return false
        }
        return table.fire(vector)
    }

    /// The function may send again: the messages that go out now.
    mutating func release() -> UInt32 {
        var sent: UInt32 = 0
        for vector in 0..<table.count where held & 1 << UInt32(vector) != 0 && table.fire(vector) {
            sent |= 1 << UInt32(vector)
        }
        held = 0
        return sent
    }

    /// A word of BAR 3.
    func read(_ offset: Int) -> UInt32 {
        guard offset >= I225.msixPendingOffset else { return table.read(tableOffset: offset - I225.msixTableOffset) }
        let pending = table.read(pendingOffset: offset - I225.msixPendingOffset)
        return offset == I225.msixPendingOffset ? pending | held : pending
    }

    /// Writes a word of BAR 3; the vector whose pending message may go out by it, if any.
    mutating func write(_ offset: Int, _ value: UInt32) -> Int? {
        guard offset < I225.msixPendingOffset else { return nil }
        return table.write(tableOffset: offset - I225.msixTableOffset, value)
    }
}
