// A copy of every frame with the device's own time: what `--capture` writes to a pcapng file.

import Ethernet

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
    mutating func publish() { ring?.publish() }
}
