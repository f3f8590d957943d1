// BAR 0 as far as both sides need it: who the chip is, its interrupt tree, where its vectors' table lies.
// Source: NVIDIA's published register headers (open-gpu-kernel-modules: dev_vm.h and dev_boot.h of gh100), and Linux
// nova-core's interrupt registers for how the tree works.

import Registers

/// BARs of the function as its own configuration space has them.
public enum GraceHopper {
    /// Bytes of BAR 0, the registers.
    public static let registerBAR = 0
    public static let registerBARBytes: UInt64 = 16 << 20
    /// BAR 1 by NVIDIA's count, 2 by PCI's: a window to the first bytes of the memory.
    public static let apertureBAR = 2

    /// Entries of the MSI-X table (NV_VIRTUAL_FUNCTION_PRIV_MSIX_TABLE_VECTOR_CONTROL__SIZE_1 of gh100).
    public static let vectorCount = 9
    /// Where in BAR 0 the table and its pending bits are.
    public static let msixTableOffset: UInt32 = 0xB9_0000
    public static let msixPendingOffset: UInt32 = 0xBA_0000
}

/// Offsets in BAR 0 of the registers that say what the chip is.
public enum IdentityRegisters {
    /// NV_PMC_BOOT_0: `ChipIdentity`.
    public static let boot: UInt32 = 0x0
    /// NV_PMC_BOOT_42: `ExtendedChipIdentity`.
    public static let bootExtended: UInt32 = 0xA00
}

/// NV_PMC_BOOT_0.
@frozen public struct ChipIdentity: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
    @inlinable public static var architecture: Field<Self, UInt32> { .init(bits: 24..<29) }
    @inlinable public static var implementation: Field<Self, UInt32> { .init(bits: 20..<24) }
    /// Major in the high half.
    @inlinable public static var revision: Field<Self, UInt32> { .init(bits: 0..<8) }
}

/// NV_PMC_BOOT_42, where a longer architecture fits.
@frozen public struct ExtendedChipIdentity: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
    @inlinable public static var architecture: Field<Self, UInt32> { .init(bits: 24..<30) }
    @inlinable public static var implementation: Field<Self, UInt32> { .init(bits: 20..<24) }
    @inlinable public static var revision: Field<Self, UInt32> { .init(bits: 12..<20) }
}

/// The interrupt tree that the CPU sees: sources are bits of leaves, two leaves are a subtree, and a subtree that is
/// enabled and has an enabled source pending sends a message.
public enum InterruptRegisters {
    public static let leafCount = 16
    public static let subtreeCount = 8
    public static let sourceCount = 32 * leafCount

    /// NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF(i), four bytes apart: pending sources; a one clears.
    public static let leaf: UInt32 = 0xB8_1000
    /// …LEAF_EN_SET(i) and …LEAF_EN_CLEAR(i): which sources count; a one switches on, or off.
    public static let leafEnableSet: UInt32 = 0xB8_1200
    public static let leafEnableClear: UInt32 = 0xB8_1400
    /// …TOP(0): subtrees with an enabled source pending.
    public static let top: UInt32 = 0xB8_1600
    /// …TOP_EN_SET(0) and …TOP_EN_CLEAR(0): which subtrees may send. A one written to a subtree that has something
    /// pending sends again: a handler that has looked through the leaves arms it so.
    public static let topEnableSet: UInt32 = 0xB8_1608
    public static let topEnableClear: UInt32 = 0xB8_1610
    /// …LEAF_TRIGGER: makes the source that is written pending, as its hardware would.
    public static let leafTrigger: UInt32 = 0xB8_1640

    /// The source that software triggers (NV_CTRL_CPU_DOORBELL_VECTORID_VALUE_CONSTANT).
    public static let softwareSource: UInt32 = 129

    /// The vector of MSI-X that a source's message has. Decided here: each subtree has the vector of its number.
    public static func vector(ofSource source: UInt32) -> Int { Int(source / 64) }
}
