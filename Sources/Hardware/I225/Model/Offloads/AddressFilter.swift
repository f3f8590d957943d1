// Which frames a device takes in: I225 contract, section 2.4 (RCTL, RAL/RAH, MTA), Linux `igc_set_rx_mode` and
// `igc_hash_mc_addr`; the I210 data sheet, section 7.1.1, has the ancestor of it.

import Ethernet

/// The address filter of a port. The fields are those of the registers; the owner copies them here when they change.
package struct AddressFilter: ~Copyable {
    /// RCTL.UPE: every frame to one station.
    package var acceptsEveryUnicast = false
    /// RCTL.MPE: every frame to a group.
    package var acceptsEveryMulticast = false
    /// RCTL.BAM: frames to all stations.
    package var acceptsBroadcast = false
    /// RCTL.MO, 0 to 3: which 12 bits of an address choose the bit of the multicast table.
    package var multicastOffset = 0
    /// MTA, 128 words.
    package var multicastTable = LookupTable(count: 128)
    /// RAL and RAH of each entry in turn.
    private var entries = LookupTable(count: 2 * 16)
    /// A bit per valid entry: mostly one of sixteen is.
    private var validEntries: UInt16 = 0
    /// A bit per valid entry that names a queue or compares the source. Mostly there is none: then a frame that is
    /// accepted anyway need not be held against the entries.
    private var specialEntries: UInt16 = 0
    /// The address of entry 0, the station's own; a value that no frame has where that entry does not hold.
    private var ownAddress = UInt64.max

    /// The one address whose frames are accepted without a further question, and name no queue; nil if there is none.
    package var plainAddress: UInt64? { specialEntries == 0 && ownAddress != .max ? ownAddress : nil }

    package init() {}

    /// Takes over RAL and RAH of an entry.
    package mutating func setEntry(_ index: Int, low: UInt32, high: UInt32) {
        entries[2 * index] = low
        entries[2 * index + 1] = high
        let bit = UInt16(1) << index
        let entry = AddressEntry(low: low, high: high)
        let isSpecial = entry.isValid && (entry.comparesSource || entry.queue != nil)
        validEntries = entry.isValid ? validEntries | bit : validEntries & ~bit
        specialEntries = isSpecial ? specialEntries | bit : specialEntries & ~bit
        if index == 0 { ownAddress = entry.isValid && !isSpecial ? entry.address : .max }
    }

    /// Nil where the frame is not for this station; frames too short to have addresses are for nobody.
    package borrowing func match(_ frame: RawSpan) -> AddressMatch? {
        guard frame.byteCount >= 14 else { return nil }
        let destination = frame.addressWord(at: 0)
        let kind = DestinationKind(destination)
        let isAccepted =
            destination == ownAddress || acceptsByKind(kind) || kind != .unicast && isInMulticastTable(destination)
        if isAccepted, specialEntries == 0 { return AddressMatch(kind: kind, queue: nil) }
        return matchEntries(frame, destination, kind, isAccepted: isAccepted)
    }

    private borrowing func matchEntries(
        _ frame: RawSpan,
        _ destination: UInt64,
        _ kind: DestinationKind,
        isAccepted acceptedAnyway: Bool
    ) -> AddressMatch? {
        var isAccepted = acceptedAnyway
        var queue: Int?
        var rest = validEntries
        while rest != 0 {
            let index = rest.trailingZeroBitCount
            let entry = AddressEntry(low: entries[2 * index], high: entries[2 * index + 1])
            rest &= rest &- 1
            guard entry.address == (entry.comparesSource ? frame.addressWord(at: 6) : destination) else { continue }
            isAccepted = true
            if queue == nil { queue = entry.queue }
        }
        return isAccepted ? AddressMatch(kind: kind, queue: queue) : nil
    }

    private borrowing func acceptsByKind(_ kind: DestinationKind) -> Bool {
        switch kind {
        case .unicast: acceptsEveryUnicast
        case .multicast: acceptsEveryMulticast
        case .broadcast: acceptsBroadcast
        }
    }

    private borrowing func isInMulticastTable(_ address: UInt64) -> Bool {
        // MO 0, 1, 2, 3 take the 12 bits from bit 36, 35, 34, 32 on.
        let lowestBit = multicastOffset == 3 ? 32 : 36 - multicastOffset
        let hash = Int(truncatingIfNeeded: address >> lowestBit) & 0xFFF
        return multicastTable[hash >> 5] >> UInt32(hash & 31) & 1 != 0
    }
}

/// Whom a frame is addressed to; statistics count the three apart.
package enum DestinationKind: Sendable {
    case unicast
    case multicast
    case broadcast

    /// - Parameter address: the lowest byte is the first on the wire, whose lowest bit says "group".
    init(_ address: UInt64) {
        self = address == 0xFFFF_FFFF_FFFF ? .broadcast : address & 1 != 0 ? .multicast : .unicast
    }
}

/// A frame that was taken in.
package struct AddressMatch: Equatable, Sendable {
    package let kind: DestinationKind
    /// The queue of the first matching entry that names one.
    package let queue: Int?

    package init(kind: DestinationKind, queue: Int?) {
        self.kind = kind
        self.queue = queue
    }
}

/// RAH:RAL as one word: 47:0 address, 49:48 what it is compared with, 51:50 queue, 60 queue enable, 63 valid.
private struct AddressEntry {
    private let raw: UInt64

    init(low: UInt32, high: UInt32) { raw = UInt64(high) << 32 | UInt64(low) }

    var address: UInt64 { raw & 0xFFFF_FFFF_FFFF }
    var comparesSource: Bool { raw >> 48 & 1 != 0 }
    var queue: Int? { raw >> 60 & 1 != 0 ? Int(raw >> 50 & 3) : nil }
    var isValid: Bool { raw >> 63 != 0 }
}
