// What later parts tell in configuration space: two designated vendor-specific extended capabilities (PCI Express Base
// 5.0 §7.9.6). Source: Linux nvgrace-gpu/main.c of 6.12 (nvgrace_gpu_has_mig_hw_bug) and 7.3 (the CXL wait).

/// Layout that both have: the capability's header, then who designates it.
public enum DesignatedCapability {
    /// The extended capability's id.
    public static let id: UInt16 = 0x23
    /// Vendor in bits 0 to 15, revision in 16 to 19, bytes of all in 20 to 31.
    public static let vendorOffset: UInt16 = 0x4
    /// The vendor's number of this one, 16 bits.
    public static let numberOffset: UInt16 = 0x8
}

/// NVIDIA's: what the memory can do.
public enum MemoryCapability {
    public static let vendor: UInt16 = 0x10DE
    public static let number: UInt16 = 3
    /// 16 bits.
    public static let flagsOffset: UInt16 = 0xA
    /// Cached memory serves multi-instance use too: no gigabyte has to be uncached.
    public static let needsNoReserve: UInt16 = 1
    public static let byteCount = 12
}

/// CXL's for a device (CXL 3.1 §8.1.3), which parts after GB300 have instead of the readiness registers.
public enum CXLDeviceCapability {
    public static let vendor: UInt16 = 0x1E98
    public static let number: UInt16 = 0
    /// 16 bits; bit 2: it has memory; bits 4 and 5: how many ranges.
    public static let capabilitiesOffset: UInt16 = 0xA
    public static let oneRangeOfMemory: UInt16 = 1 << 2 | 1 << 4
    /// The first range: bytes, high half, and low half with what follows in its low bits.
    public static let sizeHighOffset: UInt16 = 0x18
    public static let sizeLowOffset: UInt16 = 0x1C
    /// Bits 28 to 31 of the size, in units of 256 MiB.
    public static let sizeLowMask: UInt32 = 0xF000_0000
    /// The rest of the word can be relied on, at most one second after a reset.
    public static let infoValid: UInt32 = 1 << 0
    /// The memory may be touched.
    public static let active: UInt32 = 1 << 1
    /// Three bits: how long it may take until it is active, as an index to `activeTimeouts`.
    public static let timeoutShift: UInt32 = 13
    /// Seconds.
    public static let activeTimeouts: [Int] = [1, 4, 16, 64, 256]
    public static let byteCount = 0x3C
}
