// The sending half of a connection. Nothing waits: what the socket does not take stays here, and whoever fills this looks
// at `isPending` before making more.

import CLinux
import Glibc
import Memory

/// The bytes of a connection on their way out.
public struct MessageOutput: ~Copyable {
    /// Messages, whole ones; append them by `begin` and `finish`.
    public var buffer = MessageBuffer(capacity: 4096)
    private var sent = 0
    private var attachments: [Attachment] = []
    /// Descriptors are sent only when the other side has taken all that was sent before. The kernel limits descriptors
    /// under way per user, not per socket: without it a peer that never reads could use up what all devices have.
    public var descriptorsWaitForReader = false
    /// sendmsg calls so far.
    public private(set) var sendCount: UInt64 = 0

    /// Descriptors that go with the message at `offset`.
    private final class Attachment {
        let offset: Int
        var raw: [Int32] = []

        init(offset: Int) { self.offset = offset }

        deinit {
            for descriptor in raw { _ = OwnedDescriptor(owning: descriptor) }
        }
    }

    public init() {}

    /// Whether there is something that has not been sent.
    public var isPending: Bool { buffer.count > sent }

    /// Bytes that have not been sent.
    public var pendingByteCount: Int { buffer.count - sent }

    /// Sends `descriptor` with the message that begins at `offset`, the last one in the buffer.
    public mutating func attach(_ descriptor: consuming OwnedDescriptor, toMessageAt offset: Int) {
        if attachments.last?.offset != offset { attachments.append(Attachment(offset: offset)) }
        attachments[attachments.count - 1].raw.append(descriptor.release())
    }

    /// Sends what the socket takes; whether that was all.
    public mutating func flush(to socket: borrowing OwnedDescriptor) throws(TransportError) -> Bool {
        while isPending {
            let result = attachments.isEmpty ? send(to: socket, upTo: buffer.count, []) : sendPart(to: socket)
            sendCount &+= 1
            guard result > 0 else {
                switch Int32(truncatingIfNeeded: result) {
                // ETOOMANYREFS: others have too many descriptors under way.
                case -EAGAIN, -ETOOMANYREFS, 0: return false
                case -EPIPE, -ECONNRESET: throw .closed
                default: throw .system(SystemError("sendmsg", code: Int32(truncatingIfNeeded: -result)))
                }
            }
            sent += result
        }
        buffer.truncate(to: 0)
        sent = 0
        return true
    }

    /// A message with descriptors has a sendmsg of its own, or they would belong to the one before or behind.
    private mutating func sendPart(to socket: borrowing OwnedDescriptor) -> Int {
        guard let next = attachments.first, next.offset == sent else {
            return send(to: socket, upTo: attachments.first?.offset ?? buffer.count, [])
        }
        guard !descriptorsWaitForReader || clinux_unread_bytes(socket.raw) == 0 else { return Int(-EAGAIN) }
        let size: UInt32 = buffer.bytes().integer(sent + 4)
        let result = send(to: socket, upTo: min(sent + Int(size), buffer.count), next.raw)
        if result > 0 { attachments.removeFirst() }
        return result
    }

    private func send(to socket: borrowing OwnedDescriptor, upTo stop: Int, _ raw: [Int32]) -> Int {
        let descriptor = socket.raw
        // SAFETY: both runs of memory are there for the call.
        return unsafe buffer.bytes().extracting(sent..<stop).withUnsafeBytes { bytes in
            unsafe raw.withUnsafeBufferPointer { raw in
                unsafe clinux_send(
                    descriptor,
                    bytes.baseAddress,
                    UInt(bytes.count),
                    raw.baseAddress,
                    Int32(raw.count)
                )
            }
        }
    }
}
