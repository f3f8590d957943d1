// Work requests (WQEs): a header, inline out-of-band data, a list of memory pieces; rounded up to basic units of 32 bytes.
// Source: Linux struct gdma_wqe, struct gdma_sge (gdma.h), mana_gd_write_client_oob and mana_gd_write_sgl (gdma_main.c)
// of 6.12 and 7.x.

import Registers

/// Dwords 0 and 1 of a work request.
@frozen public struct WorkRequestHeader: Equatable, Sendable {
    /// Dword 0, bits 31:24. With `segments`: bytes of the headers in front (last_vbytes).
    public var lastBytes: UInt8
    /// Dword 1.
    public var control: WorkRequestControl

    @inlinable public init(lastBytes: UInt8 = 0, control: WorkRequestControl) {
        self.lastBytes = lastBytes
        self.control = control
    }

    @inlinable public init(low: UInt32, high: UInt32) {
        lastBytes = UInt8(truncatingIfNeeded: low &>> 24)
        control = .init(raw: high)
    }

    @inlinable public var low: UInt32 { UInt32(lastBytes) &<< 24 }
    @inlinable public var high: UInt32 { control.raw }
}

/// Dword 1 of a work request.
@frozen public struct WorkRequestControl: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }

    /// A request with `pieceCount` pieces (at most 255) and `inlineBytes` of out-of-band data, 8 or 24.
    @inlinable public init(pieceCount: Int, inlineBytes: Int) {
        raw = UInt32(truncatingIfNeeded: pieceCount & 0xFF) | UInt32(truncatingIfNeeded: inlineBytes &>> 2 & 7) &<< 8
    }

    @inlinable public var pieceCount: Int { Int(truncatingIfNeeded: raw & 0xFF) }
    /// What the field says; only 8 and 24 are right (`spanBytes` has the room that is taken up).
    @inlinable public var inlineBytes: Int { Int(truncatingIfNeeded: (raw &>> 8) & 7) &* 4 }

    /// Where the pieces start: behind the out-of-band data, at 16 or 32.
    @inlinable public var listOffset: Int { inlineBytes <= 8 ? 16 : 32 }
    /// Bytes of the whole request in the ring: a multiple of 32.
    @inlinable public var spanBytes: Int { (listOffset &+ pieceCount &* MemoryPiece.byteCount &+ 31) & ~31 }
}

extension Field where Layout == WorkRequestControl, Value == UInt32 {
    /// num_sge.
    @inlinable public static var pieces: Self { .init(bits: 0..<8) }
    /// inline_oob_size_div4: 2 or 6.
    @inlinable public static var inlineWords: Self { .init(bits: 8..<11) }
    /// client_data_unit: bytes of payload per segment.
    @inlinable public static var segmentBytes: Self { .init(bits: 16..<30) }
}

extension Field where Layout == WorkRequestControl, Value == Bool {
    /// client_oob_in_sgl: the first piece is the headers, the rest is cut into segments.
    @inlinable public static var segments: Self { .init(bit: 11) }
}

/// A piece of memory of a request (SGE), 16 bytes.
@frozen public struct MemoryPiece: Equatable, Sendable {
    @inlinable public static var byteCount: Int { 16 }

    public var address: UInt64
    public var key: UInt32
    public var length: UInt32

    @inlinable public init(address: UInt64, key: UInt32, length: UInt32) {
        self.address = address
        self.key = key
        self.length = length
    }

    /// From the two quadwords.
    @inlinable public init(low: UInt64, high: UInt64) {
        address = low
        key = UInt32(truncatingIfNeeded: high)
        length = UInt32(truncatingIfNeeded: high &>> 32)
    }

    @inlinable public var low: UInt64 { address }
    @inlinable public var high: UInt64 { UInt64(key) | UInt64(length) &<< 32 }

    /// What stands in a request that has no memory at all (DPDK).
    @inlinable public static var nothing: MemoryPiece { .init(address: 1, key: 0, length: 0) }
}
