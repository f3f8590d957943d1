// Room for what is taken out of a ring at once: made once per queue, filled again and again. Behind a pointer, because
// the compiler copies an `InlineArray` of structures whole when one element of it is read (Swift 6.3): that costs several
// times the burst itself. An `InlineArray` of plain integers has no such cost.

/// Frames to send, as `XSKPool.peekTransmit` takes them.
@safe @frozen public struct XSKTransmitBurst: ~Copyable, @unchecked Sendable {
    // SAFETY (both bursts): one owner, handed over by consuming; `capacity` elements, made by `init`.
    @inlinable public static var capacity: Int { 32 }
    @usableFromInline let frames: UnsafeMutablePointer<XSKTransmitFrame>

    public init() {
        unsafe frames = .allocate(capacity: Self.capacity)
        unsafe frames.initialize(
            repeating: XSKTransmitFrame(address: 0, length: 0, request: []),
            count: Self.capacity
        )
    }

    deinit { unsafe frames.deallocate() }

    @inlinable public subscript(index: Int) -> XSKTransmitFrame {
        precondition(index >= 0 && index < Self.capacity, "frame index out of range")
        return unsafe frames[index]
    }
}

/// Received frames, as `XSKProgram.receive` takes them.
@safe @frozen public struct XSKReceiveBurst: ~Copyable, @unchecked Sendable {
    @inlinable public static var capacity: Int { 32 }
    @usableFromInline let frames: UnsafeMutablePointer<XSKDescriptor>

    public init() {
        unsafe frames = .allocate(capacity: Self.capacity)
        unsafe frames.initialize(repeating: XSKDescriptor(address: 0, length: 0), count: Self.capacity)
    }

    deinit { unsafe frames.deallocate() }

    @inlinable public subscript(index: Int) -> XSKDescriptor {
        precondition(index >= 0 && index < Self.capacity, "frame index out of range")
        return unsafe frames[index]
    }
}
