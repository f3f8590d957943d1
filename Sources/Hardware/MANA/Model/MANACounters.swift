// What a MANAModel has seen and done that no request asks for.

/// A snapshot of a model's own counts.
public struct MANACounters: Sendable, Equatable {
    // Accesses.

    /// Accesses to offsets that hold nothing.
    public var unknownAccesses: UInt64 = 0
    /// Writes of a width that their place does not take, dropped.
    public var oddWrites: UInt64 = 0
    /// Accesses while memory space was off, and queues armed while the bus was: dropped.
    public var disabledAccesses: UInt64 = 0
    /// DMA refused: addresses outside the IOVA space or without permission.
    public var dmaFaults: UInt64 = 0
    /// Doorbells of queues that are not there, or of another page than their queue's.
    public var strayDoorbells: UInt64 = 0
    /// Tails that their ring cannot have, ignored.
    public var badTails: UInt64 = 0

    // The hardware channel.

    /// Set-ups of the channel that were carried out, and those that were refused.
    public var channelsEstablished: UInt64 = 0
    public var channelsRefused: UInt64 = 0
    public var requests: UInt64 = 0
    public var requestsRefused: UInt64 = 0
    /// Requests that could not be read, or are none. They have no answer.
    public var malformedRequests: UInt64 = 0
    /// Answers that did not reach the driver: a fault, no buffer, or no way to its memory.
    public var answersLost: UInt64 = 0

    // Queues.

    /// Events for queues that are not there.
    public var homelessEvents: UInt64 = 0
    /// Completions and events that could not be written: the ring's memory was gone.
    public var unreachableRings: UInt64 = 0
    /// Receive requests whose memory could not be used.
    public var badBuffers: UInt64 = 0

    // Frames.

    public var framesSent: UInt64 = 0
    public var framesReceived: UInt64 = 0
    /// Frames for another station, or while no port received.
    public var framesFiltered: UInt64 = 0
    public var framesOfBadLength: UInt64 = 0
    public var framesDropped: UInt64 = 0
    /// Frames that did not fit the capture's ring.
    public var framesNotCaptured: UInt64 = 0

    /// Messages sent, by vector.
    public var messages: [UInt64] = []

    public init() {}
}
