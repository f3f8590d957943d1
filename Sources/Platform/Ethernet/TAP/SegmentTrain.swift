// TCP segments on their way to a TAP device that belong together, handed over as one: what Linux calls a GSO packet.
// A card cuts a send of 64 KiB into 45 segments; one by one each costs a system call, a way through the host's stack and,
// for every second one, an acknowledgement that comes all the way back.
// Source of truth: struct virtio_net_hdr in linux/virtio_net.h, virtio_net_hdr_to_skb of Linux 6.12.

import Glibc

/// Segments that follow each other on a wire. The frames stay where they are, in the wire's memory, until `write`.
@safe package struct SegmentTrain: ~Copyable {
    // SAFETY: `room` has `roomBytes` bytes; what is written there is bounded by `TCPSegment.mostHeaderBytes`. `parts` has
    // `mostParts` places, and `append` refuses the segment that would need one more. The frames that the parts point to
    // are the caller's until it releases them, which it does after `write`.
    private let parts: UnsafeMutablePointer<iovec>
    /// The header for the TAP device, then the headers of the packet, then the patterns of the first and of the next.
    private let room: UnsafeMutableRawPointer
    private var first: TCPSegment?
    private var last: TCPSegment?
    package private(set) var segmentCount = 0
    package private(set) var byteCount = 0
    private var payloadBytes = 0
    private var isComplete = false

    /// As many frames as a poll of the wire takes.
    private static let mostSegments = 64
    private static let mostParts = mostSegments + 1
    private static let patternBytes = 128
    private static let headersAt = 16
    private static let firstPatternAt = 256
    private static let nextPatternAt = 512
    private static let roomBytes = 768

    package init() {
        unsafe parts = .allocate(capacity: Self.mostParts)
        unsafe parts.initialize(repeating: iovec(), count: Self.mostParts)
        unsafe room = .allocate(byteCount: Self.roomBytes, alignment: 16)
        unsafe room.initializeMemory(as: UInt8.self, repeating: 0, count: Self.roomBytes)
    }

    deinit {
        unsafe parts.deallocate()
        unsafe room.deallocate()
    }

    package var isEmpty: Bool { segmentCount == 0 }

    /// Takes a frame along, if it is the first and a segment, or goes on where the last one ends.
    package mutating func append(_ frame: FrameView) -> Bool {
        let bytes = unsafe RawSpan(_unsafeStart: frame.bytes, byteCount: frame.length)
        guard !isComplete, segmentCount < Self.mostSegments, let segment = TCPSegment(bytes) else { return false }
        if let first, let last {
            // A short one ends a send, and no segment is longer than the first: the device is told one size.
            guard segment.sequence == last.sequence &+ UInt32(truncatingIfNeeded: last.payloadBytes),
                segment.identification == last.identification &+ (segment.isIPv4 ? 1 : 0),
                segment.payloadBytes <= first.payloadBytes, segment.headerBytes == first.headerBytes,
                segment.isIPv4 == first.isIPv4,
                first.headerBytes - first.networkOffset + payloadBytes + segment.payloadBytes <= 0xFFFF
            else { return false }
            copyPattern(segment, bytes, to: Self.nextPatternAt)
            guard unsafe memcmp(room + Self.firstPatternAt, room + Self.nextPatternAt, segment.headerBytes) == 0
            else { return false }
        } else {
            first = segment
            copyPattern(segment, bytes, to: Self.firstPatternAt)
            unsafe (room + Self.headersAt).copyMemory(from: frame.bytes, byteCount: segment.headerBytes)
        }
        segmentCount += 1
        unsafe parts[segmentCount] = iovec(
            iov_base: frame.bytes + segment.headerBytes,
            iov_len: segment.payloadBytes
        )
        byteCount += unsafe frame.length
        payloadBytes += segment.payloadBytes
        isComplete = segment.isPushed || segment.payloadBytes != first?.payloadBytes
        last = segment
        return true
    }

    private func copyPattern(_ segment: TCPSegment, _ frame: RawSpan, to offset: Int) {
        var pattern = unsafe MutableRawSpan(_unsafeStart: room + offset, byteCount: Self.patternBytes)
        segment.copyPattern(frame, into: &pattern)
    }

    /// Hands the train to a TAP device with headers, in one system call, and forgets it. False with `errno` set if the
    /// device did not take it.
    package mutating func write(to descriptor: Int32) -> Bool {
        guard let first, let last else { return true }
        let packetBytes = first.headerBytes + payloadBytes
        unsafe room.initializeMemory(as: UInt8.self, repeating: 0, count: Self.headersAt)
        if segmentCount > 1 { join(first, last, packetBytes) }
        let start = unsafe room + (Self.headersAt - TAPDevice.headerBytes)
        unsafe parts[0] = iovec(iov_base: start, iov_len: TAPDevice.headerBytes + first.headerBytes)
        let written = unsafe writev(descriptor, parts, Int32(truncatingIfNeeded: segmentCount + 1))
        self.first = nil
        self.last = nil
        segmentCount = 0
        byteCount = 0
        payloadBytes = 0
        isComplete = false
        return written >= 0
    }

    /// One packet's headers out of the first segment's, and the word to the device how to cut it again.
    private func join(_ first: TCPSegment, _ last: TCPSegment, _ packetBytes: Int) {
        var packet = unsafe MutableRawSpan(_unsafeStart: room + Self.headersAt, byteCount: first.headerBytes)
        let transportBytes = packetBytes - first.transportOffset
        if first.isIPv4 {
            packet.storeNetwork(UInt16(packetBytes - first.networkOffset), at: first.networkOffset + 2)
            packet.storeNetwork(UInt16(0), at: first.networkOffset + 10)
            let checksum = InternetChecksum.of(packet.bytes.extracting(first.networkOffset..<first.transportOffset))
            packet.storeNetwork(checksum, at: first.networkOffset + 10)
        } else {
            packet.storeNetwork(UInt16(transportBytes), at: first.networkOffset + 4)
        }
        if last.isPushed {
            let flags = packet.bytes.networkUInt8(at: first.transportOffset + 13)
            packet.storeNetwork(flags | 0x08, at: first.transportOffset + 13)
        }
        // The device adds the rest: what it finds here is the pseudo-header's part.
        let partial = first.pseudoHeader(of: packet.bytes, transportBytes: transportBytes).folded
        packet.storeNetwork(partial, at: first.transportOffset + 16)

        let header = unsafe room + (Self.headersAt - TAPDevice.headerBytes)
        // VIRTIO_NET_HDR_F_NEEDS_CSUM; VIRTIO_NET_HDR_GSO_TCPV4, _TCPV6; lengths in the host's order.
        unsafe header.storeBytes(of: 1, toByteOffset: 0, as: UInt8.self)
        unsafe header.storeBytes(of: first.isIPv4 ? 1 : 4, toByteOffset: 1, as: UInt8.self)
        unsafe header.storeBytes(of: UInt16(first.headerBytes), toByteOffset: 2, as: UInt16.self)
        unsafe header.storeBytes(of: UInt16(first.payloadBytes), toByteOffset: 4, as: UInt16.self)
        unsafe header.storeBytes(of: UInt16(first.transportOffset), toByteOffset: 6, as: UInt16.self)
        unsafe header.storeBytes(of: 16, toByteOffset: 8, as: UInt16.self)
    }
}
