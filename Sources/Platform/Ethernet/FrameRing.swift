// Frames on their way from one port to another: a byte ring between one producer thread and one consumer thread.
// A port is two of them. No frame is an object; a burst is published, and paid for, once.

import CLinux
import Glibc
import Synchronization

/// The longest frame a ring carries, without CRC: jumbo frames of every device here fit.
public let maximumFrameBytes = 9728

/// What both ends of a frame ring share; it keeps the memory.
@safe @usableFromInline final class FrameRingStorage: @unchecked Sendable {
    // SAFETY (Sendable): the indices are atomics on lines of their own; bytes between them belong to one end at a time.
    @usableFromInline let control: UnsafeMutableRawPointer
    @usableFromInline let bytes: UnsafeMutableRawPointer
    @usableFromInline let capacity: Int
    @usableFromInline let wakeDescriptor: Int32

    init(capacity: Int) {
        precondition(capacity >= 4 * maximumFrameBytes && capacity.nonzeroBitCount == 1, "frame ring capacity")
        self.capacity = capacity
        unsafe control = .allocate(byteCount: FrameRingLine.count * FrameRingLine.stride, alignment: 128)
        unsafe control.initializeMemory(
            as: UInt8.self,
            repeating: 0,
            count: FrameRingLine.count * FrameRingLine.stride
        )
        unsafe bytes = .allocate(byteCount: capacity, alignment: 128)
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0, count: capacity)
        wakeDescriptor = clinux_eventfd()
    }

    deinit {
        unsafe control.deallocate()
        unsafe bytes.deallocate()
        close(wakeDescriptor)
    }

    @inline(never) @usableFromInline func wake() {
        var one: UInt64 = 1
        _ = unsafe write(wakeDescriptor, &one, 8)
    }

    @usableFromInline func drainWake() {
        var value: UInt64 = 0
        _ = unsafe read(wakeDescriptor, &value, 8)
    }
}

/// The words of the control block, a pair of cache lines each: two threads write them.
@usableFromInline enum FrameRingLine {
    @inlinable static var stride: Int { 128 }
    @inlinable static var count: Int { 4 }
    /// Bytes ever published by the producer.
    @inlinable static var produced: Int { 0 }
    /// Bytes ever released by the consumer.
    @inlinable static var consumed: Int { 1 }
    /// Not zero while the consumer sleeps.
    @inlinable static var sleeping: Int { 2 }
    /// Not zero once an end is gone.
    @inlinable static var closed: Int { 3 }
}

extension UnsafeMutableRawPointer {
    /// SAFETY: `self` is a control block.
    @unsafe @inlinable func line(_ number: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        unsafe (self + number &* 128).assumingMemoryBound(to: Atomic<UInt64>.self)
    }
}

/// In front of every frame in a ring; 16 bytes.
@frozen @usableFromInline struct FrameHeader {
    @usableFromInline var length: UInt32
    @usableFromInline var tag: UInt32
    @usableFromInline var wireTime: UInt64

    /// No frame: the next record is at the start of the ring.
    @usableFromInline static var wrapMark: UInt32 { ~0 }

    @inlinable init(length: UInt32, tag: UInt32, wireTime: UInt64) {
        self.length = length
        self.tag = tag
        self.wireTime = wireTime
    }

    /// Bytes that a frame takes in a ring: header and data, up to a multiple of 16.
    @inlinable static func recordBytes(_ length: Int) -> Int { (length &+ 16 &+ 15) & ~15 }
}

/// The sending end of a frame ring. One thread at a time.
@safe @frozen public struct FrameProducer: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): handed over by consuming; see FrameRingStorage.
    @usableFromInline let storage: FrameRingStorage
    @usableFromInline let control: UnsafeMutableRawPointer
    @usableFromInline let bytes: UnsafeMutableRawPointer
    @usableFromInline let capacity: Int
    @usableFromInline var position: UInt64 = 0
    @usableFromInline var published: UInt64 = 0
    @usableFromInline var knownConsumed: UInt64 = 0

    init(_ storage: FrameRingStorage) {
        self.storage = storage
        unsafe control = storage.control
        unsafe bytes = storage.bytes
        capacity = storage.capacity
    }

    deinit {
        unsafe control.line(FrameRingLine.closed).pointee.store(1, ordering: .sequentiallyConsistent)
        storage.wake()
    }

    /// Whether the other end is gone: frames go nowhere.
    public var isClosed: Bool {
        unsafe control.line(FrameRingLine.closed).pointee.load(ordering: .relaxed) != 0
    }

    /// Room for a frame of up to `length` bytes, 16-byte aligned; nil while the ring is full. Fill it, then `commit`.
    ///
    /// SAFETY: the pointer is good for `length` bytes until `commit` or the next `reserve`.
    @unsafe @inlinable public mutating func reserve(_ length: Int) -> UnsafeMutableRawPointer? {
        precondition(length >= 0 && length <= maximumFrameBytes, "frame length")
        let needed = FrameHeader.recordBytes(length)
        var offset = Int(truncatingIfNeeded: position) & (capacity &- 1)
        let untilEnd = capacity &- offset
        let skipped = needed > untilEnd ? untilEnd : 0
        // One header's room stays free, so that a wrap mark always fits.
        let total = UInt64(truncatingIfNeeded: needed &+ skipped &+ 16)
        if position &+ total &- knownConsumed > UInt64(truncatingIfNeeded: capacity) {
            knownConsumed = unsafe control.line(FrameRingLine.consumed).pointee.load(ordering: .acquiring)
            guard position &+ total &- knownConsumed <= UInt64(truncatingIfNeeded: capacity) else { return nil }
        }
        if skipped != 0 {
            unsafe (bytes + offset).storeBytes(of: FrameHeader.wrapMark, as: UInt32.self)
            position &+= UInt64(truncatingIfNeeded: skipped)
            offset = 0
        }
        return unsafe bytes + (offset &+ 16)
    }

    /// Ends the frame that `reserve` gave room for. It is not seen before `publish`.
    ///
    /// - Parameters:
    ///   - length: its bytes, at most what was reserved.
    ///   - wireTime: when its first bit went out, by the host's clock.
    ///   - tag: a word for the consumer; the meaning is the ring's users'.
    @inlinable public mutating func commit(_ length: Int, wireTime: UInt64, tag: UInt32 = 0) {
        precondition(length >= 0 && length <= maximumFrameBytes, "frame length")
        let offset = Int(truncatingIfNeeded: position) & (capacity &- 1)
        let header = FrameHeader(length: UInt32(truncatingIfNeeded: length), tag: tag, wireTime: wireTime)
        // SAFETY: `reserve` made sure that a record of this size fits here.
        unsafe (bytes + offset).storeBytes(of: header, as: FrameHeader.self)
        position &+= UInt64(truncatingIfNeeded: FrameHeader.recordBytes(length))
    }

    /// Hands all committed frames to the consumer; wakes it if it sleeps.
    @inlinable public mutating func publish() {
        guard position != published else { return }
        published = position
        // Sequentially consistent for the same reason as a doorbell: the consumer must not sleep on a frame unseen.
        unsafe control.line(FrameRingLine.produced).pointee.store(position, ordering: .sequentiallyConsistent)
        if unsafe control.line(FrameRingLine.sleeping).pointee.load(ordering: .sequentiallyConsistent) != 0 {
            storage.wake()
        }
    }

    /// Copies one frame in and publishes it; false while the ring is full or the frame is longer than it carries.
    public mutating func send(_ frame: RawSpan, wireTime: UInt64, tag: UInt32 = 0) -> Bool {
        guard frame.byteCount <= maximumFrameBytes, let room = unsafe reserve(frame.byteCount) else { return false }
        unsafe frame.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { unsafe room.copyMemory(from: start, byteCount: bytes.count) }
        }
        commit(frame.byteCount, wireTime: wireTime, tag: tag)
        publish()
        return true
    }
}

/// A frame at the head of a ring, borrowed until `consume`.
@unsafe @frozen public struct FrameView {
    public let bytes: UnsafeMutableRawPointer
    public let length: Int
    public let wireTime: UInt64
    public let tag: UInt32

    @inlinable init(bytes: UnsafeMutableRawPointer, length: Int, wireTime: UInt64, tag: UInt32) {
        unsafe self.bytes = bytes
        unsafe self.length = length
        unsafe self.wireTime = wireTime
        unsafe self.tag = tag
    }
}

/// The receiving end of a frame ring. One thread at a time.
@safe @frozen public struct FrameConsumer: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): handed over by consuming; see FrameRingStorage.
    @usableFromInline let storage: FrameRingStorage
    @usableFromInline let control: UnsafeMutableRawPointer
    @usableFromInline let bytes: UnsafeMutableRawPointer
    @usableFromInline let capacity: Int
    @usableFromInline var position: UInt64 = 0
    @usableFromInline var released: UInt64 = 0
    @usableFromInline var knownProduced: UInt64 = 0

    init(_ storage: FrameRingStorage) {
        self.storage = storage
        unsafe control = storage.control
        unsafe bytes = storage.bytes
        capacity = storage.capacity
    }

    deinit {
        unsafe control.line(FrameRingLine.closed).pointee.store(1, ordering: .sequentiallyConsistent)
    }

    /// Whether the other end is gone: no frame will come after those in the ring.
    public var isClosed: Bool {
        unsafe control.line(FrameRingLine.closed).pointee.load(ordering: .relaxed) != 0
    }

    /// The oldest frame, or nil. It stays until `consume`.
    ///
    /// SAFETY: the bytes are the consumer's, also to change, until `release` after its `consume`.
    @unsafe @inlinable public mutating func peek() -> FrameView? {
        if position == knownProduced {
            knownProduced = unsafe control.line(FrameRingLine.produced).pointee.load(ordering: .acquiring)
            guard position != knownProduced else { return nil }
        }
        var offset = Int(truncatingIfNeeded: position) & (capacity &- 1)
        if unsafe (bytes + offset).load(as: UInt32.self) == FrameHeader.wrapMark {
            position &+= UInt64(truncatingIfNeeded: capacity &- offset)
            offset = 0
            // A producer may have made room at the start of the ring, published, and not yet used the room.
            if position == knownProduced {
                knownProduced = unsafe control.line(FrameRingLine.produced).pointee.load(ordering: .acquiring)
                guard position != knownProduced else { return nil }
            }
        }
        let header = unsafe (bytes + offset).load(as: FrameHeader.self)
        return unsafe FrameView(
            bytes: bytes + (offset &+ 16),
            length: Int(truncatingIfNeeded: header.length),
            wireTime: header.wireTime,
            tag: header.tag
        )
    }

    /// Goes past the frame that `peek` gave.
    @inlinable public mutating func consume(_ frame: FrameView) {
        position &+= UInt64(truncatingIfNeeded: unsafe FrameHeader.recordBytes(frame.length))
    }

    /// Gives the room of all consumed frames back to the producer. Once per burst.
    @inlinable public mutating func release() {
        guard position != released else { return }
        released = position
        unsafe control.line(FrameRingLine.consumed).pointee.store(position, ordering: .releasing)
    }

    /// Bytes that wait in the ring, headers included.
    @inlinable public mutating func backlogBytes() -> Int {
        knownProduced = unsafe control.line(FrameRingLine.produced).pointee.load(ordering: .acquiring)
        return Int(truncatingIfNeeded: knownProduced &- position)
    }

    /// Copies the oldest frame out and goes past it; nil if there is none.
    public mutating func receive() -> [UInt8]? {
        guard let frame = unsafe peek() else { return nil }
        let copy = unsafe [UInt8](UnsafeRawBufferPointer(start: frame.bytes, count: frame.length))
        unsafe consume(frame)
        release()
        return copy
    }

    /// Readable when frames came while `setSleeping(true)` was in force.
    public var wakeDescriptor: Int32 { storage.wakeDescriptor }

    /// Says that the consumer is about to sleep, or is awake again. It must peek once more after saying so.
    public func setSleeping(_ sleeping: Bool) {
        unsafe control.line(FrameRingLine.sleeping).pointee.store(sleeping ? 1 : 0, ordering: .sequentiallyConsistent)
        if !sleeping { storage.drainWake() }
    }
}

/// A wire one way: frames from one producer to one consumer.
@frozen public struct FrameRing: ~Copyable, Sendable {
    public var producer: FrameProducer
    public var consumer: FrameConsumer

    /// - Parameter capacity: bytes in flight, a power of two; 16 bytes per frame are overhead.
    public init(capacity: Int = 256 * 1024) {
        let storage = FrameRingStorage(capacity: capacity)
        producer = FrameProducer(storage)
        consumer = FrameConsumer(storage)
    }
}
