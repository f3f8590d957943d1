// Which queue a frame goes to whatever its hash: I225 contract, section 2.4 (ETQF, VLANPQF); the order of the filters
// is that of the I210 data sheet, section 7.1.2, figure 7-5.

import Ethernet

/// The filters that name a queue. The words are those of the registers; the owner copies them here when they change.
package struct QueueSteering: ~Copyable {
    /// ETQF: EtherType 15:0, queue 18:16, filter enable 26, queue enable 31.
    package var etherTypes = InlineArray<8, UInt32>(repeating: 0)
    /// VLANPQF: for priority p, queue 4p+1:4p, enable 4p+3.
    package var vlanPriorities: UInt32 = 0

    package init() {}

    /// The queue that the filters name, or nil: then the hash decides. EtherType goes before address before priority.
    package borrowing func queue(for headers: FrameHeaders, addressQueue: Int?) -> Int? {
        queue(forEtherType: headers.etherType) ?? addressQueue ?? queue(forTagOf: headers)
    }

    private borrowing func queue(forEtherType etherType: UInt16) -> Int? {
        var queue: Int?
        for index in etherTypes.indices {
            let filter = etherTypes[index]
            // Of several that match the last one counts (I210, section 7.1.2.3).
            if filter & 0x8400_FFFF == 0x8400_0000 | UInt32(etherType) { queue = Int(filter >> 16 & 3) }
        }
        return queue
    }

    private borrowing func queue(forTagOf headers: FrameHeaders) -> Int? {
        guard headers.tagCount > 0 else { return nil }
        let slot = vlanPriorities >> (UInt32(headers.outerTag >> 13) * 4)
        return slot & 8 != 0 ? Int(slot & 3) : nil
    }
}
