// The words before a frame by which a program asks for a stamp, a checksum or a launch time, and gets the stamp.
// Source of truth: `struct xsk_tx_metadata` of linux/if_xdp.h; it has launch times since Linux 6.15.

/// Where the fields of `struct xsk_tx_metadata` lie, in bytes from its start. It starts `txMetadataLength` bytes before
/// the frame. The completion overlays the request, as in the kernel's union.
public enum XSKTransmitMetadataLayout {
    /// flags, 64 bits.
    @inlinable public static var flags: Int { 0 }
    /// request.csum_start, 16 bits: where the checksum starts, from the start of the frame.
    @inlinable public static var checksumStart: Int { 8 }
    /// request.csum_offset, 16 bits: where the checksum goes, from `checksumStart`.
    @inlinable public static var checksumOffset: Int { 10 }
    /// request.launch_time, 64 bits: when the card shall send, nanoseconds by its clock.
    @inlinable public static var launchTime: Int { 16 }
    /// completion.tx_timestamp, 64 bits: when the card sent, nanoseconds by its clock.
    @inlinable public static var timestamp: Int { 8 }
    /// Doorbell's addition, 64 bits: how the request for a stamp ended, see `TransmitStampOutcome.status`. It is
    /// written where the umem's metadata has at least `lengthWithStatus` bytes; the kernel leaves these bytes alone.
    @inlinable public static var status: Int { 24 }

    /// The least metadata length that the kernel accepts: flags and one request.
    @inlinable public static var minimumLength: Int { 16 }
    /// The least metadata length with a launch time: sizeof(struct xsk_tx_metadata).
    @inlinable public static var lengthWithLaunchTime: Int { 24 }
    /// The least metadata length with Doorbell's status word.
    @inlinable public static var lengthWithStatus: Int { 32 }
}

/// What a program asks for: `xsk_tx_metadata.flags`.
@frozen public struct XSKTransmitRequest: OptionSet, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// XDP_TXMD_FLAGS_TIMESTAMP
    @inlinable public static var timestamp: XSKTransmitRequest { .init(rawValue: 1) }
    /// XDP_TXMD_FLAGS_CHECKSUM
    @inlinable public static var checksum: XSKTransmitRequest { .init(rawValue: 2) }
    /// XDP_TXMD_FLAGS_LAUNCH_TIME
    @inlinable public static var launchTime: XSKTransmitRequest { .init(rawValue: 4) }
}
