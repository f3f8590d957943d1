// A copy of every frame with the device's own time: what `--capture` writes to a pcapng file.

import Ethernet

/// Which way a captured frame went: bits 7:0 of its tag. The queue is in bits 15:8.
public enum CaptureDirection: UInt32, Sendable {
    case received = 0
    case transmitted = 1

    /// The tag of a captured frame.
    public func tag(queue: Int) -> UInt32 { rawValue | UInt32(queue) << 8 }
}

/// The tap of one model. A capture that is too slow loses frames, and they are counted; the device does not wait.
@safe struct CaptureTap: ~Copyable {
    var ring: FrameProducer?
    private(set) var lostFrames: UInt64 = 0

    var isOpen: Bool {
        switch ring {
        case .some: true
        case .none: false
        }
    }

    /// - Parameter deviceNanoseconds: timer 0 when the frame was on the wire.
    mutating func add(
        _ bytes: UnsafeMutableRawPointer,
        length: Int,
        deviceNanoseconds: UInt64,
        direction: CaptureDirection,
        queue: Int
    ) {
        // SAFETY: the caller's frame has `length` bytes, and `reserve` gave as many.
        guard let room = unsafe ring?.reserve(length) else {
            lostFrames &+= 1
            return
        }
        unsafe room.copyMemory(from: bytes, byteCount: length)
        ring?.commit(length, wireTime: deviceNanoseconds, tag: direction.tag(queue: queue))
    }

    /// Hands over what the burst added.
    mutating func publish() { ring?.publish() }
}
