// Where messages are put together: bytes that grow to what is needed and keep their memory.

/// A growing run of bytes, one or more messages to one receiver. Its memory is zeroed once, when it is obtained: whatever
/// fills a message, nothing of this process leaves with it but what the same receiver was sent before.
@safe public struct MessageBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    public private(set) var count = 0

    public init(capacity: Int) {
        self.capacity = max(capacity, 64)
        unsafe base = Self.allocate(self.capacity)
    }

    private static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 16)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        return unsafe memory
    }

    deinit { unsafe base.deallocate() }

    /// All bytes so far.
    @_lifetime(borrow self)
    public func bytes() -> RawSpan {
        // SAFETY: all `count` bytes have been written; nothing moves them while `self` is borrowed.
        unsafe _overrideLifetime(RawSpan(_unsafeStart: base, byteCount: count), borrowing: self)
    }

    /// Forgets all bytes behind the first `count`.
    public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count, "truncation grows the buffer")
        self.count = count
    }

    @inline(__always)
    public mutating func append<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        reserve(MemoryLayout<Value>.size)
        // SAFETY: `reserve` made the room.
        unsafe base.storeBytes(of: value, toByteOffset: count, as: Value.self)
        count += MemoryLayout<Value>.size
    }

    /// Appends four words, which most structures begin with.
    mutating func append(_ first: UInt32, _ second: UInt32, _ third: UInt32, _ fourth: UInt32) {
        append(first)
        append(second)
        append(third)
        append(fourth)
    }

    /// Appends the low 1, 2, 4 or 8 bytes of `value`.
    public mutating func append(_ value: UInt64, byteCount: Int) {
        switch byteCount {
        case 1: append(UInt8(truncatingIfNeeded: value))
        case 2: append(UInt16(truncatingIfNeeded: value))
        case 8: append(value)
        default: append(UInt32(truncatingIfNeeded: value))
        }
    }

    public mutating func append(_ bytes: RawSpan) {
        reserve(bytes.byteCount)
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe (base + count).copyMemory(from: start, byteCount: source.count)
        }
        count += bytes.byteCount
    }

    public mutating func append(_ text: String) {
        for byte in text.utf8 { append(byte) }
    }

    /// Appends `byteCount` bytes and lets `fill` write them. It writes all of them: they may hold what an earlier message
    /// did.
    public mutating func append(byteCount: Int, fill: (inout MutableRawSpan) -> Void) {
        precondition(byteCount >= 0, "a negative number of bytes")
        reserve(byteCount)
        // SAFETY: `reserve` made the room, and all memory has been initialised.
        var span = unsafe MutableRawSpan(_unsafeStart: base + count, byteCount: byteCount)
        fill(&span)
        count += byteCount
    }

    /// Replaces the integer at `offset`.
    @inline(__always)
    public mutating func replace(at offset: Int, with value: UInt32) {
        precondition(offset >= 0 && offset <= count - 4, "replacement outside the buffer")
        unsafe base.storeBytes(of: value, toByteOffset: offset, as: UInt32.self)
    }

    @inline(__always)
    private mutating func reserve(_ byteCount: Int) {
        if byteCount > capacity - count { grow(byteCount) }
    }

    @inline(never)
    private mutating func grow(_ byteCount: Int) {
        let wanted = max(count + byteCount, 2 * capacity)
        let larger = unsafe Self.allocate(wanted)
        unsafe larger.copyMemory(from: base, byteCount: count)
        unsafe base.deallocate()
        unsafe base = larger
        capacity = wanted
    }
}

extension MessageBuffer {
    /// Starts a message: its header, whose size `finish` puts in. The offset of the message.
    @inline(__always)
    public mutating func begin(_ header: MessageHeader) -> Int {
        let start = count
        header.write(to: &self)
        return start
    }

    /// Ends the message that began at `start`; `more` bytes follow from elsewhere.
    @inline(__always)
    public mutating func finish(_ start: Int, more: UInt32 = 0) {
        replace(at: start + 4, with: UInt32(count - start) + more)
    }
}
