// The C client on a connected socket: the same code against the floor and against our server.

import CSocketFloor
import Measure
import RawMessages

/// Buffers and socket of one client. It ends the program when an answer is not as it must be.
@safe struct RawClient: ~Copyable {
    private let socket: Int32
    private let reply: UnsafeMutableRawPointer
    private static let replyRoom = 2 << 20

    /// A client on `socket`, which stays the caller's.
    init(_ socket: Int32) {
        self.socket = socket
        unsafe reply = .allocate(byteCount: Self.replyRoom, alignment: 64)
    }

    deinit { unsafe reply.deallocate() }

    /// The first message of every connection.
    borrowing func negotiate() {
        let result = csocket_negotiate(socket)
        guard result == 0 else { fail("vfio-user: the server did not agree on a version: \(result)") }
    }

    /// One round trip; what the reply holds behind its header.
    borrowing func ask(_ message: [UInt8], replyBytes: Int) -> [UInt8] {
        _ = roundTrips(message, replyBytes: replyBytes, 1)
        // SAFETY: `roundTrips` has filled `replyBytes` of the buffer.
        return (Message.headerBytes..<replyBytes).map { unsafe reply.load(fromByteOffset: $0, as: UInt8.self) }
    }

    /// `count` messages of `operation`; nanoseconds for each access.
    borrowing func run(_ operation: Operation, _ count: Int) -> Double {
        Double(time(operation, count)) / Double(count * operation.accessesPerMessage)
    }

    private borrowing func time(_ operation: Operation, _ count: Int) -> Int64 {
        let message = operation.message
        guard operation.isPosted else { return roundTrips(message, replyBytes: operation.replyBytes, count) }
        let last = Operation.read.message
        let nanoseconds = unsafe message.withUnsafeBytes { message in
            // SAFETY: the buffers outlive the call, and `reply` has room for the largest reply there is.
            unsafe last.withUnsafeBytes { last in
                unsafe csocket_posts(
                    socket,
                    message.baseAddress,
                    UInt32(message.count),
                    exchange(last, operation.replyBytes),
                    UInt64(count)
                )
            }
        }
        return checked(nanoseconds)
    }

    /// One message of `operation`, with whoever serves it called in between: both on one thread.
    borrowing func step(_ operation: Operation, serve: () -> Void) {
        // SAFETY: as in `run`.
        let result = unsafe operation.message.withUnsafeBytes { message in
            let exchange = unsafe exchange(message, operation.replyBytes)
            let result = unsafe csocket_send(socket, exchange)
            serve()
            return unsafe operation.isPosted || result < 0 ? result : csocket_receive(socket, exchange)
        }
        _ = checked(Int64(result))
    }

    private borrowing func roundTrips(_ message: [UInt8], replyBytes: Int, _ count: Int) -> Int64 {
        // SAFETY: as in `run`.
        let nanoseconds = unsafe message.withUnsafeBytes { message in
            unsafe csocket_round_trips(socket, exchange(message, replyBytes), UInt64(count))
        }
        return checked(nanoseconds)
    }

    private borrowing func exchange(_ request: UnsafeRawBufferPointer, _ replyBytes: Int) -> csocket_exchange {
        precondition(replyBytes <= Self.replyRoom, "no room for the reply")
        return unsafe csocket_exchange(
            request: request.baseAddress,
            request_bytes: UInt32(request.count),
            reply: reply,
            reply_bytes: UInt32(replyBytes)
        )
    }

    private borrowing func checked(_ nanoseconds: Int64) -> Int64 {
        guard nanoseconds >= 0 else { fail("vfio-user: the raw client failed: \(nanoseconds)") }
        return nanoseconds
    }
}
