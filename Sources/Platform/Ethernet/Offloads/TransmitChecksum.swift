// Checksums of a frame that goes out whole: RFC 791, 768, 9293, 9260. Software leaves the folded sum of the pseudo-header
// in the field of TCP and UDP (Linux `CHECKSUM_PARTIAL`), for every device here.

public enum TransmitChecksum {
    /// Fills in the checksums that `offload` asks for. `frame` is what the driver gave: without a VLAN tag or
    /// padding that the device adds. It is changed only if all that was asked for can be done.
    @_lifetime(frame: copy frame)
    public static func fill(_ offload: TransmitOffload, in frame: inout MutableRawSpan) throws(OffloadError) {
        let fillsNetwork = offload.fillsNetworkChecksum && offload.isIPv4
        if fillsNetwork { try checkNetwork(offload, frameBytes: frame.byteCount) }
        if offload.fillsTransportChecksum {
            try checkTransport(offload, frameBytes: frame.byteCount)
            fillTransport(offload, in: &frame)
        }
        if fillsNetwork { fillIPv4(offload, in: &frame) }
    }

    private static func checkNetwork(_ offload: TransmitOffload, frameBytes: Int) throws(OffloadError) {
        guard offload.networkHeaderBytes >= 20 else { throw .networkHeaderTooShort }
        guard offload.transportOffset <= frameBytes else { throw .headersBeyondFrame }
    }

    private static func checkTransport(_ offload: TransmitOffload, frameBytes: Int) throws(OffloadError) {
        let fieldEnd =
            switch offload.transport {
            case .tcp: 18
            case .udp: 8
            case .sctp: 12
            case .none: throw .unknownTransport
            }
        guard offload.transportOffset <= frameBytes else { throw .headersBeyondFrame }
        guard fieldEnd <= frameBytes - offload.transportOffset else { throw .checksumFieldBeyondFrame }
    }

    /// Sums over the header as it is, the checksum field with it: software leaves zero there, or, in front of tunnel
    /// headers that `networkHeaderBytes` covers too, the value that takes them out of the sum again (Linux `igc_tso`).
    @_lifetime(frame: copy frame)
    static func fillIPv4(_ offload: TransmitOffload, in frame: inout MutableRawSpan) {
        let checksum = InternetChecksum.of(frame.bytes.extracting(offload.macHeaderBytes..<offload.transportOffset))
        frame.storeNetwork(checksum, at: offload.macHeaderBytes + 10)
    }

    /// Sums to the end of the frame. The field already holds the folded sum of the pseudo-header.
    @_lifetime(frame: copy frame)
    private static func fillTransport(_ offload: TransmitOffload, in frame: inout MutableRawSpan) {
        let start = offload.transportOffset
        let end = frame.byteCount
        switch offload.transport {
        case .tcp:
            frame.storeNetwork(InternetChecksum.of(frame.bytes.extracting(start..<end)), at: start + 16)
        case .udp:
            let checksum = InternetChecksum.of(frame.bytes.extracting(start..<end))
            // RFC 768: zero would say that there is none.
            frame.storeNetwork(checksum == 0 ? 0xFFFF : checksum, at: start + 6)
        case .sctp:
            frame.storeNetwork(SCTPChecksum.of(frame.bytes.extracting(start..<end)), at: start + 8)
        case .none:
            break
        }
    }
}
