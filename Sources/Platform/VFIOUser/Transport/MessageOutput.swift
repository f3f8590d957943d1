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
    private var loan: Loan?
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

    /// Bytes that are sent from where they are, behind the first `offset` of the buffer.
    @safe private struct Loan {
        let offset: Int
        // SAFETY: whoever lent it keeps it until it has been sent.
        var rest: UnsafeRawBufferPointer
    }

    public init() {}

    /// Whether there is something that has not been sent.
    public var isPending: Bool { buffer.count > sent || loan != nil }

    /// Bytes that have not been sent.
    public var pendingByteCount: Int { buffer.count - sent + lentByteCount }

    private var lentByteCount: Int {
        guard let loan else { return 0 }
        return unsafe loan.rest.count
    }

    /// Has `memory` follow what the buffer holds now, without a copy; false: there is such memory already, and only one at
    /// a time.
    ///
    /// SAFETY: it stays where it is until it has been sent.
    @unsafe public mutating func lend(_ memory: UnsafeRawBufferPointer) -> Bool {
        guard loan == nil, unsafe !memory.isEmpty else { return false }
        loan = unsafe Loan(offset: buffer.count, rest: memory)
        return true
    }

    /// Ends the message that began at `start`, whose last bytes may be lent.
    @inline(__always)
    public mutating func finish(_ start: Int) {
        guard let loan, loan.offset > start else { return buffer.finish(start) }
        buffer.finish(start, more: UInt32(lentByteCount))
    }

    /// Takes back the message that began at `start`, the last one.
    public mutating func takeBack(_ start: Int) {
        buffer.truncate(to: start)
        if let loan, loan.offset > start { self.loan = nil }
        // Left here they would be sent with bytes that are no more.
        if let last = attachments.last, last.offset >= start { attachments.removeLast() }
    }

    /// Sends `descriptor` with the message that begins at `offset`, the last one in the buffer.
    public mutating func attach(_ descriptor: consuming OwnedDescriptor, toMessageAt offset: Int) {
        if attachments.last?.offset != offset { attachments.append(Attachment(offset: offset)) }
        attachments[attachments.count - 1].raw.append(descriptor.release())
    }

    /// Sends what the socket takes; whether that was all.
    public mutating func flush(to socket: borrowing OwnedDescriptor) throws(TransportError) -> Bool {
        while isPending {
            let isPlain = attachments.isEmpty && loan == nil
            let result = isPlain ? send(to: socket, upTo: buffer.count, []) : sendPart(to: socket)
            sendCount &+= 1
            guard result > 0 else {
                switch Int32(truncatingIfNeeded: result) {
                // ETOOMANYREFS: others have too many descriptors under way.
                case -EAGAIN, -ETOOMANYREFS, 0: return false
                case -EPIPE, -ECONNRESET: throw .closed
                default: throw .system(SystemError("sendmsg", code: Int32(truncatingIfNeeded: -result)))
                }
            }
        }
        buffer.truncate(to: 0)
        sent = 0
        return true
    }

    /// A message with descriptors has a sendmsg of its own, or they would belong to the one before or behind; so has memory
    /// that is lent.
    private mutating func sendPart(to socket: borrowing OwnedDescriptor) -> Int {
        if let loan, loan.offset == sent { return sendLoan(loan, to: socket) }
        guard let next = attachments.first, next.offset == sent else {
            let stop = min(attachments.first?.offset ?? .max, loan?.offset ?? .max, buffer.count)
            return send(to: socket, upTo: stop, [])
        }
        guard !descriptorsWaitForReader || clinux_unread_bytes(socket.raw) == 0 else { return Int(-EAGAIN) }
        let size: UInt32 = buffer.bytes().integer(sent + 4)
        let result = send(to: socket, upTo: min(sent + Int(size), buffer.count), next.raw)
        if result > 0 { attachments.removeFirst() }
        return result
    }

    private mutating func sendLoan(_ loan: Loan, to socket: borrowing OwnedDescriptor) -> Int {
        // SAFETY: by the word of `lend`.
        let result = unsafe clinux_send(socket.raw, loan.rest.baseAddress, UInt(loan.rest.count), nil, 0)
        guard result > 0 else { return result }
        let rest = unsafe UnsafeRawBufferPointer(rebasing: loan.rest.dropFirst(result))
        self.loan = unsafe rest.isEmpty ? nil : Loan(offset: loan.offset, rest: rest)
        return result
    }

    private mutating func send(to socket: borrowing OwnedDescriptor, upTo stop: Int, _ raw: [Int32]) -> Int {
        let descriptor = socket.raw
        // SAFETY: both runs of memory are there for the call.
        let result = unsafe buffer.bytes().extracting(sent..<stop).withUnsafeBytes { bytes in
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
        if result > 0 { sent += result }
        return result
    }
}
