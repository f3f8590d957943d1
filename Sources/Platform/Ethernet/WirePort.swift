// Where a device meets the wire. A model owns one port; whatever is at the other end (another model, a switch, a TAP
// device, a test) owns the facing one. A wire is values and threads that own them; nothing is called through it.

/// One end of a wire: frames to the other end, frames from it.
@frozen public struct WirePort: ~Copyable, Sendable {
    public var transmit: FrameProducer
    public var receive: FrameConsumer

    public init(transmit: consuming FrameProducer, receive: consuming FrameConsumer) {
        self.transmit = transmit
        self.receive = receive
    }
}

/// Two facing ports. What one transmits the other receives, in order, without loss: a full wire holds the sender.
@frozen public struct WirePair: ~Copyable, Sendable {
    public var first: WirePort
    public var second: WirePort

    /// - Parameter capacity: bytes in flight each way, a power of two; 16 bytes per frame are overhead.
    public init(capacity: Int = 256 * 1024) {
        let forth = FrameRingStorage(capacity: capacity)
        let back = FrameRingStorage(capacity: capacity)
        first = WirePort(transmit: FrameProducer(forth), receive: FrameConsumer(back))
        second = WirePort(transmit: FrameProducer(back), receive: FrameConsumer(forth))
    }

    /// The two ends, to hand to their owners.
    public consuming func split(_ body: (consuming WirePort, consuming WirePort) -> Void) {
        body(first, second)
    }
}

extension WirePort {
    /// A port whose frames come back to it.
    public static func loopback(capacity: Int = 256 * 1024) -> WirePort {
        let storage = FrameRingStorage(capacity: capacity)
        return WirePort(transmit: FrameProducer(storage), receive: FrameConsumer(storage))
    }
}
