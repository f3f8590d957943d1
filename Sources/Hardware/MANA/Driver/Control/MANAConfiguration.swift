// What a user may choose about a card.

import Backing
import Interrupts
import MANAWire

/// Settings of a card, fixed from start to stop.
public struct MANAConfiguration: Sendable, Equatable {
    /// Queue pairs of a port at most: 1...64.
    public var queueLimit = MANA.longestQueueList
    /// Largest frame, without CRC: Linux's MTU and 14.
    public var maximumFrameBytes = 1514
    /// The card hashes received frames and spreads them by it (Linux: receive-hashing).
    public var hashesReceived = true
    /// Secret of the receive hash, 40 bytes (byte 0 first).
    public var hashKey: [UInt8] = Self.defaultHashKey
    /// What is hashed.
    public var hashTypes = HashTypes.usual
    /// Frames that one completion may tell of: 1, 4, or 8 where the card can.
    public var framesPerCompletion = 1
    /// How vectors are placed.
    public var affinity = AffinityRule.oneThenOneEach
    /// How long the channel may take to answer, until the card says otherwise (HW_CHANNEL_WAIT_RESOURCE_TIMEOUT_MS).
    public var requestTimeoutNanoseconds: UInt64 = 30_000 * millisecond
    /// How long a card that asked for a reset is left alone (MANA_SERVICE_PERIOD).
    public var resetPauseNanoseconds: UInt64 = 10_000 * millisecond

    public init() {}

    /// A key of the project's own; any odd-looking constant spreads flows as well.
    public static let defaultHashKey: [UInt8] = (0..<MANA.hashKeyBytes).map {
        UInt8(truncatingIfNeeded: ($0 &* 0xB5) ^ 0x4D ^ ($0 >> 2))
    }

    /// Refuses what no card can do.
    func check(device: String) throws(DeviceError) {
        func demand(_ holds: Bool, _ expectation: String) throws(DeviceError) {
            guard !holds else { return }
            throw DeviceError(.invalidArgument, device: device, operation: "configure", "expected \(expectation)")
        }
        try demand(
            (1...MANA.longestQueueList).contains(queueLimit),
            "1 to \(MANA.longestQueueList) queues, came \(queueLimit)"
        )
        try demand(
            (64...UInt16.max).contains(UInt16(clamping: maximumFrameBytes)) && maximumFrameBytes <= 0xFFFF,
            "frames of 64 to 65535 bytes, came \(maximumFrameBytes)"
        )
        try demand(hashKey.count == MANA.hashKeyBytes, "a hash key of 40 bytes, came \(hashKey.count)")
        try demand(
            [1, 4, 8].contains(framesPerCompletion),
            "1, 4 or 8 frames per completion, came \(framesPerCompletion)"
        )
        try demand(requestTimeoutNanoseconds > 0, "a time-out above 0")
    }
}

let microsecond: UInt64 = 1_000
let millisecond: UInt64 = 1_000_000
