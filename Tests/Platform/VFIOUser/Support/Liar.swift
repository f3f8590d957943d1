// A man in the middle: what a client and an honest server say to each other passes through here, and what the server
// answers may be turned into a lie, held back, or cut off. All on the client's thread.

import Glibc
import VFIOUser

/// A reply on its way to the client.
public struct PassingReply {
    public var header: MessageHeader
    public var payload: [UInt8]
    /// How many of the descriptors that come with it pass, and what goes in their place.
    public var passesDescriptors = true
    public var replacements: [Int32] = []
    public var fate = Fate.passes

    public enum Fate: Equatable {
        case passes
        /// The client never gets it.
        case isLost
        /// Instead of it, the connection closes.
        case cutsOff
        /// These bytes instead, whatever they are.
        case becomes([UInt8])
        /// It comes a byte at a time, one per turn.
        case drips
        /// It comes twice.
        case repeats
    }

    /// Replaces the integer at `offset` of the payload.
    public mutating func set<Value: FixedWidthInteger>(_ offset: Int, _ value: Value) {
        for index in 0..<Value.bitWidth / 8 {
            payload[offset + index] = UInt8(truncatingIfNeeded: value >> Value(8 * index))
        }
    }

    /// Makes it an error reply.
    public mutating func refuse(_ errorNumber: Int32) {
        header = header.refusal(errorNumber)
        payload = []
        passesDescriptors = false
    }

    /// Its bytes as they are.
    public var message: [UInt8] {
        bytes { buffer in
            header.write(to: &buffer)
            for byte in payload { buffer.append(byte) }
        }
    }
}

/// The connection from a client to a server, with a liar in it.
public final class Liar: @unchecked Sendable {
    // SAFETY (Sendable): the test's one thread has client, liar and server.
    private var near: OwnedDescriptor?
    private let far: OwnedDescriptor
    private let poll: () -> Void
    private var fromClient = MessageInput()
    private var fromServer = MessageInput()
    private var toClient = MessageOutput()
    private var toServer = MessageOutput()
    private var descriptors = MessageDescriptors()
    private var dripping: [UInt8] = []
    /// Commands that the client has sent, in order.
    public private(set) var commands: [Command] = []
    /// What the client has answered to commands of `say`.
    public private(set) var answers: [(header: MessageHeader, payload: [UInt8])] = []
    /// Told of every reply: the command it answers, and how many commands came before that one.
    public var lie: (Command, Int, inout PassingReply) -> Void = { _, _, _ in }

    /// - Parameters:
    ///   - near: the server's end of the client's connection.
    ///   - far: a client's end of a connection to the server.
    ///   - poll: lets the server work.
    public init(_ near: consuming OwnedDescriptor, _ far: consuming OwnedDescriptor, poll: @escaping () -> Void) {
        self.near = .some(near)
        self.far = far
        self.poll = poll
    }

    deinit {
        hangUp()
        far.hangUp()
    }

    /// Carries over what is there.
    public func takeTurn() {
        guard near != nil else { return }
        do {
            try carryCommands()
            poll()
            try carryReplies()
            if let byte = dripping.first {
                dripping.removeFirst()
                toClient.buffer.append(byte)
            }
            try flush()
        } catch {
            cutOff()
        }
    }

    /// Whether both ends are still open.
    public var isConnected: Bool { near != nil }

    /// Lets go of all that it keeps.
    public func forget() {
        lie = { _, _, _ in }
        toClient = MessageOutput()
        descriptors.removeAll()
    }

    /// The server's end closes.
    public func cutOff() {
        hangUp()
        near = nil
    }

    private func hangUp() {
        switch near {
        case .some(let near): near.hangUp()
        case .none: break
        }
    }

    /// Says something to the client that the server did not.
    public func say(_ bytes: [UInt8], descriptors: [Int32] = []) {
        let start = toClient.buffer.count
        toClient.buffer.append(bytes.raw)
        attach(descriptors, start)
        try? flush()
    }

    /// A command of the server's.
    public func ask(_ command: UInt16, _ payload: [UInt8], noReply: Bool = false, identifier: UInt16 = 77) {
        say(
            bytes { buffer in
                let header = MessageHeader(
                    identifier: identifier,
                    command: command,
                    flags: noReply ? MessageHeader.noReply : 0
                )
                let start = buffer.begin(header)
                for byte in payload { buffer.append(byte) }
                buffer.finish(start)
            }
        )
    }

    private func flush() throws {
        switch near {
        case .some(let near): _ = try toClient.flush(to: near)
        case .none: break
        }
    }

    private func attach(_ files: [Int32], _ start: Int) {
        for file in files {
            if let copy = try? OwnedDescriptor.duplicate(of: file) { toClient.attach(copy, toMessageAt: start) }
        }
    }

    private func carryCommands() throws {
        switch near {
        case .some(let near): _ = try fromClient.receive(from: near)
        case .none: return
        }
        while let message = try fromClient.next(&descriptors) {
            let payload = contents(of: message, fromClient)
            if message.header.isReply {
                answers.append((message.header, payload))
                continue
            }
            if let command = Command(rawValue: message.header.command) { commands.append(command) }
            let start = toServer.buffer.begin(message.header)
            toServer.buffer.append(payload.raw)
            toServer.buffer.finish(start)
            for index in 0..<descriptors.count {
                if let file = descriptors.take(index) { toServer.attach(file, toMessageAt: start) }
            }
        }
        _ = try toServer.flush(to: far)
    }

    private func carryReplies() throws {
        while try fromServer.receive(from: far) > 0 {
            while let message = try fromServer.next(&descriptors) {
                var reply = PassingReply(header: message.header, payload: contents(of: message, fromServer))
                if let command = Command(rawValue: message.header.command), let last = commands.indices.last {
                    lie(command, last, &reply)
                }
                pass(reply)
            }
        }
    }

    private func pass(_ reply: PassingReply) {
        var reply = reply
        // A lie about the size stays one.
        if reply.header.messageSize == UInt32(MessageHeader.byteCount + reply.payload.count) || reply.fate == .passes {
            reply.header.messageSize = UInt32(MessageHeader.byteCount + reply.payload.count)
        }
        let start = toClient.buffer.count
        switch reply.fate {
        case .passes: toClient.buffer.append(reply.message.raw)
        case .repeats: toClient.buffer.append((reply.message + reply.message).raw)
        case .becomes(let bytes): toClient.buffer.append(bytes.raw)
        case .drips: dripping += reply.message
        case .isLost: break
        case .cutsOff: cutOff()
        }
        guard reply.fate == .passes else { return }
        if reply.passesDescriptors {
            for index in 0..<descriptors.count {
                if let file = descriptors.take(index) { toClient.attach(file, toMessageAt: start) }
            }
        }
        attach(reply.replacements, start)
    }

    private func contents(of message: IncomingMessage, _ input: borrowing MessageInput) -> [UInt8] {
        input.withPayload(of: message) { span in
            // SAFETY: the offsets are the span's own.
            span.byteOffsets.map { unsafe span.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
        }
    }
}
