// A port of the adapter (vPort): whose frames it takes, to which receive queue they go, and what it lets out.
// Source: Linux mana_cfg_vport, mana_cfg_vport_steering (mana_en.c) of 6.12 and 7.x.

import Ethernet
import MANAWire

/// How many frames one completion may tell of.
package enum Coalescing: Int, Sendable {
    case none = 1
    case four = 4
    case eight = 8
}

/// What was configured of one port.
package struct Port: ~Copyable {
    /// The station's address, its first byte lowest; nil where no filter lets unicast frames in.
    package private(set) var address: UInt64?
    /// What every frame must name (tx_vport_offset); nil before CONFIG_VPORT_TX.
    package var transmitOffset: UInt32?
    package var receives = false
    package var coalescing = Coalescing.none

    /// Whether frames are spread by hash.
    package var spreads = false
    /// The receive queue of frames that are not; nil: there is none.
    package var defaultQueue: Int?
    private var hasher = ReceiveHasher()
    /// Receive queues; the device's size is a power of two.
    private var indirection: LookupTable
    private let indirectionMask: Int

    /// - Parameters:
    ///   - address: of the station; nil until a filter names one.
    ///   - indirectionEntries: a power of two, at most 512.
    package init(address: MACAddress?, indirectionEntries: Int) {
        precondition(indirectionEntries.nonzeroBitCount == 1 && indirectionEntries <= MANA.longestIndirection)
        indirection = LookupTable(count: indirectionEntries)
        indirectionMask = indirectionEntries - 1
        hasher.fields = HashFields(rawValue: HashTypes.usual.rawValue)
        setAddress(address)
        for index in 0..<indirectionEntries { indirection[index] = Self.nowhere }
    }

    package mutating func setAddress(_ address: MACAddress?) {
        // In order of the wire the first byte is the highest of the value.
        self.address = address.map { $0.value.byteSwapped >> 16 }
    }

    // MARK: Steering

    private static var nowhere: UInt32 { ~0 }

    package var indirectionEntries: Int { indirection.count }

    /// What is hashed; nothing means what Linux calls usual.
    package mutating func setHashTypes(_ types: HashTypes) {
        hasher.fields = HashFields(rawValue: (types.isEmpty ? .usual : types).rawValue)
    }

    package mutating func setKey(_ key: InlineArray<40, UInt8>) { hasher.setKey(key) }

    /// The receive queue of entry `index`; nil: its frames are dropped.
    package mutating func setIndirection(_ index: Int, _ queue: Int?) {
        indirection[index] = queue.map { UInt32(truncatingIfNeeded: $0) } ?? Self.nowhere
    }

    /// A queue that is gone: whatever leads to it leads nowhere.
    package mutating func forget(queue: Int) {
        if defaultQueue == queue { defaultQueue = nil }
        for index in 0..<indirection.count where Int(indirection[index]) == queue {
            indirection[index] = Self.nowhere
        }
    }

    /// The hash of `frame`, which `headers` was made of.
    @inline(__always) func hash(_ frame: RawSpan, _ headers: FrameHeaders) -> ReceiveHash {
        spreads ? hasher.hash(frame, headers) : .none
    }

    /// Where a frame with this hash goes.
    @inline(__always) func queue(for hash: ReceiveHash) -> Int? {
        guard hash.type != .none else { return defaultQueue }
        let queue = indirection[Int(truncatingIfNeeded: hash.value) & indirectionMask]
        return queue == Self.nowhere ? nil : Int(queue)
    }
}
