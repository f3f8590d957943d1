// The way to the PHY (MDIC) and the PHY's own registers as far as a driver needs them.
// Source: IEEE 802.3 clauses 22, 28, 40 and 45; Linux igc_phy.c of 6.12 and 7.x.

import Registers

extension I225Register {
    /// One access to a PHY register.
    @inlinable public static var phyAccess: Register<PHYAccess> { .init(0x00020, "MDIC") }
}

/// MDIC.
@frozen public struct PHYAccess: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == PHYAccess, Value == Bool {
    /// OP = 01: a write.
    @inlinable public static var isWrite: Self { .init(bit: 26) }
    /// OP = 10: a read.
    @inlinable public static var isRead: Self { .init(bit: 27) }
    /// R: the access has ended.
    @inlinable public static var ready: Self { .init(bit: 28) }
    /// E: nobody answered.
    @inlinable public static var error: Self { .init(bit: 30) }
}

extension Field where Layout == PHYAccess, Value == UInt32 {
    /// Data.
    @inlinable public static var data: Self { .init(bits: 0..<16) }
    /// PHY register.
    @inlinable public static var register: Self { .init(bits: 16..<21) }
    /// PHY address; the internal PHY is 0.
    @inlinable public static var phyAddress: Self { .init(bits: 21..<26) }
}

/// Numbers of clause-22 registers.
public enum PHYRegister {
    /// BMCR.
    @inlinable public static var control: UInt32 { 0 }
    /// BMSR; its link bit latches low, so that it is read twice.
    @inlinable public static var status: UInt32 { 1 }
    @inlinable public static var identifierHigh: UInt32 { 2 }
    @inlinable public static var identifierLow: UInt32 { 3 }
    /// ANAR.
    @inlinable public static var advertisement: UInt32 { 4 }
    /// LPAR.
    @inlinable public static var partnerAbility: UInt32 { 5 }
    @inlinable public static var gigabitControl: UInt32 { 9 }
    @inlinable public static var gigabitStatus: UInt32 { 10 }
    /// MMD access control: bits 4:0 the device, 15:14 the function.
    @inlinable public static var managedDeviceControl: UInt32 { 13 }
    /// MMD address or data.
    @inlinable public static var managedDeviceData: UInt32 { 14 }
    /// Firmware version of the PHY (GPY).
    @inlinable public static var firmwareVersion: UInt32 { 30 }
}

/// Bits of clause-22 registers.
public enum PHYBit {
    // Control, register 0.
    @inlinable public static var reset: UInt16 { 1 << 15 }
    @inlinable public static var autonegotiate: UInt16 { 1 << 12 }
    @inlinable public static var powerDown: UInt16 { 1 << 11 }
    @inlinable public static var restartAutonegotiation: UInt16 { 1 << 9 }
    // Status, register 1.
    @inlinable public static var linkUp: UInt16 { 1 << 2 }
    @inlinable public static var autonegotiationComplete: UInt16 { 1 << 5 }
    // Advertisement and partner's ability, registers 4 and 5.
    @inlinable public static var advertise10Half: UInt16 { 1 << 5 }
    @inlinable public static var advertise10Full: UInt16 { 1 << 6 }
    @inlinable public static var advertise100Half: UInt16 { 1 << 7 }
    @inlinable public static var advertise100Full: UInt16 { 1 << 8 }
    @inlinable public static var pause: UInt16 { 1 << 10 }
    @inlinable public static var asymmetricPause: UInt16 { 1 << 11 }
    // 1000BASE-T control and status, registers 9 and 10.
    @inlinable public static var advertise1000Full: UInt16 { 1 << 9 }
    @inlinable public static var partner1000Full: UInt16 { 1 << 11 }
    @inlinable public static var remoteReceiverOK: UInt16 { 1 << 12 }
    @inlinable public static var localReceiverOK: UInt16 { 1 << 13 }
    // Multi-gigabit autonegotiation control, device 7 register 0x20.
    @inlinable public static var advertise2500Full: UInt16 { 1 << 7 }
}

/// Clause-45 registers behind registers 13 and 14.
public enum ManagedDevice {
    /// The MMD of autonegotiation.
    @inlinable public static var autonegotiation: UInt16 { 7 }
    /// In it: multi-gigabit autonegotiation control.
    @inlinable public static var multiGigabitControl: UInt16 { 0x20 }
    /// In it: EEE advertisement, 0x3C, to partner's ability, 0x3F.
    @inlinable public static var energyEfficientRange: ClosedRange<UInt16> { 0x3C...0x3F }
    /// Function bits 15:14 of register 13: register 14 is data, not an address.
    @inlinable public static var dataFunction: UInt16 { 0x4000 }
}
