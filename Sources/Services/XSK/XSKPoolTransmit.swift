// Frames on their way to the card. The checks of a descriptor are those of `xp_aligned_validate_desc` in
// net/xdp/xsk_queue.h, the batch is that of `xskq_cons_read_desc_batch` (Linux 6.12).
//
// SAFETY (all uses of `unsafe`): rings and umem stay mapped as long as the socket, which this end keeps; addresses
// are checked against the umem, and indices are below the bursts' 32.

import Rings

/// A frame to send. 16 bytes.
@frozen public struct XSKTransmitFrame: Sendable {
    /// The first byte, from the start of the umem; exactly what the program wrote, and what completion returns to it.
    public var address: UInt64
    /// Bytes.
    public var length: UInt32
    /// What the program asks for; empty for a plain frame.
    public var request: XSKTransmitRequest

    @inlinable public init(address: UInt64, length: UInt32, request: XSKTransmitRequest) {
        self.address = address
        self.length = length
        self.request = request
    }
}

/// The words of a request that few frames make.
@frozen public struct XSKMetadataRequest: Equatable, Sendable {
    /// Where the checksum starts, from the first byte of the frame.
    public var checksumStart: UInt16
    /// Where the checksum goes, from `checksumStart`.
    public var checksumOffset: UInt16
    /// When the card shall send, nanoseconds by its clock.
    public var launchTime: UInt64

    @inlinable public init(checksumStart: UInt16, checksumOffset: UInt16, launchTime: UInt64) {
        self.checksumStart = checksumStart
        self.checksumOffset = checksumOffset
        self.launchTime = launchTime
    }
}

extension XSKPool {
    /// Takes frames from the Tx ring: at most `limit`, at most 32, and no more than the completion ring has room for.
    ///
    /// A descriptor that the kernel would refuse is counted, gets no completion, and ends the burst; frames behind it
    /// come with the next call.
    /// - Returns: how many frames of `burst` are valid.
    @inlinable public mutating func peekTransmit(_ burst: inout XSKTransmitBurst, limit: Int) -> Int {
        guard limit > 0 else { return 0 }
        let wanted = UInt32(truncatingIfNeeded: min(limit, XSKTransmitBurst.capacity))
        let available = transmit.available(wanted)
        guard available != 0 else {
            counters.add(.transmitRingEmpty)
            return 0
        }
        let room = completion.room(available)
        let ring = transmit.ring
        let start = transmit.position
        // Locals: a call with `self` would copy all of it (Swift 6.3).
        let view = self.view
        let counters = self.counters
        // SAFETY: `count` stays below `room`, which is at most the burst's capacity.
        let frames = unsafe burst.pointer
        var count: UInt32 = 0
        var passed: UInt32 = 0
        while passed < room {
            let (address, lengthAndOptions) = ring.descriptor(start &+ passed)
            passed &+= 1
            let length = lengthAndOptions & 0xFFFF_FFFF
            let options = UInt32(truncatingIfNeeded: lengthAndOptions >> 32)
            guard view.holds(address, length: length),
                options & ~XSKDescriptorOptions.transmitMetadata.rawValue == 0
            else {
                counters.add(.transmitInvalidDescriptors)
                break
            }
            var request: XSKTransmitRequest = []
            if options != 0 {
                if let asked = view.request(of: address) { request = asked } else { counters.add(.invalidMetadata) }
            }
            unsafe frames[Int(truncatingIfNeeded: count)] = XSKTransmitFrame(
                address: address,
                length: UInt32(truncatingIfNeeded: length),
                request: request
            )
            count &+= 1
        }
        if passed != 0 { transmit.release(passed) }
        completion.reserve(count)
        return Int(truncatingIfNeeded: count)
    }

    /// The words of the frame's checksum and launch time request: whatever the program wrote. Zero where it asked for
    /// nothing of the kind.
    public func metadataRequest(of frame: XSKTransmitFrame) -> XSKMetadataRequest {
        var request = XSKMetadataRequest(checksumStart: 0, checksumOffset: 0, launchTime: 0)
        guard let metadata = unsafe view.metadata(of: frame.address) else { return request }
        if frame.request.contains(.checksum) {
            let start = XSKTransmitMetadataLayout.checksumStart
            let offset = XSKTransmitMetadataLayout.checksumOffset
            request.checksumStart = unsafe metadata.loadUnaligned(fromByteOffset: start, as: UInt16.self)
            request.checksumOffset = unsafe metadata.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
        }
        if frame.request.contains(.launchTime) {
            let offset = XSKTransmitMetadataLayout.launchTime
            request.launchTime = unsafe metadata.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        }
        return request
    }

    /// Writes how the stamp request of the frame at `address` ended, before its completion: the stamp or 0, and the
    /// status word where the metadata has room for it.
    @inlinable public func writeStamp(_ outcome: TransmitStampOutcome, for address: UInt64) {
        guard let metadata = unsafe view.metadata(of: address) else { return }
        unsafe metadata.storeBytes(
            of: outcome.timestamp,
            toByteOffset: XSKTransmitMetadataLayout.timestamp,
            as: UInt64.self
        )
        guard view.metadataLength >= UInt64(XSKTransmitMetadataLayout.lengthWithStatus) else { return }
        unsafe metadata.storeBytes(of: outcome.status, toByteOffset: XSKTransmitMetadataLayout.status, as: UInt64.self)
    }

    /// Gives a frame's memory back to the program, with the next `publishCompletions`. Any order.
    @inlinable public mutating func complete(_ address: UInt64) {
        completion.put(address)
    }

    /// Shows the program what was completed. Once per burst.
    @inlinable public mutating func publishCompletions() {
        completion.publish()
    }
}
