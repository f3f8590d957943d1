// What a transmit context and the first data descriptor ask for, taken off their bits (I225 contract, sections 4.2 and
// 4.3). A descriptor may claim anything: nothing here is trusted before it was held against the frame.

import Ethernet

/// The offloads of one transmitted frame.
package struct TransmitOffload: Equatable, Sendable {
    /// MACLEN: bytes before the network header, 0 to 127.
    package var macHeaderBytes: Int
    /// IPLEN: bytes from there to the transport header, 0 to 511. Around a tunnel it covers all headers of the outer
    /// packet and the inner network header.
    package var networkHeaderBytes: Int
    /// L4LEN: bytes of the transport header, 0 to 255. Used for segmentation only.
    package var transportHeaderBytes: Int
    /// The context says IPv4, not IPv6.
    package var isIPv4: Bool
    /// L4T; `.none` for its reserved value.
    package var transport: TransportProtocol
    /// IXSM: fill in the checksum of the IPv4 header.
    package var fillsNetworkChecksum: Bool
    /// TXSM: fill in the checksum of the transport.
    package var fillsTransportChecksum: Bool
    /// MSS: payload bytes of a segment, 0 to 65535. Used for segmentation only.
    package var maximumSegmentBytes: Int

    package init(
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
    var transportOffset: Int { macHeaderBytes + networkHeaderBytes }
}

/// Why an offload was not carried out; the frame is as it was.
package enum OffloadError: Error, Equatable, CaseIterable {
    /// MACLEN, IPLEN and L4LEN add up to more than the frame.
    case headersBeyondFrame
    /// IPLEN is shorter than any header of that IP version.
    case networkHeaderTooShort
    /// L4LEN is shorter than any TCP header.
    case transportHeaderTooShort
    /// The frame ends before the checksum field.
    case checksumFieldBeyondFrame
    /// A checksum for a transport that the device does not know.
    case unknownTransport
    /// Segmentation of something else than TCP.
    case segmentationOfOtherThanTCP
    /// MSS is 0.
    case segmentSizeZero
    /// A segment with its headers is longer than a frame may be.
    case segmentTooLong
    /// No room for the addresses before the tag.
    case frameTooShortForTag
}
