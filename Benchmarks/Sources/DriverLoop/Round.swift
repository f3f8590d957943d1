// One round of one language: laps of the driver, timed, and the device between them, not timed.

import Measure

enum Card: String, CaseIterable {
    case i225, mana
}

enum Language: String, CaseIterable {
    case swift, c
}

enum Direction: String, CaseIterable {
    case transmit, receive
}

/// What a round did, as the driver and the device counted it. Equal work gives equal values.
struct Work: Equatable {
    /// Frames sent, or bytes received.
    var volume: UInt64
    /// Entries that the device completed.
    var completed: UInt64
    /// Entries that were not as the contract wants them.
    var errors: UInt64
    /// Of all words that the driver wrote, in order.
    var digest: UInt64
}

/// One round.
struct RoundResult {
    var nanosecondsPerPacket: Double
    var work: Work
}

/// The size of the measurement.
struct LoopShape {
    var buffers = 1024
    /// Bursts of 32 between two turns of the device. All of them fit the ring.
    var burstsPerLap = 16
    var frameBytes: UInt32 = 64
    var laps = 4000
    var iova: UInt64 = 0x1_0000_0000

    var packets: Double { Double(laps * burstsPerLap * 32) }
}

/// What the laps of a round came to.
struct LapTotals {
    var volume: UInt64 = 0
    var nanoseconds: UInt64 = 0
}

/// Runs `lap` and `device` in turns, and times `lap`.
func timeLaps(_ count: Int, lap: () -> UInt64, device: () -> Void) -> LapTotals {
    var totals = LapTotals()
    for _ in 0..<count {
        let start = monotonicNanoseconds()
        totals.volume += lap()
        totals.nanoseconds += monotonicNanoseconds() - start
        device()
    }
    return totals
}
