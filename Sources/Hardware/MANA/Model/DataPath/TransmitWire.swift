// Between the send queues and the wire: room for frames, counts, the capture's copy.

import Ethernet

@safe struct TransmitWire: ~Copyable {
    // SAFETY: `reserve` lends room in the wire's ring until `finish`; all writes stay inside what was asked for. The
    // scratch is allocated by init with `scratchBytes`, freed by deinit, and used within one burst.
    private var producer: FrameProducer
    var tap = CaptureTap()
    /// Without a tag.
    let longestFrame: Int
    private(set) var frames: UInt64 = 0
    private var now: UInt64 = 0
    private var isCapturing = false
    /// What `reserve` lent last.
    private var lentBytes = 0

    /// Where a frame lies while it is cut into segments: the longest that Linux makes (GSO_MAX_SIZE), and headers.
    let scratch: UnsafeMutableRawPointer
    static var scratchBytes: Int { 8 * 65536 + 1024 }

    init(_ producer: consuming FrameProducer, longestFrame: Int) {
        precondition(longestFrame + VLANTag.byteCount <= maximumFrameBytes, "longer than a wire carries")
        self.producer = producer
        self.longestFrame = longestFrame
        unsafe scratch = .allocate(byteCount: Self.scratchBytes, alignment: 64)
    }

    deinit { unsafe scratch.deallocate() }

    mutating func begin(now: UInt64) {
        self.now = now
        isCapturing = tap.isOpen
    }

    /// Hands over what the burst committed.
    mutating func end() {
        producer.publish()
        tap.publish()
    }

    /// Room for a frame; nil while the wire is full.
    ///
    /// SAFETY: good for `length` bytes until `finish`.
    @unsafe @inline(__always) mutating func reserve(_ length: Int) -> UnsafeMutableRawPointer? {
        lentBytes = length
        return unsafe producer.reserve(length)
    }

    /// The frame in `room` is complete and goes out.
    ///
    /// SAFETY: `room` is what `reserve` gave last, for at least `length` bytes, all of them written; at least 14.
    @unsafe @inline(__always) mutating func finish(
        _ room: UnsafeMutableRawPointer,
        length: Int,
        queue: Int,
        _ counters: inout FunctionCounters
    ) {
        assert(length <= lentBytes, "more than was lent")
        counters.addSent(length, destination: unsafe room.loadUnaligned(as: UInt64.self))
        frames &+= 1
        if isCapturing {
            unsafe tap.add(room, length: length, deviceNanoseconds: now, direction: .transmitted, queue: queue)
        }
        producer.commit(length, wireTime: now, tag: UInt32(truncatingIfNeeded: queue))
    }
}
