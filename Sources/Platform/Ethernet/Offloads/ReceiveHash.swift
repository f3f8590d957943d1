// The hash of a received frame: Microsoft, "RSS hashing functions" and "RSS hashing types"; Intel's I210 data sheet,
// section 7.1.2.10, has the same rules of precedence.

/// What a device hashes. Bits as in Microsoft's types of hash (NDIS_HASH_IPV4 and so on, from bit 0).
@frozen public struct HashFields: OptionSet, Sendable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable public static var ipv4: HashFields { .init(rawValue: 1 << 0) }
    @inlinable public static var tcpIPv4: HashFields { .init(rawValue: 1 << 1) }
    @inlinable public static var udpIPv4: HashFields { .init(rawValue: 1 << 2) }
    @inlinable public static var ipv6: HashFields { .init(rawValue: 1 << 3) }
    @inlinable public static var tcpIPv6: HashFields { .init(rawValue: 1 << 4) }
    @inlinable public static var udpIPv6: HashFields { .init(rawValue: 1 << 5) }
    @inlinable public static var ipv6Mobile: HashFields { .init(rawValue: 1 << 6) }
    @inlinable public static var tcpIPv6Mobile: HashFields { .init(rawValue: 1 << 7) }
    @inlinable public static var udpIPv6Mobile: HashFields { .init(rawValue: 1 << 8) }
    /// All of the above.
    @inlinable public static var all: HashFields { .init(rawValue: 0x1FF) }
}

/// What a hash was made of. "Mobile" hashes take the addresses of mobile IPv6, where a frame has them.
@frozen public enum HashType: UInt8, Sendable {
    case none
    case ipv4
    case tcpIPv4
    case udpIPv4
    case ipv6
    case tcpIPv6
    case udpIPv6
    case ipv6Mobile
    case tcpIPv6Mobile
    case udpIPv6Mobile
}

/// A hash and what it was made of.
@frozen public struct ReceiveHash: Equatable, Sendable {
    public let type: HashType
    /// Zero where the type is `none`.
    public let value: UInt32

    @inlinable public static var none: ReceiveHash { ReceiveHash(type: .none, value: 0) }

    @inlinable public init(type: HashType, value: UInt32) {
        self.type = type
        self.value = value
    }
}

/// Hashes frames by the fields that are chosen, under one key.
@frozen public struct ReceiveHasher: ~Copyable, Sendable {
    public var fields: HashFields = []
    @usableFromInline var toeplitz = Toeplitz()

    /// With no fields chosen and a key of zeros.
    public init() {}

    /// Takes another key, which is dear: the hash's tables are made of it.
    public mutating func setKey(_ key: InlineArray<40, UInt8>) { toeplitz = Toeplitz(key: key) }

    /// The hash of `frame`, which `headers` was made of.
    public borrowing func hash(_ frame: RawSpan, _ headers: FrameHeaders) -> ReceiveHash {
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
