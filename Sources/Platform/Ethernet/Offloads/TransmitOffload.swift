// What a driver asks of a device for one frame, taken off the bits that ask for it, in a descriptor or beside it. They may
// claim anything: nothing here is trusted before it was held against the frame. No count is negative, nor above 65535.

/// The offloads of one transmitted frame.
@frozen public struct TransmitOffload: Equatable, Sendable {
    /// Bytes before the network header.
    public var macHeaderBytes: Int
    /// Bytes from there to the transport header. Around a tunnel it covers all headers of the outer packet and the inner
    /// network header.
    public var networkHeaderBytes: Int
    /// Bytes of the transport header. Used for segmentation only.
    public var transportHeaderBytes: Int
    /// It is said to be IPv4, not IPv6.
    public var isIPv4: Bool
    /// `.none` where the device knows no name for what was asked.
    public var transport: TransportProtocol
    /// Fill in the checksum of the IPv4 header.
    public var fillsNetworkChecksum: Bool
    /// Fill in the checksum of the transport.
    public var fillsTransportChecksum: Bool
    /// Payload bytes of a segment. Used for segmentation only.
    public var maximumSegmentBytes: Int

    @inlinable public init(
        macHeaderBytes: Int,
        networkHeaderBytes: Int,
        transportHeaderBytes: Int = 0,
        isIPv4: Bool = false,
        transport: TransportProtocol = .none,
        fillsNetworkChecksum: Bool = false,
        fillsTransportChecksum: Bool = false,
        maximumSegmentBytes: Int = 0
    ) {
        self.macHeaderBytes = macHeaderBytes
        self.networkHeaderBytes = networkHeaderBytes
        self.transportHeaderBytes = transportHeaderBytes
        self.isIPv4 = isIPv4
        self.transport = transport
        self.fillsNetworkChecksum = fillsNetworkChecksum
        self.fillsTransportChecksum = fillsTransportChecksum
        self.maximumSegmentBytes = maximumSegmentBytes
    }

    /// Where the transport header starts.
    @inlinable public var transportOffset: Int { macHeaderBytes + networkHeaderBytes }
}
