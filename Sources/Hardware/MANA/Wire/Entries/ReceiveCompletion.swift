// A receive queue's completion: one to eight frames, what was hashed and which checksums were right.
// Source: Linux struct mana_rxcomp_oob, union mana_rxcomp_perpkt_info (mana.h), mana_process_rx_cqe of 6.12 and 7.x.

import Registers

/// Dword 1: of all frames of the completion.
@frozen public struct ReceiveVerdict: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }

    /// What the hash was taken over, of one frame.
    @inlinable public var hashTypes: HashTypes {
        get { .init(rawValue: UInt16(truncatingIfNeeded: (raw &>> 16) & 0x1FF)) }
        set { raw = (raw & ~(0x1FF &<< 16)) | UInt32(newValue.rawValue & 0x1FF) &<< 16 }
    }
}

extension Field where Layout == ReceiveVerdict, Value == UInt32 {
    /// The VLAN id of the tag that was taken out.
    @inlinable public static var vlan: Self { .init(bits: 0..<12) }
}

extension Field where Layout == ReceiveVerdict, Value == Bool {
    @inlinable public static var hasVLAN: Self { .init(bit: 12) }
    @inlinable public static var outerIPGood: Self { .init(bit: 13) }
    @inlinable public static var outerIPBad: Self { .init(bit: 14) }
    @inlinable public static var ipGood: Self { .init(bit: 25) }
    @inlinable public static var ipBad: Self { .init(bit: 26) }
    @inlinable public static var tcpGood: Self { .init(bit: 27) }
    @inlinable public static var tcpBad: Self { .init(bit: 28) }
    @inlinable public static var udpGood: Self { .init(bit: 29) }
    @inlinable public static var udpBad: Self { .init(bit: 30) }
}

/// What a receive hash is taken over (NDIS_HASH_...): in a completion, and in CONFIG_VPORT_RX what is allowed.
@frozen public struct HashTypes: OptionSet, Sendable, Hashable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable public static var ipv4: Self { .init(rawValue: 1 &<< 0) }
    @inlinable public static var tcpIPv4: Self { .init(rawValue: 1 &<< 1) }
    @inlinable public static var udpIPv4: Self { .init(rawValue: 1 &<< 2) }
    @inlinable public static var ipv6: Self { .init(rawValue: 1 &<< 3) }
    @inlinable public static var tcpIPv6: Self { .init(rawValue: 1 &<< 4) }
    @inlinable public static var udpIPv6: Self { .init(rawValue: 1 &<< 5) }
    @inlinable public static var ipv6Extended: Self { .init(rawValue: 1 &<< 6) }
    @inlinable public static var tcpIPv6Extended: Self { .init(rawValue: 1 &<< 7) }
    @inlinable public static var udpIPv6Extended: Self { .init(rawValue: 1 &<< 8) }
    /// What Linux asks for (MANA_HASH_ENABLE_SUPPORTED).
    @inlinable public static var usual: Self { .init(rawValue: 0x3F) }
}

/// One frame of a completion.
@frozen public struct ReceivedItem: Equatable, Sendable {
    public var length: UInt16
    public var hash: UInt32

    @inlinable public init(length: UInt16, hash: UInt32 = 0) {
        self.length = length
        self.hash = hash
    }
}

/// Dwords 0, 1 and 2 to 14 of a receive queue's completion.
@frozen public struct ReceiveCompletion: Sendable {
    public var data: CompletionData

    @inlinable public init(_ data: CompletionData) { self.data = data }

    /// A completion with no frames in it yet.
    ///
    /// - Parameter requestOffset: dword 14: where in the ring the first frame's request was. Linux ignores it.
    @inlinable public init(_ type: CompletionType, verdict: ReceiveVerdict, requestOffset: UInt32) {
        data = CompletionData(head: .init(type))
        data.words[1] = verdict.raw
        data.words[14] = requestOffset
    }

    @inlinable public var type: CompletionType { data.head.type }
    @inlinable public var verdict: ReceiveVerdict { .init(raw: data.words[1]) }
    @inlinable public var requestOffset: UInt32 { data.words[14] }

    /// How many frames a completion of this type can tell of.
    @inlinable public var capacity: Int {
        switch type {
        case .receivedFour: 4
        case .receivedEight: 8
        case .fence: 0
        default: 1
        }
    }

    /// Frame `index`, below `capacity`; of length 0 where there is none any more.
    @inlinable public subscript(index: Int) -> ReceivedItem {
        get {
            precondition(index >= 0 && index < capacity, "item index out of range")
            guard type == .receivedEight else {
                let word = 2 &+ 3 &* index
                return .init(length: UInt16(truncatingIfNeeded: data.words[word]), hash: data.words[word &+ 2])
            }
            // Two frames in twelve bytes: hash, both lengths, hash.
            let word = 2 &+ 3 &* (index &>> 1)
            let isSecond = index & 1 != 0
            return .init(
                length: UInt16(truncatingIfNeeded: data.words[word &+ 1] &>> (isSecond ? 16 : 0)),
                hash: data.words[isSecond ? word &+ 2 : word]
            )
        }
        set {
            precondition(index >= 0 && index < capacity, "item index out of range")
            guard type == .receivedEight else {
                let word = 2 &+ 3 &* index
                data.words[word] = UInt32(newValue.length)
                data.words[word &+ 2] = newValue.hash
                return
            }
            let word = 2 &+ 3 &* (index &>> 1)
            let isSecond = index & 1 != 0
            let shift: UInt32 = isSecond ? 16 : 0
            data.words[word &+ 1] =
                (data.words[word &+ 1] & ~(0xFFFF &<< shift)) | UInt32(newValue.length) &<< shift
            data.words[isSecond ? word &+ 2 : word] = newValue.hash
        }
    }
}
