// When a completion queue whose driver asked for moderation tells of its completions: not of each, but when there are enough
// of them or the first one has waited long enough.
// Source: Linux mana_gd_ring_dim (gdma_main.c), mana_create_wq_obj, mana_set_coalesce of 7.x, GDMA_PF_CAP_FLAG_1 bit 15. What
// the device does with a count without a time is not said; here nothing waits without a time.

import MANAWire

/// What a driver asked for, and how long the completions have waited.
package struct CompletionModeration: Sendable, Equatable {
    /// How long the first unread completion may wait; 0: no completion waits.
    package private(set) var microseconds: UInt16 = 0
    /// How many unread completions do not wait any longer; 0: time alone counts.
    package private(set) var completions: UInt8 = 0
    /// Since when the present completions wait.
    private var since: UInt64?

    package init() {}

    /// - Parameters:
    ///   - microseconds: at most 1023 are counted; nil: as it was.
    ///   - completions: at most 255; nil: as it was.
    package mutating func set(microseconds: UInt16?, completions: UInt16?) {
        if let microseconds { self.microseconds = min(microseconds, 1023) }
        if let completions { self.completions = UInt8(min(completions, 255)) }
    }

    package var isOn: Bool { microseconds > 0 }

    /// The driver has armed the queue, or heard of it: what it has not read begins to wait.
    mutating func restart() { since = nil }

    /// Whether `unread` completions have waited enough at `now`.
    mutating func isDue(unread: UInt32, _ now: UInt64) -> Bool {
        guard unread > 0 else {
            since = nil
            return false
        }
        let start = since ?? now
        since = start
        if completions > 0, unread >= UInt32(completions) { return true }
        return now >= start &+ UInt64(microseconds) * 1000
    }

    /// When that will be, if nothing happens; nil: nothing waits.
    func deadline(unread: UInt32, _ now: UInt64) -> UInt64? {
        guard unread > 0 else { return nil }
        return (since ?? now) &+ UInt64(microseconds) * 1000
    }
}
