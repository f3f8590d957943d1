// What a frame asks for, as the card takes it: a context descriptor and the bits of the data descriptor behind it.
// Source: igc_tx_csum, igc_tso (igc_main.c of Linux 6.12).

import I225Wire
import Netdev
import Registers

/// A context and the quadword 1 that goes with it.
struct OffloadRequest {
    let context: TransmitContextDescriptor
    let high: UInt64

    private static let ethernetHeaderBytes = 14
    private static let largestIPHeaders = 511

    /// nil if the card cannot do it, or the numbers point outside the frame.
    init?(_ offload: TransmitOffload, frameBytes: UInt32) {
        // DTALEN has 16 bits: longer frames would leave cut.
        guard frameBytes <= UInt32(UInt16.max) else { return nil }
        var macHeader = Self.ethernetHeaderBytes
        var ipHeaders = 0
        var transport = TransportType.udp
        if offload.checksumStart != 0 {
            let start = Int(offload.checksumStart)
            guard let kind = TransportType(checksumOffset: offload.checksumOffset) else { return nil }
            guard start >= macHeader, start - macHeader <= Self.largestIPHeaders,
                start + Int(offload.checksumOffset) + kind.checksumBytes <= Int(frameBytes)
            else { return nil }
            transport = kind
            ipHeaders = start - macHeader
        } else {
            macHeader = 0
        }

        let headers = macHeader + ipHeaders + Int(offload.segmentHeaderBytes)
        let isSegmented = offload.segmentSize != 0
        if isSegmented {
            guard transport == .tcp, offload.segmentHeaderBytes >= 20, offload.segmentHeaderBytes <= 60,
                headers < Int(frameBytes)
            else { return nil }
        }
        context = TransmitContextDescriptor(
            vlanTag: offload.vlanTag ?? 0,
            macHeaderLength: macHeader,
            ipHeaderLength: ipHeaders,
            transportHeaderLength: UInt8(truncatingIfNeeded: offload.segmentHeaderBytes),
            segmentSize: offload.segmentSize,
            transport: transport,
            isIPv4: offload.isIPv4
        )

        var command = TransmitCommand.wholeFrame
        command[.length] = frameBytes & 0xFFFF
        command[.segment] = isSegmented
        command[.insertVLAN] = offload.vlanTag != nil
        var options = TransmitOptions(raw: 0)
        options[.payloadLength] = isSegmented ? frameBytes - UInt32(headers) : frameBytes
        options[.insertTransportChecksum] = offload.checksumStart != 0
        options[.insertIPChecksum] = isSegmented && offload.isIPv4
        high = TransmitDataDescriptor(bufferAddress: 0, command: command, options: options).high
    }
}

extension TransportType {
    /// The protocol whose checksum lies there in its header: TCP 16, UDP 6, SCTP 8.
    fileprivate init?(checksumOffset: UInt16) {
        switch checksumOffset {
        case 16: self = .tcp
        case 6: self = .udp
        case 8: self = .sctp
        default: return nil
        }
    }

    fileprivate var checksumBytes: Int { self == .sctp ? 4 : 2 }
}
