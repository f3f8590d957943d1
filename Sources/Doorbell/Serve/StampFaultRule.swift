// A fault to inject into a served card, as a command line names it.

import I225Model

/// What happens to one transmit stamp: `NUMBER=lost`, or `NUMBER=MILLISECONDS` by which it comes late.
public struct StampFaultRule: Sendable, Equatable {
    /// Which stamp, counted from 0 over all slots since the card was made.
    let number: Int
    let fault: StampFault

    /// Nil for anything else, and for more than an hour.
    public init?(_ text: String) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int(parts[0]), number >= 0 else { return nil }
        self.number = number
        if parts[1] == "lost" {
            fault = .lost
        } else {
            guard let milliseconds = UInt64(parts[1]), milliseconds <= 3_600_000 else { return nil }
            fault = .late(milliseconds * 1_000_000)
        }
    }
}
