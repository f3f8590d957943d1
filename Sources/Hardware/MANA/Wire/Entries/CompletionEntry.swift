// Entries of a completion ring: 64 bytes, 15 dwords that depend on the queue's kind and one that says of which queue.
// Source: Linux struct gdma_cqe (gdma.h), struct hwc_rx_oob (hw_channel.h), struct mana_tx_comp_oob (mana.h) of 6.12 and 7.x.

import Registers

/// Dword 15 of a completion, written last.
@frozen public struct CompletionTail: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }

    @inlinable public init(queue: UInt32, isSend: Bool, owner: UInt32) {
        raw = queue & 0xFF_FFFF | (isSend ? 1 &<< 24 : 0) | (owner & 7) &<< 29
    }

    /// The id of the work queue.
    @inlinable public var queue: UInt32 { raw & 0xFF_FFFF }
    @inlinable public var isSend: Bool { raw & (1 &<< 24) != 0 }
    /// The three bits of `OwnerBits`.
    @inlinable public var owner: UInt32 { raw &>> 29 }
}

/// The first 15 dwords of a completion.
@frozen public struct CompletionData: Sendable {
    public var words: InlineArray<15, UInt32>
    // Written out: `init(repeating:)` is called, and allocates (Swift 6.3).
    @inlinable public init(zeroed: Void = ()) { words = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] }
    @inlinable public init(_ words: InlineArray<15, UInt32>) { self.words = words }

    /// - Parameter head: dword 0.
    @inlinable public init(head: CompletionHead) {
        words = [head.raw, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    }

    @inlinable public var head: CompletionHead { .init(raw: words[0]) }
}

/// What happened to a frame: bits 5:0 of dword 0. A struct, because a device may send what nobody knows.
@frozen public struct CompletionType: Equatable, Hashable, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var received: Self { .init(rawValue: 1) }
    /// Up to four frames.
    @inlinable public static var receivedFour: Self { .init(rawValue: 2) }
    /// The answer to FENCE_RQ: nothing follows for what was posted before.
    @inlinable public static var fence: Self { .init(rawValue: 3) }
    /// The frame was longer than its buffer.
    @inlinable public static var truncated: Self { .init(rawValue: 4) }
    /// Up to eight frames.
    @inlinable public static var receivedEight: Self { .init(rawValue: 7) }
    @inlinable public static var sent: Self { .init(rawValue: 32) }
    @inlinable public static var sourceAddressDrop: Self { .init(rawValue: 33) }
    @inlinable public static var lengthDrop: Self { .init(rawValue: 34) }
    @inlinable public static var invalidOutOfBand: Self { .init(rawValue: 35) }
    @inlinable public static var invalidEtherType: Self { .init(rawValue: 36) }
    @inlinable public static var headerError: Self { .init(rawValue: 37) }
    @inlinable public static var functionDisabled: Self { .init(rawValue: 38) }
    @inlinable public static var portOutOfRange: Self { .init(rawValue: 39) }
    @inlinable public static var portDisabled: Self { .init(rawValue: 40) }
    @inlinable public static var vlanViolation: Self { .init(rawValue: 41) }
}

/// Dword 0 of a network completion.
@frozen public struct CompletionHead: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }

    /// A completion of the network adapter: client type 1, as Linux wants it.
    @inlinable public init(_ type: CompletionType, vendorError: UInt32 = 0) {
        raw = UInt32(type.rawValue & 0x3F) | Self.networkClient &<< 6 | (vendorError & 0xFF_FFFF) &<< 8
    }

    /// MANA_CQE_COMPLETION.
    @inlinable public static var networkClient: UInt32 { 1 }
    @inlinable public var type: CompletionType { .init(rawValue: UInt8(truncatingIfNeeded: raw & 0x3F)) }
    @inlinable public var client: UInt32 { (raw &>> 6) & 3 }
    @inlinable public var vendorError: UInt32 { raw &>> 8 }
}

/// A send queue's completion: dwords 0 to 2.
@frozen public struct SendCompletion: Equatable, Sendable {
    public var head: CompletionHead
    /// Dword 1.
    public var dataOffset: UInt32
    /// Dword 2: where in the ring the request was, bytes; a multiple of 32. And how many bytes of its list precede.
    public var requestOffset: UInt32
    public var listOffset: UInt32

    @inlinable public init(
        _ type: CompletionType,
        requestOffset: UInt32,
        dataOffset: UInt32 = 0,
        listOffset: UInt32 = 0,
        vendorError: UInt32 = 0
    ) {
        head = .init(type, vendorError: vendorError)
        self.dataOffset = dataOffset
        self.requestOffset = requestOffset
        self.listOffset = listOffset
    }

    @inlinable public init(_ data: CompletionData) {
        head = data.head
        dataOffset = data.words[1]
        listOffset = data.words[2] & 0x1F
        requestOffset = data.words[2] & ~0x1F
    }

    @inlinable public var data: CompletionData {
        var data = CompletionData(head: head)
        data.words[1] = dataOffset
        data.words[2] = (listOffset & 0x1F) | (requestOffset & ~0x1F)
        return data
    }
}

/// A completion of the hardware channel: a message has come.
@frozen public struct ChannelCompletion: Equatable, Sendable {
    public var type: UInt32
    public var vendorError: UInt32
    /// Dword 1: the queue that it came from.
    public var sourceQueue: UInt32
    public var sourceFunction: UInt32
    /// Dword 3: where in the receive ring the request was, bytes. The driver finds the buffer by it.
    public var requestOffset: UInt32
    /// Dword 6: bytes of the message.
    public var messageBytes: UInt32

    @inlinable public init(
        requestOffset: UInt32,
        messageBytes: UInt32,
        type: UInt32 = 0,
        vendorError: UInt32 = 0,
        sourceQueue: UInt32 = 0,
        sourceFunction: UInt32 = 0
    ) {
        self.type = type
        self.vendorError = vendorError
        self.sourceQueue = sourceQueue
        self.sourceFunction = sourceFunction
        self.requestOffset = requestOffset
        self.messageBytes = messageBytes
    }

    @inlinable public init(_ data: CompletionData) {
        type = data.words[0] & 0x3F
        vendorError = (data.words[0] &>> 8) & 0xFF
        sourceQueue = data.words[1] & 0xFF_FFFF
        sourceFunction = data.words[1] &>> 24
        requestOffset = data.words[3]
        messageBytes = data.words[6]
    }

    /// One message in one piece: EOM and SOM.
    @inlinable public var data: CompletionData {
        var data = CompletionData()
        data.words[0] = (type & 0x3F) | 0xC0 | (vendorError & 0xFF) &<< 8
        data.words[1] = (sourceQueue & 0xFF_FFFF) | sourceFunction &<< 24
        data.words[3] = requestOffset
        data.words[6] = messageBytes
        return data
    }
}
