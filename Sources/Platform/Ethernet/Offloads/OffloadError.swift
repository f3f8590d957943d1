// Why a device left a frame as it was: what was asked for does not fit the frame (see TransmitOffload).

/// Why an offload was not carried out; the frame is as it was.
@frozen public enum OffloadError: Error, Equatable, CaseIterable {
    /// The headers add up to more than the frame.
    case headersBeyondFrame
    /// It is shorter than any header of that IP version.
    case networkHeaderTooShort
    /// It is shorter than any TCP header.
    case transportHeaderTooShort
    /// The frame ends before the checksum field.
    case checksumFieldBeyondFrame
    /// A checksum for a transport that the device does not know.
    case unknownTransport
    /// Segmentation of something else than TCP.
    case segmentationOfOtherThanTCP
    /// Segments without payload.
    case segmentSizeZero
    /// A segment with its headers is longer than a frame may be.
    case segmentTooLong
    /// No room for the addresses before the tag.
    case frameTooShortForTag
}
