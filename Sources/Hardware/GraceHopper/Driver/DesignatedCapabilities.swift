// What the function says of itself in designated vendor-specific capabilities. Source of truth: pci_find_dvsec_capability
// (drivers/pci/pci.c), nvgrace_gpu_has_mig_hw_bug (nvgrace-gpu/main.c of 6.12 and 7.3).

import GraceHopperWire
import VFIOVariant

/// Reads 4 bytes of configuration space at an offset that is a multiple of 4.
package typealias ConfigRead = (UInt16) throws(VFIOError) -> UInt32

/// Finds what one of two vendors designated.
package enum DesignatedCapabilities {
    /// The offset of capability `number` of `vendor`; nil: there is none.
    package static func find(vendor: UInt16, number: UInt16, _ read: ConfigRead) throws(VFIOError) -> UInt16? {
        var offset: UInt16 = 0x100
        // 3840 bytes hold no more than 480 capabilities of 8 bytes; more is a loop.
        for _ in 0..<480 {
            let header = try read(offset)
            // No extended space reads as zeroes, a function that is gone as ones.
            guard header != 0, header != ~0 else { return nil }
            if UInt16(truncatingIfNeeded: header) == DesignatedCapability.id, offset <= 0xFF4 {
                let who = try read(offset + DesignatedCapability.vendorOffset)
                let what = try read(offset + DesignatedCapability.numberOffset)
                if UInt16(truncatingIfNeeded: who) == vendor, UInt16(truncatingIfNeeded: what) == number {
                    return offset
                }
            }
            offset = UInt16(header >> 20) & ~3
            guard offset >= 0x100 else { return nil }
        }
        return nil
    }

    /// Whether the part wants a stretch of uncached memory: those that do not say so.
    package static func needsReserve(_ read: ConfigRead) throws(VFIOError) -> Bool {
        guard let offset = try find(vendor: MemoryCapability.vendor, number: MemoryCapability.number, read) else {
            return true
        }
        // The flags are the high half of the word in which the number is.
        let word = try read(offset + MemoryCapability.flagsOffset & ~3)
        return UInt16(word >> 16) & MemoryCapability.needsNoReserve == 0
    }
}
