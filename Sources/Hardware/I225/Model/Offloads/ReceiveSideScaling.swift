// Hash and queue of a received frame: I225 contract, sections 2.4 (MRQC, RETA, RSSRK) and 4.1 (RSS type), Linux
// `igc_setup_mrqc`.

import Ethernet

extension HashFields {
    /// What the device hashes: bits 24:16 of MRQC.
    package init(multipleReceiveQueues word: UInt32) {
        self = []
        if word & 1 << 16 != 0 { insert(.tcpIPv4) }
        if word & 1 << 17 != 0 { insert(.ipv4) }
        if word & 1 << 18 != 0 { insert(.tcpIPv6Mobile) }
        if word & 1 << 19 != 0 { insert(.ipv6Mobile) }
        if word & 1 << 20 != 0 { insert(.ipv6) }
        if word & 1 << 21 != 0 { insert(.tcpIPv6) }
        if word & 1 << 22 != 0 { insert(.udpIPv4) }
        if word & 1 << 23 != 0 { insert(.udpIPv6) }
        if word & 1 << 24 != 0 { insert(.udpIPv6Mobile) }
    }
}

extension HashType {
    /// The RSS type of a write-back descriptor.
    package var writeBackCode: UInt8 {
        switch self {
        case .none: 0
        case .tcpIPv4: 1
        case .ipv4: 2
        case .tcpIPv6: 3
        case .ipv6Mobile: 4
        case .ipv6: 5
        case .tcpIPv6Mobile: 6
        case .udpIPv4: 7
        case .udpIPv6: 8
        case .udpIPv6Mobile: 9
        }
    }
}

/// Key, fields and indirection table of a port. The owner copies the registers here when they change.
package struct ReceiveSideScaling: ~Copyable {
    /// MRQC 2:0 is 2: frames are spread by hash.
    package private(set) var isEnabled = false
    /// MRQC 5:3: the queue of frames without hash.
    package private(set) var defaultQueue = 0
    private var hasher = ReceiveHasher()
    private var key = InlineArray<40, UInt8>(repeating: 0)
    private var indirection = LookupTable(count: 128)

    package init() {}

    /// Takes over MRQC.
    package mutating func setControl(_ word: UInt32) {
        isEnabled = word & 7 == 2
        defaultQueue = Int(word >> 3 & 3)
        hasher.fields = HashFields(multipleReceiveQueues: word)
    }

    /// Takes over RSSRK(n), four bytes of the key, the first in bits 7:0.
    package mutating func setKey(_ index: Int, _ word: UInt32) {
        for byte in 0..<4 { key[index * 4 + byte] = UInt8(truncatingIfNeeded: word >> UInt32(byte * 8)) }
        hasher.setKey(key)
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
        isEnabled ? hasher.hash(frame, headers) : .none
    }
}
