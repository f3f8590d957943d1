// What a frame asks for, as the adapter takes it: out-of-band data in line, then one piece of memory, or headers and
// payload. Source: mana_start_xmit (mana_en.c of Linux 6.12 and 7.x).

import MANAWire
import Netdev
import Registers

/// The parts of a work request that are the same for all frames of a queue.
@frozen public struct TransmitFormat: Sendable {
    @usableFromInline let memoryKey: UInt32
    @usableFromInline let request: TransmitRequest
    @usableFromInline let place: TransmitPlace
    @usableFromInline let inner: TransmitInner
    /// Frames that ask for nothing go in the long format too.
    public let isAlwaysLong: Bool

    private static let ethernetHeaderBytes = 14
    /// Of the long format's port offset, which has the most bits.
    static let largestPortOffset: UInt16 = 0xFFF

    /// - Parameters:
    ///   - portOffset: tx_vport_offset, at most `largestPortOffset`.
    ///   - allowsShort: the port said that the short format will do.
    public init(
        sendQueue: UInt32,
        completionQueue: UInt32,
        memoryKey: UInt32,
        portOffset: UInt16,
        allowsShort: Bool
    ) {
        self.memoryKey = memoryKey
        isAlwaysLong = portOffset > 255 || !allowsShort
        request = .with { $0[.completionQueue] = completionQueue & 0xFF_FFFF }
        place = .with {
            $0[.queueFrame] = (sendQueue >> 10) & 0x3FFF
            $0[.portOffset] = UInt32(portOffset & 0xFF)
        }
        inner = .with { $0[.portOffset] = UInt32(portOffset & Self.largestPortOffset) }
    }

    /// A frame that asks for nothing, in one piece, in the short format.
    @inlinable @inline(__always) public func plain(iova: UInt64, length: UInt32) -> TransmitUnit {
        let piece = MemoryPiece(address: iova, key: memoryKey, length: length)
        return TransmitUnit(
            Self.header(pieces: 1, inlineBytes: TransmitOutOfBand.shortBytes),
            Self.quad(request.raw, place.raw),
            piece.low,
            piece.high
        )
    }

    /// The same in the long format.
    func long(iova: UInt64, length: UInt32) -> TransmitWork {
        assemble(
            request,
            place,
            TransmitTag(raw: 0),
            isLong: true,
            control(pieces: 1, isLong: true),
            [MemoryPiece(address: iova, key: memoryKey, length: length), .nothing]
        )
    }

    /// A frame with requests; nil if the adapter cannot do it, or the numbers point outside the frame.
    func offloaded(_ buffer: NetdevBuffer, _ offload: TransmitOffload) -> TransmitWork? {
        var request = request
        var place = place
        let start = Int(offload.checksumStart)
        if start != 0 {
            guard start >= Self.ethernetHeaderBytes, start + Int(offload.checksumOffset) + 2 <= Int(buffer.length),
                start <= 0x3FF
            else { return nil }
            switch offload.checksumOffset {
            case 16:
                request[.tcpChecksum] = true
                place[.transportOffset] = UInt32(start)
            case 6: request[.udpChecksum] = true
            default: return nil
            }
            request[.isIPv4] = offload.isIPv4
            request[.isIPv6] = !offload.isIPv4
        }
        var tag = TransmitTag(raw: 0)
        if let control = offload.vlanTag { tag = TransmitTag(inserting: control) }
        let isLong = isAlwaysLong || offload.vlanTag != nil

        guard offload.segmentSize != 0 else {
            let piece = MemoryPiece(address: buffer.iova, key: memoryKey, length: buffer.length)
            return assemble(request, place, tag, isLong: isLong, control(pieces: 1, isLong: isLong), [piece, .nothing])
        }
        // The first piece is the headers exactly, and their length a byte of the request's.
        let headers = start + Int(offload.segmentHeaderBytes)
        guard request[.tcpChecksum], (20...60).contains(offload.segmentHeaderBytes), headers <= 255,
            headers < Int(buffer.length), offload.segmentSize <= 0x3FFF
        else { return nil }
        request[.ipChecksum] = true
        var control = control(pieces: 2, isLong: isLong)
        control[.segments] = true
        control[.segmentBytes] = UInt32(offload.segmentSize)
        return assemble(
            request,
            place,
            tag,
            isLong: isLong,
            control,
            [
                MemoryPiece(address: buffer.iova, key: memoryKey, length: UInt32(headers)),
                MemoryPiece(
                    address: buffer.iova &+ UInt64(headers),
                    key: memoryKey,
                    length: buffer.length - UInt32(headers)
                ),
            ],
            headerBytes: UInt8(headers)
        )
    }

    private func control(pieces: Int, isLong: Bool) -> WorkRequestControl {
        WorkRequestControl(
            pieceCount: pieces,
            inlineBytes: isLong ? TransmitOutOfBand.longBytes : TransmitOutOfBand.shortBytes
        )
    }

    private func assemble(
        _ request: TransmitRequest,
        _ place: TransmitPlace,
        _ tag: TransmitTag,
        isLong: Bool,
        _ control: WorkRequestControl,
        _ pieces: InlineArray<2, MemoryPiece>,
        headerBytes: UInt8 = 0
    ) -> TransmitWork {
        var request = request
        request[.format] = isLong ? 1 : 0
        let header = WorkRequestHeader(lastBytes: headerBytes, control: control)
        var work = TransmitWork()
        work.header = Self.quad(header.low, header.high)
        work.second = Self.quad(request.raw, place.raw)
        let (first, second) = (pieces[0], pieces[1])
        let hasSecond = control.pieceCount > 1
        let rest: (UInt64, UInt64) = hasSecond ? (second.low, second.high) : (0, 0)
        if isLong {
            work.units = 2
            work.third = Self.quad(tag.raw, inner.raw)
            work.fourth = 0
            work.pieces = (first.low, first.high, rest.0, rest.1)
        } else {
            work.units = hasSecond ? 2 : 1
            work.third = first.low
            work.fourth = first.high
            work.pieces = (rest.0, rest.1, 0, 0)
        }
        return work
    }

    @inlinable @inline(__always) static func header(pieces: Int, inlineBytes: Int) -> UInt64 {
        UInt64(WorkRequestControl(pieceCount: pieces, inlineBytes: inlineBytes).raw) << 32
    }

    @inlinable @inline(__always) static func quad(_ low: UInt32, _ high: UInt32) -> UInt64 {
        UInt64(low) | UInt64(high) << 32
    }
}
