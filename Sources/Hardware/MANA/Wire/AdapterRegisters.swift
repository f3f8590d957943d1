// BAR 0's few registers: where the doorbells and the shared-memory window are. Read once per probe.
// Source: Linux mana_gd_init_vf_regs and mana_gd_init_pf_regs (gdma_main.c) of 6.12 and 7.x.

import Registers

/// Where the registers are, which depends on the function's kind. Offsets are 64 bits wide: two registers each.
@frozen public struct AdapterRegisters: Sendable, Equatable {
    /// GDMA_REG_DB_PAGE_SIZE: the low 16 bits are the bytes of one doorbell page.
    public let doorbellPageSize: UInt32
    /// GDMA_REG_DB_PAGE_OFFSET: where in BAR 0 doorbell page 0 is.
    public let doorbellOffset: UInt32
    /// GDMA_REG_SHM_OFFSET of a virtual function: where in BAR 0 the window is. A physical function has it at
    /// `physicalWindowOffset` from its configuration base, counted from that base.
    public let windowOffset: UInt32?

    @inlinable public static var virtual: AdapterRegisters {
        .init(doorbellPageSize: 0x10, doorbellOffset: 0x08, windowOffset: 0x18)
    }

    @inlinable public static var physical: AdapterRegisters {
        .init(doorbellPageSize: 0xD0, doorbellOffset: 0xC8, windowOffset: nil)
    }

    @inlinable public static func of(_ device: MANADeviceID) -> AdapterRegisters {
        device.hasPhysicalLayout ? .physical : .virtual
    }

    @inlinable init(doorbellPageSize: UInt32, doorbellOffset: UInt32, windowOffset: UInt32?) {
        self.doorbellPageSize = doorbellPageSize
        self.doorbellOffset = doorbellOffset
        self.windowOffset = windowOffset
    }

    /// GDMA_SRIOV_REG_CFG_BASE_OFF: where in BAR 0 the physical function's configuration base is.
    @inlinable public static var configurationBase: UInt32 { 0x108 }
    /// GDMA_PF_REG_SHM_OFF: from the configuration base, the register that holds the window's offset from it.
    @inlinable public static var physicalWindowOffset: UInt32 { 0x70 }
    /// The bits of the page size that count.
    @inlinable public static var pageSizeMask: UInt32 { 0xFFFF }
}
