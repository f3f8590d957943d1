// Bursts of a socket's two directions.

import Rings

/// Frames to send, as `XSKPool.peekTransmit` takes them.
public typealias XSKTransmitBurst = Burst<XSKTransmitFrame>

extension Burst where Element == XSKTransmitFrame {
    public init() { self.init(repeating: XSKTransmitFrame(address: 0, length: 0, request: [])) }
}

/// Received frames, as `XSKProgram.receive` takes them.
public typealias XSKReceiveBurst = Burst<XSKDescriptor>

extension Burst where Element == XSKDescriptor {
    public init() { self.init(repeating: XSKDescriptor(address: 0, length: 0)) }
}
