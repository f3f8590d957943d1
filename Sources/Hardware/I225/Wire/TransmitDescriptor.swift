// Transmit descriptors, advanced: 16 bytes. A context holds offload parameters for the data that follow it.
// Source: Linux igc_base.h (union igc_adv_tx_desc, struct igc_adv_tx_context_desc), igc_main.c of 6.12 and 7.x.

import Registers

/// The kind of a transmit descriptor: bits 23:20 of dword 2.
@frozen public enum TransmitDescriptorType: UInt64, Sendable {
    case context = 2
    case data = 3

    /// The kind that quadword 1 of a descriptor names; nil: reserved.
    @inlinable public init?(high: UInt64) { self.init(rawValue: (high &>> 20) & 0xF) }
}

/// A piece of a frame. Quadword 0 is the buffer's IOVA; quadword 1 is `command` below `optionsAndStatus`.
@frozen public struct TransmitDataDescriptor: Equatable, Sendable {
    public var bufferAddress: UInt64
    /// Dword 2, cmd_type_len.
    public var command: TransmitCommand
    /// Dword 3, olinfo_status.
    public var options: TransmitOptions

    @inlinable public init(bufferAddress: UInt64, command: TransmitCommand, options: TransmitOptions) {
        self.bufferAddress = bufferAddress
        self.command = command
        self.options = options
    }

    @inlinable public init(low: UInt64, high: UInt64) {
        bufferAddress = low
        command = TransmitCommand(raw: UInt32(truncatingIfNeeded: high))
        options = TransmitOptions(raw: UInt32(truncatingIfNeeded: high &>> 32))
    }

    @inlinable public var low: UInt64 { bufferAddress }
    @inlinable public var high: UInt64 { UInt64(command.raw) | UInt64(options.raw) &<< 32 }

    /// Quadword 1 of a plain frame in one buffer: EOP, IFCS and RS. Lengths take 16 bits.
    @inlinable public static func wholeFrame(length: UInt32) -> UInt64 {
        let bytes = length & 0xFFFF
        return UInt64(TransmitCommand.wholeFrame.raw | bytes) | UInt64(bytes) &<< 46
    }

    /// The bits of quadword 1 that ask for a stamp in register `slot`, 0...3.
    @inlinable public static func stampBits(slot: UInt8) -> UInt64 { 1 &<< 19 | UInt64(slot & 3) &<< 16 }

    /// The bit of quadword 1 that has the L4 checksum filled in by the context.
    @inlinable public static var transportChecksumBit: UInt64 { 1 &<< 41 }

    /// Whether quadword 1 has DD.
    @inlinable public static func isDone(_ high: UInt64) -> Bool { high & doneBit != 0 }

    /// DD in quadword 1: the device has finished with the descriptor.
    @inlinable public static var doneBit: UInt64 { 1 &<< 32 }
}

/// Dword 2 of a data descriptor.
@frozen public struct TransmitCommand: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }

    /// The bits that every data descriptor has: DTYP 3 and DEXT.
    @inlinable public static var dataDescriptor: TransmitCommand { .init(raw: 0x2030_0000) }

    /// A data descriptor that is a whole frame: EOP, IFCS, RS.
    @inlinable public static var wholeFrame: TransmitCommand { .init(raw: 0x2B30_0000) }
}

extension Field where Layout == TransmitCommand, Value == UInt32 {
    /// DTALEN: bytes of this piece.
    @inlinable public static var length: Self { .init(bits: 0..<16) }
    /// TSTAMP_REG: the slot for the stamp.
    @inlinable public static var stampSlot: Self { .init(bits: 16..<18) }
    /// DTYP.
    @inlinable public static var descriptorType: Self { .init(bits: 20..<24) }
}

extension Field where Layout == TransmitCommand, Value == Bool {
    /// MAC_TSTAMP: take a stamp.
    @inlinable public static var stamp: Self { .init(bit: 19) }
    /// EOP: the frame ends here.
    @inlinable public static var endOfPacket: Self { .init(bit: 24) }
    /// IFCS: append the CRC.
    @inlinable public static var insertCRC: Self { .init(bit: 25) }
    /// RS: write DD back.
    @inlinable public static var reportStatus: Self { .init(bit: 27) }
    /// DEXT: an advanced descriptor.
    @inlinable public static var extended: Self { .init(bit: 29) }
    /// VLE: insert the context's VLAN tag.
    @inlinable public static var insertVLAN: Self { .init(bit: 30) }
    /// TSE: segment.
    @inlinable public static var segment: Self { .init(bit: 31) }
}

/// Dword 3 of a data descriptor. It counts on a frame's first descriptor.
@frozen public struct TransmitOptions: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == TransmitOptions, Value == UInt32 {
    /// IDX: the context.
    @inlinable public static var context: Self { .init(bits: 4..<5) }
    /// SMD type of frame preemption.
    @inlinable public static var preemptionType: Self { .init(bits: 12..<14) }
    /// PAYLEN: bytes of the frame; with TSE without the headers.
    @inlinable public static var payloadLength: Self { .init(bits: 14..<32) }
}

extension Field where Layout == TransmitOptions, Value == Bool {
    /// DD, written back.
    @inlinable public static var done: Self { .init(bit: 0) }
    /// The stamp is taken from timer 1.
    @inlinable public static var stampWithFreeTimer: Self { .init(bit: 5) }
    /// IXSM: fill in the IPv4 header checksum.
    @inlinable public static var insertIPChecksum: Self { .init(bit: 8) }
    /// TXSM: fill in the L4 checksum.
    @inlinable public static var insertTransportChecksum: Self { .init(bit: 9) }
}

/// Offload parameters for the data that follow on the queue.
@frozen public struct TransmitContextDescriptor: Equatable, Sendable {
    public var low: UInt64
    public var high: UInt64

    @inlinable public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// - Parameters:
    ///   - macHeaderLength: MACLEN, bytes, at most 127.
    ///   - ipHeaderLength: IPLEN, bytes, at most 511.
    ///   - launchTime: nanoseconds into the schedule's cycle.
    ///   - index: which context, the queue's number.
    ///   - isFirst: launch in the next cycle.
    @inlinable public init(
        vlanTag: UInt16 = 0,
        macHeaderLength: Int = 0,
        ipHeaderLength: Int = 0,
        transportHeaderLength: UInt8 = 0,
        segmentSize: UInt16 = 0,
        transport: TransportType = .udp,
        isIPv4: Bool = false,
        launchTime: UInt32 = 0,
        index: Int = 0,
        isFirst: Bool = false
    ) {
        precondition((0...127).contains(macHeaderLength) && (0...511).contains(ipHeaderLength), "header length")
        precondition((0...7).contains(index), "context index")
        low = UInt64(ipHeaderLength) | UInt64(macHeaderLength) &<< 9 | UInt64(vlanTag) &<< 16
        low |= UInt64(launchTime) &<< 32
        high = (isIPv4 ? 1 &<< 10 : 0) | UInt64(transport.rawValue) &<< 11
        high |= TransmitDescriptorType.context.rawValue &<< 20 | 1 &<< 29
        high |= UInt64(index) &<< 36 | (isFirst ? 1 &<< 39 : 0)
        high |= UInt64(transportHeaderLength) &<< 40 | UInt64(segmentSize) &<< 48
    }

    @inlinable public var ipHeaderLength: Int { Int(truncatingIfNeeded: low & 0x1FF) }
    @inlinable public var macHeaderLength: Int { Int(truncatingIfNeeded: (low &>> 9) & 0x7F) }
    @inlinable public var vlanTag: UInt16 { UInt16(truncatingIfNeeded: low &>> 16) }
    @inlinable public var launchTime: UInt32 { UInt32(truncatingIfNeeded: low &>> 32) }
    @inlinable public var isIPv4: Bool { high & (1 &<< 10) != 0 }
    /// nil: reserved.
    @inlinable public var transport: TransportType? {
        TransportType(rawValue: UInt8(truncatingIfNeeded: (high &>> 11) & 3))
    }
    @inlinable public var index: Int { Int(truncatingIfNeeded: (high &>> 36) & 7) }
    @inlinable public var isFirst: Bool { high & (1 &<< 39) != 0 }
    @inlinable public var transportHeaderLength: Int { Int(truncatingIfNeeded: (high &>> 40) & 0xFF) }
    @inlinable public var segmentSize: Int { Int(truncatingIfNeeded: high &>> 48) }
}

/// L4T of a context.
@frozen public enum TransportType: UInt8, Sendable {
    case udp = 0
    case tcp = 1
    case sctp = 2
}
