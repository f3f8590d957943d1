// What is measured: the messages of each operation, and how often a round repeats it.

import RawMessages

/// One thing that a client does all day.
enum Operation: String, CaseIterable {
    case read, write, posted
    case postedMultiple = "posted-multiple"
    case read4K = "read-4k"
    case read1M = "read-1m"

    /// Bytes of a region read by its round trip.
    var bytesRead: Int {
        switch self {
        case .read4K: 4096
        case .read1M: 1 << 20
        default: 4
        }
    }

    /// Whether it is done to memory; else to a register of the I225.
    var isBulk: Bool { self == .read4K || self == .read1M }

    /// Whether the message that is repeated gets no reply.
    var isPosted: Bool { self == .posted || self == .postedMultiple }

    /// Accesses in one message: QEMU puts at most 200 into a WRITE_MULTI.
    var accessesPerMessage: Int { self == .postedMultiple ? 200 : 1 }

    /// What the floor does instead: without WRITE_MULTI a write is a message.
    var onFloor: Operation { self == .postedMultiple ? .posted : self }

    /// Messages in a round, so that it takes some milliseconds.
    var messagesPerRound: Int {
        switch self {
        case .read, .write: 500
        case .posted: 2000
        case .postedMultiple: 300
        case .read4K: 400
        case .read1M: 20
        }
    }

    /// The name of what a rate counts.
    var unit: String { isPosted ? "writes/s" : "round trips/s" }

    /// The message that is repeated, as the C client sends it.
    var message: [UInt8] {
        switch self {
        case .read: Message.read(region: 0, offset: Target.register, count: 4)
        case .read4K, .read1M: Message.read(region: 0, offset: 0, count: bytesRead)
        case .write: Message.write(region: 0, offset: Target.register, Target.value, posted: false)
        case .posted: Message.write(region: 0, offset: Target.register, Target.value, posted: true)
        case .postedMultiple:
            Message.writes(region: 0, offset: Target.register, Target.value, times: accessesPerMessage)
        }
    }

    /// Bytes of the reply to it, or, for a posted one, of the read that ends a round.
    var replyBytes: Int { self == .write ? Message.accessHeaderBytes : Message.accessHeaderBytes + bytesRead }
}

/// The register of the I225 that is read and written.
enum Target {
    /// VET, which holds what was written and does nothing else.
    static let register: UInt64 = 0x38
    static let value: UInt32 = 0x88A8_8100
}
