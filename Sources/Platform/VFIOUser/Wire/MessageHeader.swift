// The 16 bytes that every message begins with, and the commands. Source of truth: the vfio-user protocol specification,
// "Header".

/// What a message asks, or answers. 1 to 10 and 13 to 18 come from the client, 11 and 12 from the server.
public enum Command: UInt16, CaseIterable, Sendable {
    case version = 1
    case mapDMA = 2
    case unmapDMA = 3
    case getDeviceInfo = 4
    case getRegionInfo = 5
    case getRegionIODescriptors = 6
    case getInterruptInfo = 7
    case setInterrupts = 8
    case readRegion = 9
    case writeRegion = 10
    case readDMA = 11
    case writeDMA = 12
    case resetDevice = 13
    /// Of earlier drafts; the specification has it no more.
    case dirtyPages = 14
    case writeRegionMultiple = 15
    case deviceFeature = 16
    case readMigrationData = 17
    case writeMigrationData = 18
}

/// The header of a message.
public struct MessageHeader: Equatable, Sendable {
    public static let byteCount = 16

    /// Chosen by the sender of a command, repeated in its reply.
    public var identifier: UInt16
    /// A `Command`, or one that we do not know.
    public var command: UInt16
    /// Of the whole message.
    public var messageSize: UInt32
    public var flags: UInt32
    /// An errno value, in a reply that has the error flag.
    public var errorNumber: UInt32

    public static let typeMask: UInt32 = 0xF
    public static let typeCommand: UInt32 = 0
    public static let typeReply: UInt32 = 1
    /// In a command: nobody waits for a reply, not even for an error.
    public static let noReply: UInt32 = 0x10
    /// In a reply: it is this header alone, and `errorNumber` says why.
    public static let error: UInt32 = 0x20

    public init(
        identifier: UInt16,
        command: UInt16,
        messageSize: UInt32 = UInt32(byteCount),
        flags: UInt32,
        errorNumber: UInt32 = 0
    ) {
        self.identifier = identifier
        self.command = command
        self.messageSize = messageSize
        self.flags = flags
        self.errorNumber = errorNumber
    }

    /// Reads the header that `bytes` begins with.
    @inline(__always)
    public init(_ bytes: RawSpan) throws(WireError) {
        try bytes.require(Self.byteCount)
        identifier = bytes.integer(0)
        command = bytes.integer(2)
        messageSize = bytes.integer(4)
        flags = bytes.integer(8)
        errorNumber = bytes.integer(12)
    }

    @inline(__always)
    public func write(to buffer: inout MessageBuffer) {
        buffer.append(identifier)
        buffer.append(command)
        buffer.append(messageSize)
        buffer.append(flags)
        buffer.append(errorNumber)
    }

    /// The header of a command.
    public static func command(_ command: Command, identifier: UInt16, noReply: Bool = false) -> MessageHeader {
        MessageHeader(identifier: identifier, command: command.rawValue, flags: noReply ? Self.noReply : 0)
    }

    /// The header of the reply to this command.
    @inline(__always)
    public var reply: MessageHeader {
        MessageHeader(identifier: identifier, command: command, flags: Self.typeReply)
    }

    /// The whole of the reply that refuses this command.
    public func refusal(_ errorNumber: Int32) -> MessageHeader {
        MessageHeader(
            identifier: identifier,
            command: command,
            flags: Self.typeReply | Self.error,
            errorNumber: UInt32(bitPattern: errorNumber)
        )
    }

    public var isReply: Bool { flags & Self.typeMask == Self.typeReply }
    public var isCommand: Bool { flags & Self.typeMask == Self.typeCommand }
    public var wantsReply: Bool { flags & Self.noReply == 0 }
    public var isError: Bool { flags & Self.error != 0 }
}
