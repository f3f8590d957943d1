// Hash and queue of a received frame: I225 contract, sections 2.4 (MRQC, RETA, RSSRK) and 4.1 (RSS type), Linux
// `igc_setup_mrqc`; the I210 data sheet, section 7.1.2.10, has the rules of precedence.

import Ethernet

/// What the device hashes: bits 24:16 of MRQC, in place.
package struct HashFields: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue & 0x01FF_0000 }

    package static var tcpIPv4: HashFields { .init(rawValue: 1 << 16) }
    package static var ipv4: HashFields { .init(rawValue: 1 << 17) }
    package static var tcpIPv6Mobile: HashFields { .init(rawValue: 1 << 18) }
    package static var ipv6Mobile: HashFields { .init(rawValue: 1 << 19) }
    package static var ipv6: HashFields { .init(rawValue: 1 << 20) }
    package static var tcpIPv6: HashFields { .init(rawValue: 1 << 21) }
    package static var udpIPv4: HashFields { .init(rawValue: 1 << 22) }
    package static var udpIPv6: HashFields { .init(rawValue: 1 << 23) }
    package static var udpIPv6Mobile: HashFields { .init(rawValue: 1 << 24) }
}

/// The RSS type of a write-back descriptor. "Mobile" hashes take the addresses of mobile IPv6, where a frame has them.
package enum HashType: UInt8, Sendable {
    case none = 0
    case tcpIPv4 = 1
    case ipv4 = 2
    case tcpIPv6 = 3
    case ipv6Mobile = 4
    case ipv6 = 5
    case tcpIPv6Mobile = 6
    case udpIPv4 = 7
    case udpIPv6 = 8
    case udpIPv6Mobile = 9
}

/// What a write-back descriptor says about the hash.
package struct ReceiveHash: Equatable, Sendable {
    package let type: HashType
    /// Zero where the type is `none`.
    package let value: UInt32

    package static var none: ReceiveHash { ReceiveHash(type: .none, value: 0) }

    package init(type: HashType, value: UInt32) {
        self.type = type
        self.value = value
    }
}

/// Key, fields and indirection table of a port. The owner copies the registers here when they change.
package struct ReceiveSideScaling: ~Copyable {
    /// MRQC 2:0 is 2: frames are spread by hash.
    package private(set) var isEnabled = false
    /// MRQC 5:3: the queue of frames without hash.
    package private(set) var defaultQueue = 0
    package private(set) var fields: HashFields = []
    private var key = InlineArray<40, UInt8>(repeating: 0)
    private var toeplitz = Toeplitz()
    private var indirection = LookupTable(count: 128)

    package init() {}

    /// Takes over MRQC.
    package mutating func setControl(_ word: UInt32) {
        isEnabled = word & 7 == 2
        defaultQueue = Int(word >> 3 & 3)
        fields = HashFields(rawValue: word)
    }

    /// Takes over RSSRK(n), four bytes of the key, the first in bits 7:0.
    package mutating func setKey(_ index: Int, _ word: UInt32) {
        for byte in 0..<4 { key[index * 4 + byte] = UInt8(truncatingIfNeeded: word >> UInt32(byte * 8)) }
        toeplitz = Toeplitz(key: key)
    }

    /// Takes over RETA(n), four entries, the first in bits 7:0. The device has four queues.
    package mutating func setIndirection(_ index: Int, _ word: UInt32) {
        for byte in 0..<4 { indirection[index * 4 + byte] = word >> UInt32(byte * 8) & 3 }
    }

    /// The queue of a frame that no filter steers.
    package borrowing func queue(for hash: ReceiveHash) -> Int {
        guard isEnabled, hash.type != .none else { return defaultQueue }
        return Int(indirection[Int(hash.value & 127)])
    }

    /// The hash of `frame`, which `headers` was made of.
    package borrowing func hash(_ frame: RawSpan, _ headers: FrameHeaders) -> ReceiveHash {
        guard isEnabled else { return .none }
        let type = hashType(headers)
        let addresses: UInt32
        let addressBytes: Int
        switch type {
        case .none:
            return .none
        case .ipv4, .tcpIPv4, .udpIPv4:
            addressBytes = 8
            addresses = part(frame, headers.networkOffset + 12, count: 8, at: 0)
        case .ipv6, .tcpIPv6, .udpIPv6:
            addressBytes = 32
            addresses = part(frame, headers.networkOffset + 8, count: 32, at: 0)
        case .ipv6Mobile, .tcpIPv6Mobile, .udpIPv6Mobile:
            addressBytes = 32
            let source = headers.homeAddressOffset
            let destination = headers.routingAddressOffset
            addresses =
                part(frame, source != 0 ? source : headers.networkOffset + 8, count: 16, at: 0)
                ^ part(frame, destination != 0 ? destination : headers.networkOffset + 24, count: 16, at: 16)
        }
        guard type != .ipv4, type != .ipv6, type != .ipv6Mobile else {
            return ReceiveHash(type: type, value: addresses)
        }
        return ReceiveHash(
            type: type,
            value: addresses ^ part(frame, headers.transportOffset, count: 4, at: addressBytes)
        )
    }

    private borrowing func part(_ frame: RawSpan, _ offset: Int, count: Int, at place: Int) -> UInt32 {
        toeplitz.part(frame.extracting(offset..<offset + count), at: place)
    }

    /// The most that may be hashed: ports before addresses alone.
    private borrowing func hashType(_ headers: FrameHeaders) -> HashType {
        switch (headers.network, headers.transport) {
        case (.none, _): .none
        case (.ipv4, .tcp) where fields.contains(.tcpIPv4): .tcpIPv4
        case (.ipv4, .udp) where fields.contains(.udpIPv4): .udpIPv4
        case (.ipv4, _): fields.contains(.ipv4) ? .ipv4 : .none
        case (.ipv6, .tcp) where !fields.isDisjoint(with: [.tcpIPv6, .tcpIPv6Mobile]):
            isMobile(headers, plain: .tcpIPv6, mobile: .tcpIPv6Mobile) ? .tcpIPv6Mobile : .tcpIPv6
        case (.ipv6, .udp) where !fields.isDisjoint(with: [.udpIPv6, .udpIPv6Mobile]):
            isMobile(headers, plain: .udpIPv6, mobile: .udpIPv6Mobile) ? .udpIPv6Mobile : .udpIPv6
        case (.ipv6, _) where !fields.isDisjoint(with: [.ipv6, .ipv6Mobile]):
            isMobile(headers, plain: .ipv6, mobile: .ipv6Mobile) ? .ipv6Mobile : .ipv6
        case (.ipv6, _): .none
        }
    }

    /// The mobile kind serves frames without such addresses too, but the plain kind, if enabled, is the name for them.
    private borrowing func isMobile(_ headers: FrameHeaders, plain: HashFields, mobile: HashFields) -> Bool {
        let hasMobileAddress = headers.homeAddressOffset != 0 || headers.routingAddressOffset != 0
        return fields.contains(mobile) && (hasMobileAddress || !fields.contains(plain))
    }
}
