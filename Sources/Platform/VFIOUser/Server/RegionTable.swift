// What the regions of a function are: sizes, what the client may map, and which words are doorbells.

import Backing
import PCIe

/// The regions of one model, which do not change.
final class RegionTable {
    /// By region index; 0: it has none.
    let sizes: InlineArray<9, UInt64>
    let mappable: [MappableBAR]
    /// By BAR, of those that a client has asked for.
    private var doorbells: [Int: [Doorbell]] = [:]

    typealias Doorbell = (offset: UInt64, index: Int)

    init(_ model: some PCIeModel) {
        var sizes = InlineArray<9, UInt64>(repeating: 0)
        for register in model.baseAddressRegisters { sizes[register.index] = register.byteCount }
        sizes[Region.config] = UInt64(ConfigSpace.byteCount)
        self.sizes = sizes
        mappable = model.mappableBARs
    }

    /// The doorbells of a BAR of `model`: offset and number. Looked for when a client asks, which happens once or never.
    func doorbells(of model: some PCIeModel, bar: Int) -> [Doorbell] {
        if let known = doorbells[bar] { return known }
        var found: [Doorbell] = []
        // A BAR of many gigabytes has its doorbells in front.
        let end = min(sizes[bar], 1 << 26)
        var offset: UInt64 = 0
        while offset < end, found.count < model.host.doorbells.count {
            if let index = model.doorbellIndex(bar: bar, offset) { found.append((offset, index)) }
            offset += 4
        }
        doorbells[bar] = found
        return found
    }
}
