// TCP segmentation by a device: RFC 9293 for the header, RFC 3168 for CWR; what software leaves to the device is the same
// for every device here (Linux `igc_tso`, `mana_start_xmit`). Any segment can be written at any time, so a full wire holds
// the work at the segment it is at.

/// The segments of one frame, whose headers are the prototype of theirs.
public struct Segmentation: Equatable, Sendable {
    public let offload: TransmitOffload
    /// Bytes before the payload, in the frame and in every segment.
    public let headerBytes: Int
    /// Bytes of payload in all.
    public let payloadBytes: Int
    /// At least 1: headers without payload are a segment too. A hostile MSS makes one for every byte, so the caller has
    /// a budget.
    public let segmentCount: Int

    /// - Parameters:
    ///   - frameBytes: headers and payload of the frame.
    ///   - limit: bytes that one segment with its headers may have.
    public init(_ offload: TransmitOffload, frameBytes: Int, limit: Int) throws(OffloadError) {
        guard offload.transport == .tcp else { throw .segmentationOfOtherThanTCP }
        guard offload.networkHeaderBytes >= (offload.isIPv4 ? 20 : 40) else { throw .networkHeaderTooShort }
        guard offload.transportHeaderBytes >= 20 else { throw .transportHeaderTooShort }
        guard offload.maximumSegmentBytes > 0 else { throw .segmentSizeZero }
        headerBytes = offload.transportOffset + offload.transportHeaderBytes
        guard headerBytes <= frameBytes else { throw .headersBeyondFrame }
        payloadBytes = frameBytes - headerBytes
        let longest = headerBytes + min(payloadBytes, offload.maximumSegmentBytes)
        // The length field of the network header has 16 bits.
        guard longest <= limit, longest - offload.macHeaderBytes <= 0xFFFF else { throw .segmentTooLong }
        segmentCount = max(1, (payloadBytes + offload.maximumSegmentBytes - 1) / offload.maximumSegmentBytes)
        self.offload = offload
    }

    /// Bytes of segment `index`, with headers.
    public func segmentBytes(_ index: Int) -> Int {
        precondition(index >= 0 && index < segmentCount, "segment index")
        return headerBytes + min(offload.maximumSegmentBytes, payloadBytes - payloadOffset(index))
    }

    /// Writes segment `index` of `frame`, which has the length given to `init`. `segment` is as long as it.
    @_lifetime(segment: copy segment)
    public func write(_ index: Int, of frame: RawSpan, into segment: inout MutableRawSpan) {
        precondition(frame.byteCount == headerBytes + payloadBytes, "not the frame that was measured")
        precondition(segment.byteCount == segmentBytes(index), "segment length")
        let payloadStart = headerBytes + payloadOffset(index)
        let payloadEnd = payloadStart + segment.byteCount - headerBytes
        segment.copy(frame.extracting(0..<headerBytes), to: 0)
        segment.copy(frame.extracting(payloadStart..<payloadEnd), to: headerBytes)
        if offload.isIPv4 {
            updateIPv4(index, in: &segment)
        } else {
            updateIPv6(in: &segment)
        }
        updateTCP(index, in: &segment)
    }

    private func payloadOffset(_ index: Int) -> Int { index * offload.maximumSegmentBytes }

    @_lifetime(segment: copy segment)
    private func updateIPv4(_ index: Int, in segment: inout MutableRawSpan) {
        let start = offload.macHeaderBytes
        let identification = segment.bytes.networkUInt16(at: start + 4)
        segment.storeNetwork(UInt16(truncatingIfNeeded: segment.byteCount - start), at: start + 2)
        segment.storeNetwork(identification &+ UInt16(truncatingIfNeeded: index), at: start + 4)
        if offload.fillsNetworkChecksum { TransmitChecksum.fillIPv4(offload, in: &segment) }
    }

    @_lifetime(segment: copy segment)
    private func updateIPv6(in segment: inout MutableRawSpan) {
        let start = offload.macHeaderBytes
        // Extension headers count as payload, the first 40 bytes do not.
        segment.storeNetwork(UInt16(truncatingIfNeeded: segment.byteCount - start - 40), at: start + 4)
    }

    @_lifetime(segment: copy segment)
    private func updateTCP(_ index: Int, in segment: inout MutableRawSpan) {
        let start = offload.transportOffset
        let sequence = segment.bytes.networkUInt32(at: start + 4)
        segment.storeNetwork(sequence &+ UInt32(truncatingIfNeeded: payloadOffset(index)), at: start + 4)
        let flags = TCPFlags(rawValue: segment.bytes.networkUInt8(at: start + 13))
        segment.storeNetwork(flags.subtracting(flagsCleared(in: index)).rawValue, at: start + 13)
        guard offload.fillsTransportChecksum else { return }
        var sum = InternetChecksum()
        // The field holds the sum of a pseudo-header without length, because every segment has its own.
        sum.add(UInt16(truncatingIfNeeded: segment.byteCount - start))
        sum.add(segment.bytes.extracting(start..<segment.byteCount))
        segment.storeNetwork(sum.checksum, at: start + 16)
    }

    /// PSH and FIN belong to the end of the data, CWR (RFC 3168 section 6.1.2) to its first packet.
    private func flagsCleared(in index: Int) -> TCPFlags {
        var cleared: TCPFlags = []
        if index != segmentCount - 1 { cleared.formUnion([.push, .finish]) }
        if index != 0 { cleared.insert(.congestionWindowReduced) }
        return cleared
    }
}

/// Byte 13 of a TCP header, as far as segmentation changes it.
private struct TCPFlags: OptionSet {
    let rawValue: UInt8
    static var finish: TCPFlags { .init(rawValue: 0x01) }
    static var push: TCPFlags { .init(rawValue: 0x08) }
    static var congestionWindowReduced: TCPFlags { .init(rawValue: 0x80) }
}
