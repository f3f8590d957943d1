// Who the device is: PCI ids, and the counts that follow from the silicon.
// Source: Linux igc_pci_tbl (igc_main.c), igc_hw.h of 6.12 and 7.x.

/// Fixed facts of the I225 family.
public enum I225 {
    /// Intel.
    @inlinable public static var vendor: UInt16 { 0x8086 }
    /// Network controller, Ethernet.
    @inlinable public static var classCode: UInt32 { 0x02_0000 }
    @inlinable public static var queueCount: Int { 4 }
    /// Vectors of the MSI-X table.
    @inlinable public static var vectorCount: Int { 5 }
    /// Transmit stamp slots, shared by all queues.
    @inlinable public static var stampSlotCount: Int { 4 }
    /// Receive addresses (RAL, RAH).
    @inlinable public static var receiveAddressCount: Int { 16 }
    @inlinable public static var descriptorBytes: Int { 16 }
    /// Rings are aligned to, and multiples of, this many bytes.
    @inlinable public static var ringAlignment: Int { 128 }
    /// The BAR of the MSI-X table, and where table and pending bits lie in it.
    @inlinable public static var msixBAR: Int { 3 }
    @inlinable public static var msixBARBytes: Int { 16 * 1024 }
    @inlinable public static var msixTableOffset: Int { 0 }
    @inlinable public static var msixPendingOffset: Int { 0x2000 }
    /// Bytes of the CRC, which is on the wire and in byte counts but in no buffer.
    @inlinable public static var crcBytes: Int { 4 }
    /// The longest frame, without CRC.
    @inlinable public static var longestFrameBytes: Int { 9728 }
    /// What a frame is padded to, without CRC.
    @inlinable public static var shortestFrameBytes: Int { 60 }
}

/// PCI device ids that Linux's igc binds.
public enum I225DeviceID: UInt16, Sendable, CaseIterable {
    case i225LM = 0x15F2
    case i225V = 0x15F3
    case i225I = 0x15F8
    case i220V = 0x15F7
    case i225K = 0x3100
    case i225K2 = 0x3101
    case i226K = 0x3102
    case i225LMVP = 0x5502
    case i226LMVP = 0x5503
    case i225IT = 0x0D9F
    case i226LM = 0x125B
    case i226V = 0x125C
    case i226IT = 0x125D
    case i221V = 0x125E
    case i226BlankNVM = 0x125F
    case i225BlankNVM = 0x15FD
}
