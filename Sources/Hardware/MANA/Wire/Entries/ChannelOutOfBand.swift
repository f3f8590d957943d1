// The out-of-band data of a message on the hardware channel: whose it is and which queues it goes through.
// Source: Linux struct hwc_tx_oob (hw_channel.h), mana_hwc_post_tx_wqe (hw_channel.c) of 6.12 and 7.x.

/// What a message on the hardware channel carries: six dwords, of which the last four name queues.
@frozen public struct ChannelOutOfBand: Equatable, Sendable {
    @inlinable public static var byteCount: Int { 24 }

    public var receiveQueue: UInt32
    public var destinationFunction: UInt8
    public var receiveCompletionQueue: UInt32
    public var sendCompletionQueue: UInt32
    public var isForPhysicalFunction: Bool
    public var sendQueue: UInt32

    @inlinable public init(
        receiveQueue: UInt32,
        receiveCompletionQueue: UInt32,
        sendCompletionQueue: UInt32,
        sendQueue: UInt32,
        isForPhysicalFunction: Bool,
        destinationFunction: UInt8 = 0
    ) {
        self.receiveQueue = receiveQueue
        self.receiveCompletionQueue = receiveCompletionQueue
        self.sendCompletionQueue = sendCompletionQueue
        self.sendQueue = sendQueue
        self.isForPhysicalFunction = isForPhysicalFunction
        self.destinationFunction = destinationFunction
    }

    @inlinable public init(_ words: InlineArray<6, UInt32>) {
        receiveQueue = words[2] & 0xFF_FFFF
        destinationFunction = UInt8(truncatingIfNeeded: words[2] &>> 24)
        receiveCompletionQueue = words[3] & 0xFF_FFFF
        sendCompletionQueue = words[4] & 0xFF_FFFF
        isForPhysicalFunction = words[4] & (1 &<< 26) != 0
        sendQueue = words[5] & 0xFF_FFFF
    }

    @inlinable public var words: InlineArray<6, UInt32> {
        [
            0, 0,
            receiveQueue & 0xFF_FFFF | UInt32(destinationFunction) &<< 24,
            receiveCompletionQueue & 0xFF_FFFF,
            sendCompletionQueue & 0xFF_FFFF | (isForPhysicalFunction ? 1 &<< 26 : 0),
            sendQueue & 0xFF_FFFF,
        ]
    }
}
