// Receive descriptors, advanced, one buffer: 16 bytes, read by the device in one format and written back in another.
// Source: Linux igc_base.h (union igc_adv_rx_desc), igc_main.c (igc_clean_rx_irq) of 6.12 and 7.x.

import Registers

/// What the driver writes: a buffer for the device to fill.
@frozen public struct ReceiveDescriptor: Equatable, Sendable {
    /// IOVA of the buffer.
    public var bufferAddress: UInt64

    @inlinable public init(bufferAddress: UInt64) { self.bufferAddress = bufferAddress }

    /// Quadword 0.
    @inlinable public var low: UInt64 { bufferAddress }
    /// Quadword 1: no header buffer, and length 0 so that the write-back is told apart.
    @inlinable public var high: UInt64 { 0 }
}

/// What the device writes back. The driver takes it when `length` is not zero.
@frozen public struct ReceiveWriteBack: Equatable, Sendable {
    /// Quadword 0: packet and hash; written first.
    public var low: UInt64
    /// Quadword 1: status, length and VLAN; one 64-bit store, last.
    public var high: UInt64

    @inlinable public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// - Parameters:
    ///   - rssType: what was hashed, bits 3:0.
    ///   - rssHash: the hash; its low half carries the raw checksum where RXCSUM.PCSD is 0.
    ///   - length: bytes in this buffer, the stamp's 16 included, the CRC not.
    ///   - vlanTag: the stripped tag control word, if the status says so.
    @inlinable public init(
        rssType: RSSType,
        rssHash: UInt32,
        status: ReceiveStatus,
        length: UInt16,
        vlanTag: UInt16
    ) {
        low = UInt64(rssType.rawValue) | UInt64(rssHash) &<< 32
        high = UInt64(status.raw) | UInt64(length) &<< 32 | UInt64(vlanTag) &<< 48
    }

    /// What was hashed, if it is a kind that is defined.
    @inlinable public var rssType: RSSType? { RSSType(rawValue: UInt8(truncatingIfNeeded: low & 0xF)) }
    @inlinable public var rssHash: UInt32 { UInt32(truncatingIfNeeded: low &>> 32) }
    @inlinable public var status: ReceiveStatus { ReceiveStatus(raw: UInt32(truncatingIfNeeded: high)) }
    @inlinable public var length: UInt16 { UInt16(truncatingIfNeeded: high &>> 32) }
    @inlinable public var vlanTag: UInt16 { UInt16(truncatingIfNeeded: high &>> 48) }

    /// The same with more status bits and a length, where it had none.
    @inlinable public func with(_ status: ReceiveStatus, length: Int) -> ReceiveWriteBack {
        let length = UInt64(truncatingIfNeeded: length & 0xFFFF) &<< 32
        return ReceiveWriteBack(low: low, high: high | UInt64(status.raw) | length)
    }

    /// The length in a quadword 1 alone: what a driver polls.
    @inlinable public static func length(_ high: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: high &>> 32) & 0xFFFF }
}

/// Dword 2 of the write-back: status and errors.
@frozen public struct ReceiveStatus: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == ReceiveStatus, Value == Bool {
    /// DD: the descriptor is the driver's.
    @inlinable public static var done: Self { .init(bit: 0) }
    /// EOP: the frame ends in this buffer.
    @inlinable public static var endOfPacket: Self { .init(bit: 1) }
    /// IXSM: nothing is said about checksums.
    @inlinable public static var ignoreChecksum: Self { .init(bit: 2) }
    /// VP: a VLAN tag was stripped.
    @inlinable public static var vlanStripped: Self { .init(bit: 3) }
    /// UDPCS: the UDP checksum was checked.
    @inlinable public static var udpChecked: Self { .init(bit: 4) }
    /// TCPCS: the TCP checksum was checked.
    @inlinable public static var tcpChecked: Self { .init(bit: 5) }
    /// IPCS: the IPv4 header checksum was checked.
    @inlinable public static var ipChecked: Self { .init(bit: 6) }
    /// PIF: the address passed by hash or promiscuity, not exactly.
    @inlinable public static var passedInexact: Self { .init(bit: 7) }
    /// TSIP: a 16-byte stamp precedes the frame in the buffer.
    @inlinable public static var stamped: Self { .init(bit: 15) }
    /// LB: looped back; the VLAN tag is byte-swapped.
    @inlinable public static var loopedBack: Self { .init(bit: 18) }
    /// L4E: the TCP or UDP checksum is wrong.
    @inlinable public static var transportError: Self { .init(bit: 29) }
    /// IPE: the IPv4 header checksum is wrong.
    @inlinable public static var ipError: Self { .init(bit: 30) }
    /// RXE: the MAC found an error; the driver drops the frame.
    @inlinable public static var receiveError: Self { .init(bit: 31) }
}

/// What a receive hash was taken over: bits 3:0 of the write-back.
@frozen public enum RSSType: UInt8, Sendable {
    case none = 0
    case tcpIPv4 = 1
    case ipv4 = 2
    case tcpIPv6 = 3
    case ipv6Extended = 4
    case ipv6 = 5
    case tcpIPv6Extended = 6
    case udpIPv4 = 7
    case udpIPv6 = 8
    case udpIPv6Extended = 9
}

/// The 16 bytes that a stamping queue puts in front of a frame: four little-endian dwords.
@frozen public struct ReceiveStampHeader: Equatable, Sendable {
    @inlinable public static var byteCount: Int { 16 }

    /// Dwords 0 and 1: the timer that SRRCTL.TIMER1SEL chooses.
    public var timer1: DeviceTime
    /// Dwords 2 and 3: the timer that SRRCTL.TIMER0SEL chooses.
    public var timer0: DeviceTime

    @inlinable public init(timer1: DeviceTime, timer0: DeviceTime) {
        self.timer1 = timer1
        self.timer0 = timer0
    }

    /// From its two quadwords, as they lie in the buffer.
    @inlinable public init(first: UInt64, second: UInt64) {
        timer1 = DeviceTime(registers: first)
        timer0 = DeviceTime(registers: second)
    }

    @inlinable public var first: UInt64 { timer1.registers }
    @inlinable public var second: UInt64 { timer0.registers }
}
