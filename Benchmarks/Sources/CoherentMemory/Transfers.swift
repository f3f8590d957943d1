// Region accesses by message: the same client in C at our server, which has the driver behind it, and at the floor.

import Backing
import CLinux
import CSocketFloor
import Foundation
import Measure
import RawMessages
import VFIOUser
import VFIOVariant

/// One access of a region that a client makes all day.
enum Transfer: String, CaseIterable {
    case read4K = "read-4k"
    case read1M = "read-1m"
    case write4K = "write-4k"
    case write1M = "write-1m"

    private var byteCount: Int { self == .read4K || self == .write4K ? 4096 : 1 << 20 }
    private var isRead: Bool { self == .read4K || self == .read1M }

    /// In the usable memory.
    var message: [UInt8] {
        isRead
            ? Message.read(region: 4, offset: 1 << 30, count: byteCount)
            : Message.write(region: 4, offset: 1 << 30, [UInt8](repeating: 0x3C, count: byteCount))
    }

    var replyBytes: Int { Message.accessHeaderBytes + (isRead ? byteCount : 0) }

    /// So many that a round takes some milliseconds.
    var messagesPerRound: Int { byteCount == 4096 ? 400 : 20 }
}

/// The C client on a connected socket. It ends the program when an answer is not as it must be.
@safe struct SocketClient: ~Copyable {
    private let socket: Int32
    private let reply: UnsafeMutableRawPointer
    private static let replyRoom = 2 << 20

    /// A client on `socket`, which stays the caller's.
    init(_ socket: Int32) {
        self.socket = socket
        unsafe reply = .allocate(byteCount: Self.replyRoom, alignment: 64)
        unsafe memset(reply, 0, Self.replyRoom)
    }

    deinit { unsafe reply.deallocate() }

    borrowing func negotiate() {
        let result = csocket_negotiate(socket)
        guard result == 0 else { fail("coherent-memory: the server did not agree on a version: \(result)") }
    }

    /// Nanoseconds of `count` round trips.
    borrowing func roundTrips(_ message: [UInt8], replyBytes: Int, _ count: Int) -> Double {
        precondition(replyBytes <= Self.replyRoom, "no room for the reply")
        // SAFETY: the buffers outlive the call, and `reply` has room for the answer.
        let nanoseconds = unsafe message.withUnsafeBytes { request in
            let exchange = unsafe csocket_exchange(
                request: request.baseAddress,
                request_bytes: UInt32(request.count),
                reply: reply,
                reply_bytes: UInt32(replyBytes)
            )
            return unsafe csocket_round_trips(socket, exchange, UInt64(count))
        }
        guard nanoseconds >= 0 else { fail("coherent-memory: the client failed: \(nanoseconds)") }
        return Double(nanoseconds)
    }

    /// One of the bytes of the last reply.
    borrowing func replyByte(_ offset: Int) -> UInt8 {
        // SAFETY: inside the buffer.
        unsafe reply.load(fromByteOffset: offset, as: UInt8.self)
    }

    /// The file that comes with what region `index` is.
    borrowing func regionFile(_ index: UInt32) -> Int32 {
        let message = Message.regionInfo(index)
        let size = Message.headerBytes + Message.regionInfoBytes
        var file: Int32 = -1
        var came: Int32 = 0
        // SAFETY: the buffers outlive the calls, and have the room that is told.
        var done = unsafe message.withUnsafeBytes { unsafe clinux_send(socket, $0.baseAddress, UInt($0.count), nil, 0) }
        guard done == message.count else { fail("coherent-memory: the question about region \(index) was not sent") }
        done = 0
        while done < size {
            var count: Int32 = 0
            var descriptor: Int32 = -1
            let received = unsafe clinux_receive(socket, reply + done, UInt(size - done), &descriptor, 1, &count)
            guard received > 0 || received == -Int(EAGAIN) else { fail("coherent-memory: the server has gone") }
            if count == 1 { (file, came) = (descriptor, came + 1) }
            done += max(received, 0)
        }
        guard came == 1 else { fail("coherent-memory: region \(index) came with \(came) files, expected one") }
        return file
    }
}

/// The device behind our server on a thread of its own, and the client at the other end.
final class Served {
    private let loop: PollingLoop
    private let socket: OwnedDescriptor
    let client: SocketClient
    /// The memory of region 4.
    let file: OwnedDescriptor

    init(_ machine: Machine, cpu: Int) throws {
        let pair = try UnixSocket.pair()
        let function = try ExportedFunction(machine.device, over: machine.model)
        let server = VFIOUserServer(function, connection: try .duplicate(of: pair.second.raw))
        socket = try .duplicate(of: pair.first.raw)
        client = SocketClient(socket.raw)
        loop = PollingLoop([server], cpu: cpu)
        client.negotiate()
        // Memory space on, for the register that tells whether the memory is ready.
        let on = Message.write(region: 7, offset: 4, 0x6, posted: false, count: 2)
        _ = client.roundTrips(on, replyBytes: Message.accessHeaderBytes, 1)
        file = OwnedDescriptor(owning: client.regionFile(4))
        check()
    }

    deinit { loop.stop() }

    /// Writes arrive, and reads bring what was written.
    private func check() {
        let size = 1 << 20
        let pattern = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let write = Message.write(region: 4, offset: 1 << 30, pattern)
        _ = client.roundTrips(write, replyBytes: Message.accessHeaderBytes, 1)
        let read = Transfer.read1M
        _ = client.roundTrips(read.message, replyBytes: read.replyBytes, 1)
        for offset in 0..<size where client.replyByte(Message.accessHeaderBytes + offset) != pattern[offset] {
            fail("coherent-memory: byte \(offset) of a megabyte came back as another")
        }
    }

    /// Nanoseconds of a transfer.
    func round(_ transfer: Transfer) -> Double {
        let count = transfer.messagesPerRound
        let message = transfer.message
        _ = client.roundTrips(message, replyBytes: transfer.replyBytes, count / 10 + 1)
        return client.roundTrips(message, replyBytes: transfer.replyBytes, count) / Double(count)
    }
}

enum Floor {
    /// Nanoseconds of a transfer's messages between two C programs.
    static func round(_ transfer: Transfer, cpu: Int) -> Double {
        var socket: Int32 = -1
        let message = transfer.message
        let (request, reply) = (UInt32(message.count), UInt32(transfer.replyBytes))
        guard let server = unsafe csocket_floor_start(Int32(cpu), request, reply, &socket) else {
            fail("coherent-memory: the floor did not start")
        }
        let client = SocketClient(socket)
        let (before, count) = (transfer.messagesPerRound / 10 + 1, transfer.messagesPerRound)
        _ = client.roundTrips(message, replyBytes: transfer.replyBytes, before)
        let nanoseconds = client.roundTrips(message, replyBytes: transfer.replyBytes, count)
        // SAFETY: `start` made it, and nothing uses it afterwards.
        let received = unsafe csocket_floor_stop(server)
        guard received == UInt64(before + count) else { fail("coherent-memory: the floor got \(received) messages") }
        return nanoseconds / Double(count)
    }
}
