// What a frame's sender tells the adapter, inline in the work request: 8 bytes, or 24 with VLAN and encapsulation.
// Source: Linux struct mana_tx_short_oob, mana_tx_long_oob (mana.h), mana_start_xmit (mana_en.c) of 6.12 and 7.x.

import Registers

/// Dwords 0 and 1, and 2 and 3 where the format is long; 4 and 5 are reserved.
@frozen public struct TransmitOutOfBand: Equatable, Sendable {
    @inlinable public static var shortBytes: Int { 8 }
    @inlinable public static var longBytes: Int { 24 }

    public var request: TransmitRequest
    public var place: TransmitPlace
    public var tag: TransmitTag
    public var inner: TransmitInner

    @inlinable public init(
        request: TransmitRequest,
        place: TransmitPlace,
        tag: TransmitTag = .init(raw: 0),
        inner: TransmitInner = .init(raw: 0)
    ) {
        self.request = request
        self.place = place
        self.tag = tag
        self.inner = inner
    }

    @inlinable public var isLong: Bool { request[.format] == 1 }

    /// What must be added to the frame's port: from the short field, or the long one where the format is long.
    @inlinable public var portOffset: UInt32 { isLong ? inner[.portOffset] : place[.portOffset] }
}

/// Dword 0.
@frozen public struct TransmitRequest: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == TransmitRequest, Value == UInt32 {
    /// pkt_fmt: 0 short, 1 long.
    @inlinable public static var format: Self { .init(bits: 0..<2) }
    /// vcq_num: the completion queue.
    @inlinable public static var completionQueue: Self { .init(bits: 8..<32) }
}

extension Field where Layout == TransmitRequest, Value == Bool {
    @inlinable public static var isIPv4: Self { .init(bit: 2) }
    @inlinable public static var isIPv6: Self { .init(bit: 3) }
    /// comp_iphdr_csum, comp_tcp_csum, comp_udp_csum: fill it in.
    @inlinable public static var ipChecksum: Self { .init(bit: 4) }
    @inlinable public static var tcpChecksum: Self { .init(bit: 5) }
    @inlinable public static var udpChecksum: Self { .init(bit: 6) }
    /// supress_txcqe_gen: no completion if all went well.
    @inlinable public static var isSilent: Self { .init(bit: 7) }
}

/// Dword 1.
@frozen public struct TransmitPlace: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == TransmitPlace, Value == UInt32 {
    /// trans_off: where the transport header starts; said for TCP only.
    @inlinable public static var transportOffset: Self { .init(bits: 0..<10) }
    /// vsq_frame: bits 23:10 of the send queue's id.
    @inlinable public static var queueFrame: Self { .init(bits: 10..<24) }
    /// short_vp_offset.
    @inlinable public static var portOffset: Self { .init(bits: 24..<32) }
}

/// Dword 2, of the long format.
@frozen public struct TransmitTag: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }

    /// The 802.1Q tag control word.
    @inlinable public var control: UInt16 {
        UInt16(truncatingIfNeeded: self[.priority] &<< 13 | (self[.dropEligible] ? 1 &<< 12 : 0) | self[.vlan])
    }

    /// A tag to be inserted.
    @inlinable public init(inserting control: UInt16) {
        let control = UInt32(control)
        raw = 1 &<< 3 | (control &>> 13) &<< 16 | (control &>> 12 & 1) &<< 19 | (control & 0xFFF) &<< 20
    }
}

extension Field where Layout == TransmitTag, Value == UInt32 {
    @inlinable public static var priority: Self { .init(bits: 16..<19) }
    @inlinable public static var vlan: Self { .init(bits: 20..<32) }
}

extension Field where Layout == TransmitTag, Value == Bool {
    @inlinable public static var isEncapsulated: Self { .init(bit: 0) }
    @inlinable public static var innerIsIPv6: Self { .init(bit: 1) }
    @inlinable public static var innerHasTCPOptions: Self { .init(bit: 2) }
    /// inject_vlan_pri_tag.
    @inlinable public static var insertsVLAN: Self { .init(bit: 3) }
    @inlinable public static var dropEligible: Self { .init(bit: 19) }
}

/// Dword 3, of the long format.
@frozen public struct TransmitInner: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == TransmitInner, Value == UInt32 {
    @inlinable public static var frameOffset: Self { .init(bits: 0..<10) }
    @inlinable public static var ipOffset: Self { .init(bits: 10..<16) }
    /// long_vp_offset.
    @inlinable public static var portOffset: Self { .init(bits: 16..<28) }
}
