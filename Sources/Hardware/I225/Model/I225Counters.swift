// What an I225Model has seen and done that no register shows.

/// A snapshot of a model's own counts.
public struct I225Counters: Sendable, Equatable {
    // The driver's side.

    /// Accesses to offsets that no register has.
    public var unknownAccesses: UInt64 = 0
    /// Writes narrower than 32 bits or across words, dropped.
    public var oddWrites: UInt64 = 0
    /// Accesses while memory space was off, dropped.
    public var disabledAccesses: UInt64 = 0
    /// Tails outside their ring, ignored.
    public var badTails: UInt64 = 0
    /// Rings that could not be reached, or whose memory is not aligned.
    public var unreachableRings: UInt64 = 0
    /// DMA refused: addresses outside the IOVA space or without permission.
    public var dmaFaults: UInt64 = 0

    // Frames out.

    public var framesTransmitted: UInt64 = 0
    /// Descriptors and frames that make no sense: reserved types, lengths, offloads. Completed, not sent.
    public var malformedTransmits: UInt64 = 0

    // Frames in.

    public var framesReceived: UInt64 = 0
    /// Frames that came while the link was down, reception off or DMA forbidden.
    public var framesIgnored: UInt64 = 0
    /// Frames for another station.
    public var framesFiltered: UInt64 = 0
    /// Frames shorter or longer than a frame may be.
    public var framesOfBadLength: UInt64 = 0
    /// Frames dropped for want of an enabled queue, a descriptor or a reachable buffer.
    public var framesDropped: UInt64 = 0

    // Stamps and messages.

    /// Requests that were given a slot, also those whose stamp was then lost.
    public var stampsTaken: UInt64 = 0
    /// Requests whose slot was occupied: hardware keeps the older stamp.
    public var stampsRefused: UInt64 = 0
    /// Requests while stamping was off.
    public var stampsDisabled: UInt64 = 0
    /// Stamps that a `StampFault` lost.
    public var stampsLost: UInt64 = 0
    /// Messages sent, by vector.
    public var messages: [UInt64] = []
    /// Frames that did not fit the capture's ring.
    public var framesNotCaptured: UInt64 = 0

    public init() {}
}
