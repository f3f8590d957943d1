// Entries that do not go the plain way into their ring: those that something goes wrong with.

import MANAWire

extension RingMemory {
    /// Writes an entry, its owner bits in the last dword, as often as its faults say; `producer` moves by as many.
    func putEntry(_ words: [UInt32], at producer: inout UInt32, _ owner: OwnerBits, _ faults: RingFaults?) {
        var words = words
        let times = faults?.apply(to: &words, entryCount: owner.entryCount) ?? 1
        let first = owner.bits(producer)
        for _ in 0..<times {
            var entry = words
            // What is written again has the owner bits of its own slot, as far off as the first one's are.
            entry[entry.count - 1] &+= (owner.bits(producer) &- first) << 29
            put(owner.slot(producer) * entry.count * 4, entry)
            producer &+= 1
        }
    }
}
