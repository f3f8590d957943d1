// The test's end of a wire. A class, because `#expect` cannot hold noncopyable values.

import Ethernet

/// A frame as it arrived.
struct ReceivedFrame: Equatable {
    var bytes: [UInt8]
    var wireTime: UInt64
    var tag: UInt32
}

final class Station {
    private var port: WirePort

    init(_ port: consuming WirePort) { self.port = port }

    /// Both ends of a new wire: the station's, and the one to hand to what is tested.
    static func onNewWire(capacity: Int = 256 * 1024) -> (station: Station, facing: PortBox) {
        let wire = WirePair(capacity: capacity)
        return (Station(wire.first), PortBox(wire.second))
    }

    /// Whether the wire took the frame.
    func send(_ frame: [UInt8], wireTime: UInt64 = 0, tag: UInt32 = 0) -> Bool {
        // SAFETY: an array's bytes are initialised.
        unsafe port.transmit.send(frame.span.bytes, wireTime: wireTime, tag: tag)
    }

    func receive() -> ReceivedFrame? {
        guard let frame = unsafe port.receive.peek() else { return nil }
        // SAFETY: the bytes are ours until `release`.
        let received = ReceivedFrame(
            bytes: unsafe [UInt8](UnsafeRawBufferPointer(start: frame.bytes, count: frame.length)),
            wireTime: unsafe frame.wireTime,
            tag: unsafe frame.tag
        )
        unsafe port.receive.consume(frame)
        port.receive.release()
        return received
    }

    /// All frames that wait, oldest first.
    func receiveAll() -> [[UInt8]] {
        var frames: [[UInt8]] = []
        while let frame = receive() { frames.append(frame.bytes) }
        return frames
    }

    /// Takes room for the longest frame, does not use it, and publishes.
    func reserveInVain() -> Bool {
        // SAFETY: the room is not touched.
        let hasRoom = unsafe port.transmit.reserve(maximumFrameBytes) != nil
        port.transmit.publish()
        return hasRoom
    }
}

/// Carries a noncopyable port through a tuple.
final class PortBox {
    private var port: WirePort?

    init(_ port: consuming WirePort) { self.port = consume port }

    func take() throws -> WirePort {
        guard let port = port.take() else { throw PortIsGone() }
        return port
    }

    private struct PortIsGone: Error {}
}
