// What a user may choose about a card.

import Backing
import I225Wire

/// What becomes of a frame that asks for a stamp while all four registers are out.
public enum StampShortage: Sendable, Equatable {
    /// It goes out at once and its completion says "no slot".
    case report
    /// It waits for a register, and the frames behind it on the queue wait with it: order is kept.
    case wait
}

/// Settings of a card, fixed from start to stop.
public struct I225Configuration: Sendable, Equatable {
    /// Largest frame, without CRC: 64...9728.
    public var maximumFrameBytes = 1522
    /// Accept every unicast and multicast address.
    public var isPromiscuous = false
    /// Ask the partner for pause frames and honour its own.
    public var wantsFlowControl = true
    /// Queues that receive, for RSS: 1...4.
    public var receiveQueueCount = 1
    /// The card checks IP, TCP, UDP and SCTP checksums of received frames (Linux: rx-checksumming).
    public var checksReceivedSums = true
    /// The card hashes received frames and spreads them by it (Linux: receive-hashing). Needed by more than one queue.
    public var hashesReceived = true
    /// Secret of the RSS hash, 40 bytes (byte 0 first).
    public var hashKey: [UInt8] = Self.defaultHashKey
    public var stripsVLANTags = false
    /// Every received frame carries the device's time.
    public var stampsReceived = false
    /// Frames may ask for a Tx stamp.
    public var stampsTransmitted = true
    public var stampShortage = StampShortage.report
    /// A request for a stamp ends after this, with or without one.
    public var stampDeadlineNanoseconds: UInt64 = 10_000_000
    /// How long an abandoned stamp register waits for its late stamp before it is lent again.
    public var stampQuarantineNanoseconds: UInt64 = 100_000_000
    /// How long a look at the stamp registers that found nothing is good for.
    public var stampCollectIntervalNanoseconds: UInt64 = 2_000
    /// Gap between two interrupt messages of a vector, in µs: 0...8191 (EITR has 13 bits).
    public var interruptGapMicroseconds = 49
    /// How long to wait for the link at the start, 0: not at all.
    public var linkTimeoutNanoseconds: UInt64 = 10_000_000_000

    public init() {}

    /// A key of the project's own; any odd-looking constant spreads flows as well.
    public static let defaultHashKey: [UInt8] = (0..<40).map {
        UInt8(truncatingIfNeeded: ($0 &* 0x9D) ^ 0x6D ^ ($0 >> 3))
    }

    /// Refuses what no card can do.
    func check(device: String) throws(DeviceError) {
        func demand(_ holds: Bool, _ expectation: String) throws(DeviceError) {
            guard !holds else { return }
            throw DeviceError(.invalidArgument, device: device, operation: "configure", "expected \(expectation)")
        }
        try demand(
            (64...I225.longestFrameBytes).contains(maximumFrameBytes),
            "frames of 64 to \(I225.longestFrameBytes) bytes, came \(maximumFrameBytes)"
        )
        try demand(
            (1...I225.queueCount).contains(receiveQueueCount),
            "1 to \(I225.queueCount) receive queues, came \(receiveQueueCount)"
        )
        try demand(hashesReceived || receiveQueueCount == 1, "one receive queue without hashing")
        try demand(hashKey.count == 40, "a hash key of 40 bytes, came \(hashKey.count)")
        try demand(
            (0...8191).contains(interruptGapMicroseconds),
            "an interrupt gap of 0 to 8191 µs, came \(interruptGapMicroseconds)"
        )
        try demand(stampDeadlineNanoseconds > 0, "a stamp deadline above 0")
        try demand(
            stampQuarantineNanoseconds >= stampDeadlineNanoseconds,
            "a quarantine no shorter than the deadline of \(stampDeadlineNanoseconds) ns, came \(stampQuarantineNanoseconds)"
        )
    }
}
