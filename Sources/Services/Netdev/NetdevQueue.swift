// The contract between a network driver's queue pair and whoever passes frames through it: buffers in, buffers out.
// The verbs are the house's: provide, submit, ring, reap.

import Rings

/// How many frames one call carries at the most.
@inlinable public var netdevBurst: Int { 32 }

/// What the device shall do to a frame that it sends.
@frozen public struct TransmitOffload: Sendable, Equatable {
    /// Where the L4 header starts, if its checksum shall be completed; else 0. The checksum field holds the folded
    /// pseudo-header sum (virtio's csum_start rule, which Linux's skb follows too).
    public var checksumStart: UInt16
    /// Where the checksum field lies behind `checksumStart`: 16 TCP, 6 UDP, 8 SCTP.
    public var checksumOffset: UInt16
    /// TCP payload bytes per segment, or 0: no segmentation.
    public var segmentSize: UInt16
    /// Bytes of the TCP header, where `segmentSize` is not 0.
    public var segmentHeaderBytes: UInt16
    /// The innermost IP header is IPv4; said where `checksumStart` is not 0.
    public var isIPv4: Bool
    /// The tag to insert.
    public var vlanTag: UInt16?

    @inlinable public init(
        checksumStart: UInt16 = 0,
        checksumOffset: UInt16 = 0,
        segmentSize: UInt16 = 0,
        segmentHeaderBytes: UInt16 = 0,
        isIPv4: Bool = false,
        vlanTag: UInt16? = nil
    ) {
        self.checksumStart = checksumStart
        self.checksumOffset = checksumOffset
        self.segmentSize = segmentSize
        self.segmentHeaderBytes = segmentHeaderBytes
        self.isIPv4 = isIPv4
        self.vlanTag = vlanTag
    }
}

/// A frame, or a part of one, that a device has received.
@frozen public struct ReceivedFrame: Sendable, Equatable {
    /// What the owner of the buffer gave with it.
    public var cookie: UInt64
    public var length: UInt32
    /// More of the same frame follows in the next buffer.
    public var continues: Bool
    /// The device checked the L4 checksum and found it right.
    public var checksumIsGood: Bool
    /// The first 16 bytes of the buffer are the device's timestamp, not the frame's.
    public var hasTimestamp: Bool
    /// The device says that the frame is damaged.
    public var isDamaged: Bool
    /// The tag that the device took off the frame; meaningful if `hasVLANTag`.
    public var vlanTag: UInt16
    public var hasVLANTag: Bool
    /// RSS hash, 0 if none was computed.
    public var hash: UInt32
    /// What the hash covers, as the device numbers it.
    public var hashType: UInt8

    @inlinable public init() {
        cookie = 0
        length = 0
        continues = false
        checksumIsGood = false
        hasTimestamp = false
        isDamaged = false
        vlanTag = 0
        hasVLANTag = false
        hash = 0
        hashType = 0
    }
}

/// A buffer that the device may reach.
@frozen public struct NetdevBuffer: Sendable, Equatable {
    public var iova: UInt64
    /// Comes back with the buffer.
    public var cookie: UInt64
    /// Bytes to send; unused where the buffer is provided to receive.
    public var length: UInt32

    @inlinable public init(iova: UInt64, cookie: UInt64, length: UInt32) {
        self.iova = iova
        self.cookie = cookie
        self.length = length
    }

    @inlinable public init() { self.init(iova: 0, cookie: 0, length: 0) }
}

/// A transmit and a receive queue of a network device. One owner thread.
public protocol NetdevQueue: ~Copyable {
    /// Takes one frame for sending; false while the ring is full. Nothing goes out before `ring`.
    mutating func submit(_ buffer: NetdevBuffer, _ offload: TransmitOffload) -> Bool
    /// Tells the device about everything submitted and provided.
    mutating func ring()
    /// Cookies of sent buffers, up to a burst; how many.
    mutating func reap(_ cookies: inout InlineArray<32, UInt64>) -> Int
    /// Gives the device one buffer to receive into; false while the ring is full.
    mutating func provide(_ buffer: NetdevBuffer) -> Bool
    /// Received frames, up to a burst; how many. Their buffers are the caller's again.
    mutating func receive(_ frames: inout Burst<ReceivedFrame>) -> Int
    /// Readable after the device had something to say; nil where the queue can only be polled.
    var eventDescriptor: Int32? { get }
    /// Lets the device signal again. The owner looks once more before it sleeps.
    mutating func arm()
}
