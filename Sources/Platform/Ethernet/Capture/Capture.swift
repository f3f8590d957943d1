// From a device to a capture file: the model copies its frames into a ring, and this writes them out, on a thread that
// may be slow.

import Clock

/// What the tag of a captured frame says.
@frozen public struct CaptureTag: Sendable, Equatable {
    /// Bits 0 to 7: the direction; from bit 8 up: the queue.
    public let rawValue: UInt32

    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable public init(_ direction: FrameDirection, queue: Int) {
        rawValue = direction.rawValue | UInt32(truncatingIfNeeded: queue) &<< 8
    }

    /// Nil if the tag is no tag of a captured frame.
    @inlinable public var direction: FrameDirection? { FrameDirection(rawValue: rawValue & 0xFF) }

    @inlinable public var queue: Int { Int(rawValue &>> 8) }
}

/// What a capture did with the frames it got.
public struct CaptureCounters: Sendable, Equatable {
    /// Frames in the file, or soon.
    public var frames: UInt64 = 0
    /// Frames that could not be written.
    public var lost: UInt64 = 0
    /// Frames whose tag names no queue or direction; not written.
    public var mislabelled: UInt64 = 0

    public init() {}
}

/// Writes the frames of a ring to a capture file. The wire time of a frame is its time in the file, in nanoseconds;
/// its tag is a `CaptureTag`. Belongs to the thread that polls it.
public final class Capture: Pollable {
    private var ring: FrameConsumer
    private var writer: PcapngWriter
    private let interfaces: [Int]
    private let clock: DeviceClock
    private var flushDeadline: UInt64?
    private var mislabelled: UInt64 = 0

    private static let burst = 256
    /// How long a frame waits in memory at most: whoever looks at the file while it grows sees it soon.
    private static let flushNanoseconds: UInt64 = 100_000_000

    /// - Parameters:
    ///   - ring: where the device's tap puts its copies.
    ///   - writer: the file.
    ///   - queueNames: what Wireshark calls the interface of each queue, from queue 0 on.
    ///   - snapLength: bytes of a frame to keep.
    ///   - clock: says when waiting frames are written out.
    public init(
        _ ring: consuming FrameConsumer,
        to writer: consuming PcapngWriter,
        queueNames: [String],
        snapLength: Int = maximumFrameBytes,
        clock: DeviceClock
    ) {
        var interfaces: [Int] = []
        for name in queueNames { interfaces.append(writer.addInterface(named: name, snapLength: snapLength)) }
        self.interfaces = interfaces
        self.ring = ring
        self.writer = writer
        self.clock = clock
    }

    deinit { try? finish() }

    public var counters: CaptureCounters {
        var counters = CaptureCounters()
        counters.frames = writer.counters.frames
        counters.lost = writer.counters.lost
        counters.mislabelled = mislabelled
        return counters
    }

    /// Why the file cannot be written any more; told once.
    public func takeFailure() -> PcapngError? { writer.takeFailure() }

    public func poll() -> Bool {
        let worked = drainBurst(of: &ring, into: &writer) > 0
        guard writer.hasUnwritten else {
            flushDeadline = nil
            return worked
        }
        let now = clock.now
        guard let deadline = flushDeadline else {
            flushDeadline = now &+ Self.flushNanoseconds
            return worked
        }
        guard now >= deadline else { return worked }
        writer.flush()
        flushDeadline = nil
        return true
    }

    /// Writes out all frames that wait. For the end, when nobody sends any more.
    public func finish() throws(PcapngError) {
        while drainBurst(of: &ring, into: &writer) > 0 {}
        writer.flush()
        flushDeadline = nil
        if let failure = writer.takeFailure() { throw failure }
    }

    public var nextDeadline: UInt64? { flushDeadline }

    public var wakeDescriptors: [Int32] { [ring.wakeDescriptor] }

    public func setSleeping(_ sleeping: Bool) { ring.setSleeping(sleeping) }

    private func drainBurst(of ring: inout FrameConsumer, into writer: inout PcapngWriter) -> Int {
        var frames = 0
        // SAFETY: the frame is ours until `release`.
        while frames < Self.burst, let frame = unsafe ring.peek() {
            let tag = unsafe CaptureTag(rawValue: frame.tag)
            if let direction = tag.direction, tag.queue < interfaces.count {
                let bytes = unsafe RawSpan(_unsafeStart: frame.bytes, byteCount: frame.length)
                let time = unsafe frame.wireTime
                writer.append(bytes, interface: interfaces[tag.queue], time: time, direction: direction)
            } else {
                mislabelled &+= 1
            }
            unsafe ring.consume(frame)
            frames &+= 1
        }
        ring.release()
        return frames
    }
}
