// A vfio-user client for tests: it sends any bytes, well-formed or not, and sees exactly what comes back. Nothing of the
// server is reused but the codecs and the sockets.

import CLinux
import Glibc
import VFIOUser

/// What came back.
public struct RawReply: Equatable {
    public let header: MessageHeader
    public let payload: [UInt8]
    /// Descriptors that came with it; see `RawClient.takeDescriptor`.
    public let descriptorCount: Int

    public init(header: MessageHeader, payload: [UInt8], descriptorCount: Int) {
        self.header = header
        self.payload = payload
        self.descriptorCount = descriptorCount
    }

    /// The errno of an error reply, 0 of any other.
    public var errorNumber: Int32 { header.isError ? Int32(bitPattern: header.errorNumber) : 0 }
}

/// An error reply.
public struct RawRefusal: Error, Equatable {
    public let errorNumber: Int32
    public init(_ errorNumber: Int32) { self.errorNumber = errorNumber }
}

/// A descriptor that came with a reply, in a form that `#require` takes.
public final class TakenDescriptor {
    private let descriptor: OwnedDescriptor
    fileprivate init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
    public var raw: Int32 { descriptor.raw }
}

/// One connection to a server. Whoever makes it says how the server makes progress meanwhile.
public final class RawClient {
    private let socket: OwnedDescriptor
    private var input = MessageInput()
    private var descriptors = MessageDescriptors()
    private let pump: () -> Void
    private let looks: Int
    private var nextIdentifier: UInt16 = 1

    /// - Parameters:
    ///   - looks: how often a reply is looked for before there is none.
    ///   - pump: called while the client waits: a poll of the server, if it is on this thread.
    public init(_ socket: consuming OwnedDescriptor, looks: Int = 100, pump: @escaping () -> Void) {
        self.socket = socket
        self.looks = looks
        self.pump = pump
    }

    deinit { socket.hangUp() }

    public enum Outcome: Equatable {
        case message(RawReply)
        /// Nothing came.
        case silence
        /// The server has closed the connection.
        case closed
    }

    // MARK: Bytes

    /// Sends bytes as they are, all of them, the descriptors with the first ones.
    public func send(_ bytes: [UInt8], descriptors: [Int32] = []) {
        var sent = 0
        for _ in 0..<10_000 where sent < bytes.count {
            // SAFETY: both arrays are there for the call.
            let result = unsafe bytes.withUnsafeBytes { bytes in
                unsafe descriptors.withUnsafeBufferPointer { descriptors in
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[sent...])
                    return unsafe clinux_send(
                        socket.raw,
                        rest.baseAddress,
                        UInt(rest.count),
                        descriptors.baseAddress,
                        sent == 0 ? Int32(descriptors.count) : 0
                    )
                }
            }
            if result > 0 {
                sent += result
            } else if result == Int(-EAGAIN) || result == Int(-ETOOMANYREFS) {
                pump()
            } else {
                return
            }
        }
    }

    /// What the server says next, after at most `looks` looks.
    public func receive(looks: Int? = nil) -> Outcome {
        do {
            for _ in 0..<(looks ?? self.looks) {
                if let message = try input.next(&descriptors) { return .message(reply(message)) }
                if try input.receive(from: socket) == 0 { pump() }
            }
            return .silence
        } catch {
            return .closed
        }
    }

    private func reply(_ message: IncomingMessage) -> RawReply {
        let payload = input.withPayload(of: message) { span in
            // SAFETY: the offsets are the span's own.
            span.byteOffsets.map { unsafe span.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
        }
        return RawReply(header: message.header, payload: payload, descriptorCount: descriptors.count)
    }

    /// Descriptor `index` of the last reply; once.
    public func takeDescriptor(_ index: Int) -> TakenDescriptor? {
        guard let descriptor = descriptors.take(index) else { return nil }
        return TakenDescriptor(descriptor)
    }

    /// Closes the sending half, then looks what the server still has to say.
    public func hangUp() { shutdown(socket.raw, Int32(SHUT_WR)) }

    // MARK: Commands

    /// The bytes of a command.
    public func message(_ command: Command, noReply: Bool = false, _ write: (inout MessageBuffer) -> Void) -> [UInt8] {
        defer { nextIdentifier &+= 1 }
        return bytes { buffer in
            let start = buffer.begin(.command(command, identifier: nextIdentifier, noReply: noReply))
            write(&buffer)
            buffer.finish(start)
        }
    }

    /// Sends a command, returns its reply's payload, or throws the errno of the refusal.
    @discardableResult
    public func ask(
        _ command: Command,
        descriptors: [Int32] = [],
        _ write: (inout MessageBuffer) -> Void = { _ in }
    ) throws(RawRefusal) -> [UInt8] {
        let identifier = nextIdentifier
        send(message(command, write), descriptors: descriptors)
        guard case .message(let reply) = receive(), reply.header.identifier == identifier, reply.header.isReply,
            reply.header.command == command.rawValue
        else { throw RawRefusal(EPROTO) }
        guard reply.errorNumber == 0 else { throw RawRefusal(reply.errorNumber) }
        return reply.payload
    }

    /// The client's end of the second socket, which came as descriptor `index` with the reply to VERSION.
    public func takeTwin(_ index: Int) -> RawClient? {
        guard let socket = descriptors.take(index) else { return nil }
        return RawClient(socket, pump: pump)
    }

    /// Answers a command of the server's.
    public func answer(_ command: RawReply, errorNumber: Int32 = 0, _ write: (inout MessageBuffer) -> Void = { _ in }) {
        send(
            bytes { buffer in
                guard errorNumber == 0 else { return command.header.refusal(errorNumber).write(to: &buffer) }
                let start = buffer.begin(command.header.reply)
                write(&buffer)
                buffer.finish(start)
            }
        )
    }

    /// VERSION, with what QEMU offers and more.
    @discardableResult
    public func negotiate(_ change: (inout VersionCapabilities) -> Void = { _ in }) throws -> VersionMessage {
        var capabilities = VersionCapabilities()
        capabilities.mostDescriptors = 16
        capabilities.mostData = 1 << 20
        capabilities.writeMultiple = true
        change(&capabilities)
        let reply = try ask(.version) { VersionMessage(capabilities: capabilities).write(to: &$0) }
        return try VersionMessage(reply.raw)
    }

    /// The data of a region read.
    public func read(region: Int, _ offset: UInt64, count: Int) throws(RawRefusal) -> [UInt8] {
        let reply = try ask(.readRegion) {
            RegionAccess(offset: offset, region: UInt32(region), count: UInt32(count)).write(to: &$0)
        }
        guard reply.count == RegionAccess.byteCount + count else { throw RawRefusal(EPROTO) }
        return Array(reply.dropFirst(RegionAccess.byteCount))
    }

    public func read32(region: Int, _ offset: UInt64) throws(RawRefusal) -> UInt32 {
        integer(try read(region: region, offset, count: 4))
    }

    public func write(region: Int, _ offset: UInt64, _ data: [UInt8], noReply: Bool = false) throws(RawRefusal) {
        let fill: (inout MessageBuffer) -> Void = {
            RegionAccess(offset: offset, region: UInt32(region), count: UInt32(data.count)).write(to: &$0)
            $0.append(data.raw)
        }
        if noReply { return send(message(.writeRegion, noReply: true, fill)) }
        try ask(.writeRegion, fill)
    }

    public func write32(region: Int, _ offset: UInt64, _ value: UInt32, noReply: Bool = false) throws(RawRefusal) {
        try write(region: region, offset, bytes { $0.append(value) }, noReply: noReply)
    }

    public func mapDMA(
        _ descriptor: Int32?,
        iova: UInt64,
        size: UInt64,
        offset: UInt64 = 0,
        flags: UInt32 = 3
    ) throws(RawRefusal) {
        try ask(.mapDMA, descriptors: descriptor.map { [$0] } ?? []) {
            MapDMARequest(flags: flags, fileOffset: offset, iova: iova, size: size).write(to: &$0)
        }
    }

    public func unmapDMA(iova: UInt64, size: UInt64, flags: UInt32 = 0) throws(RawRefusal) {
        try ask(.unmapDMA) { UnmapDMARequest(flags: flags, iova: iova, size: size).write(to: &$0) }
    }

    public func setInterrupts(
        _ data: SetInterruptsRequest.Data,
        _ action: SetInterruptsRequest.Action,
        _ kind: InterruptKind,
        start: UInt32 = 0,
        count: UInt32,
        descriptors: [Int32] = []
    ) throws(RawRefusal) {
        try ask(.setInterrupts, descriptors: descriptors) {
            SetInterruptsRequest(data: data, action: action, index: kind.rawValue, start: start, count: count)
                .write(to: &$0)
        }
    }
}

/// The little-endian integer in `bytes`.
public func integer<Value: FixedWidthInteger>(_ bytes: [UInt8]) -> Value {
    bytes.reversed().reduce(0) { $0 << 8 | Value($1) }
}
