// A copy of every frame with the device's own time: what `--capture` writes to a pcapng file.

/// The tap of one model. A capture that is too slow loses frames, and they are counted; the device does not wait.
@safe public struct CaptureTap: ~Copyable {
    public var ring: FrameProducer?
    public private(set) var lostFrames: UInt64 = 0

    public init() {}

    public var isOpen: Bool {
        switch ring {
        case .some: true
        case .none: false
        }
    }

    /// - Parameter deviceNanoseconds: the device's clock when the frame was on the wire.
    /// SAFETY: `bytes` has `length` bytes.
    @unsafe public mutating func add(
        _ bytes: UnsafeMutableRawPointer,
        length: Int,
        deviceNanoseconds: UInt64,
        direction: FrameDirection,
        queue: Int
    ) {
        // SAFETY: the caller's frame has `length` bytes, and `reserve` gave as many.
        guard let room = unsafe ring?.reserve(length) else {
            lostFrames &+= 1
            return
        }
        unsafe room.copyMemory(from: bytes, byteCount: length)
        ring?.commit(length, wireTime: deviceNanoseconds, tag: CaptureTag(direction, queue: queue).rawValue)
    }

    /// Hands over what the burst added.
    public mutating func publish() { ring?.publish() }
}
