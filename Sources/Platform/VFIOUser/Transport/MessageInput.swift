// The receiving half of a connection: one recvmsg fills a buffer, and any number of messages are read out of it in place.
//
// Which message a descriptor belongs to: it is sent with a message's first bytes, and Linux ends a read of a stream after
// the bytes that had descriptors with them (unix_stream_read_generic). So the descriptors of one recvmsg belong to the
// message that holds the last byte it received.

import CLinux
import Glibc
import Memory

/// A whole message in a `MessageInput`.
public struct IncomingMessage {
    public let header: MessageHeader
    fileprivate let place: Int
    /// Bytes at its end that went to memory of their own (`MessageInput.land`).
    let landedByteCount: Int
}

/// Memory that the rest of a message goes to.
@safe private struct Landing {
    var address: UnsafeMutableRawPointer
    var missing: Int
}

/// The bytes of a connection on their way in.
@safe public struct MessageInput: ~Copyable {
    /// The largest message that is followed: the most data of one access, and the largest headers around it.
    public static let mostMessageBytes = 1 << 20 + 4096
    private static let initialCapacity = 64 << 10

    private var base: UnsafeMutableRawPointer
    private var capacity = initialCapacity
    /// The bytes that no message has been read from yet.
    private var start = 0
    private var end = 0
    /// Where in the stream `start` is.
    private var position: UInt64 = 0
    /// Where the rest of the message that has begun goes, if not here.
    private var landing: Landing?
    /// Bytes of that message that went there.
    private var landed = 0
    /// Descriptors that came, each with the position in the stream of the last byte that it came with. At most those of
    /// the unfinished message and of one recvmsg.
    private var descriptors: [(position: UInt64, raw: Int32)] = []

    public init() {
        unsafe base = .allocate(byteCount: Self.initialCapacity, alignment: 16)
    }

    deinit {
        for descriptor in descriptors { _ = OwnedDescriptor(owning: descriptor.raw) }
        unsafe base.deallocate()
    }

    /// Bytes of a message that is not whole yet.
    public var isInsideMessage: Bool { end > start }

    /// One recvmsg: how many bytes came; 0 if none were there. To be called when `next` has nothing more.
    public mutating func receive(from socket: borrowing OwnedDescriptor) throws(TransportError) -> Int {
        if landing == nil { makeRoom() }
        let (place, room) = unsafe landing.map { unsafe ($0.address, $0.missing) } ?? (base + end, capacity - end)
        var received = InlineArray<16, Int32>(repeating: -1)
        var count: Int32 = 0
        // SAFETY: the room behind `end` is ours, that of a landing was lent; the other addresses are of locals.
        var numbers = received.mutableSpan
        let result = unsafe numbers.withUnsafeMutableBufferPointer { raw -> Int in
            unsafe clinux_receive(
                socket.raw,
                place,
                UInt(room),
                raw.baseAddress,
                Int32(MessageDescriptors.most),
                &count
            )
        }
        guard result > 0 else {
            switch Int32(truncatingIfNeeded: result) {
            case 0, -ECONNRESET: throw .closed
            case -EAGAIN: return 0
            case -ENOBUFS: throw .tooManyDescriptors
            default: throw .system(SystemError("recvmsg", code: Int32(truncatingIfNeeded: -result)))
            }
        }
        if let rest = landing {
            landing = unsafe Landing(address: rest.address + result, missing: rest.missing - result)
            landed += result
        } else {
            end += result
        }
        if count > 0 {
            let last = position &+ UInt64(end - start + landed) &- 1
            for index in 0..<Int(count) { descriptors.append((last, received[index])) }
            // All of them but the last ones belong to the message that has begun. It could be sent byte by byte, with
            // more descriptors each time.
            guard descriptors.count <= 2 * MessageDescriptors.most else { throw .tooManyDescriptors }
        }
        return result
    }

    /// The next whole message, its descriptors in `messageDescriptors`, those of the message before closed; nil if there
    /// is none yet. Its bytes stay until the next `receive`.
    @inline(__always)
    public mutating func next(
        _ messageDescriptors: inout MessageDescriptors
    ) throws(TransportError) -> IncomingMessage? {
        messageDescriptors.removeAll()
        guard end - start >= MessageHeader.byteCount else { return nil }
        let header: MessageHeader
        do {
            header = try MessageHeader(bytes(at: start, count: MessageHeader.byteCount))
        } catch {
            return nil
        }
        guard header.messageSize >= UInt32(MessageHeader.byteCount), header.messageSize <= UInt32(Self.mostMessageBytes)
        else { throw .badMessageSize(header.messageSize) }
        let size = Int(header.messageSize)
        guard end - start + landed >= size else { return nil }
        let message = IncomingMessage(header: header, place: start, landedByteCount: landed)
        start += size - landed
        position &+= UInt64(size)
        if landed > 0 { endLanding() }
        if !descriptors.isEmpty { try collect(into: &messageDescriptors) }
        return message
    }

    /// What follows the header.
    @_lifetime(borrow self)
    @inline(__always)
    public func payload(of message: IncomingMessage) -> RawSpan {
        bytes(
            at: message.place + MessageHeader.byteCount,
            count: Int(message.header.messageSize) - MessageHeader.byteCount - message.landedByteCount
        )
    }

    // MARK: Landings

    /// What `body` makes of the message that has begun and is not whole: its header, and what has come behind that. nil while
    /// there is no header, and where the message lands already.
    func withUnfinished<Result>(_ body: (MessageHeader, RawSpan) -> Result?) -> Result? {
        guard landing == nil, end - start >= MessageHeader.byteCount,
            let header = try? MessageHeader(bytes(at: start, count: MessageHeader.byteCount))
        else { return nil }
        let behind = start + MessageHeader.byteCount
        return body(header, bytes(at: behind, count: end - behind))
    }

    /// Has the message that has begun go to `memory` from its byte `kept` on: what of it is here, and what is to come. It is
    /// a copy less than by way of the buffer.
    ///
    /// SAFETY: `memory` is as long as the rest of the message, and stays until the message is whole or this has ended.
    @unsafe mutating func land(keeping kept: Int, in memory: UnsafeMutableRawBufferPointer) {
        guard let target = memory.baseAddress, landing == nil else { return }
        let here = end - start - kept
        precondition(here >= 0 && here < memory.count, "a landing for what has not begun, or is whole")
        unsafe target.copyMemory(from: base + start + kept, byteCount: here)
        end -= here
        landed = here
        landing = unsafe Landing(address: target + here, missing: memory.count - here)
    }

    private mutating func endLanding() {
        landing = nil
        landed = 0
    }

    /// The same for an owner that keeps this as a property of a class, which a span cannot leave.
    @inline(__always)
    public func withPayload<Result>(of message: IncomingMessage, _ body: (RawSpan) -> Result) -> Result {
        body(payload(of: message))
    }

    @_lifetime(borrow self)
    @inline(__always)
    private func bytes(at offset: Int, count: Int) -> RawSpan {
        precondition(offset >= 0 && count >= 0 && offset <= end - count, "a message outside what was received")
        // SAFETY: checked; all bytes below `end` have been received, and nothing moves them while `self` is borrowed.
        return unsafe _overrideLifetime(RawSpan(_unsafeStart: base + offset, byteCount: count), borrowing: self)
    }

    /// Moves the descriptors of the message that ends at `position` out.
    private mutating func collect(into messageDescriptors: inout MessageDescriptors) throws(TransportError) {
        var taken = 0
        var fits = true
        while taken < descriptors.count, descriptors[taken].position < position {
            if !messageDescriptors.append(OwnedDescriptor(owning: descriptors[taken].raw)) { fits = false }
            taken += 1
        }
        descriptors.removeFirst(taken)
        guard fits else { throw .tooManyDescriptors }
    }

    /// Moves what is left to the front, and makes the buffer as large as the message that has begun.
    private mutating func makeRoom() {
        if start > 0 {
            let rest = end - start
            if rest > 0 { unsafe base.copyMemory(from: base + start, byteCount: rest) }
            start = 0
            end = rest
        }
        guard end >= MessageHeader.byteCount, let header = try? MessageHeader(bytes(at: 0, count: end)) else { return }
        let size = Int(header.messageSize)
        guard size > capacity, size <= Self.mostMessageBytes else { return }
        let larger = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        unsafe larger.copyMemory(from: base, byteCount: end)
        unsafe base.deallocate()
        unsafe base = larger
        capacity = size
    }
}
