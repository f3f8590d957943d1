// The configuration space of a superchip's GPU: capabilities at the places and with the contents that public listings of
// H100 boards show (power management, PCI Express, MSI-X), and the two that tell later generations apart.

import Backing
import GraceHopperWire
import PCIe

/// Builds the configuration space after a reset.
enum ConfigSpaceImage {
    static let powerManagementCapability: UInt16 = 0x40
    static let expressCapability: UInt16 = 0x60
    static let msixCapability: UInt16 = 0xB0

    static func baseAddressRegisters(_ options: GraceHopperOptions) -> [BaseAddressRegister] {
        [
            BaseAddressRegister(
                index: GraceHopper.registerBAR,
                byteCount: GraceHopper.registerBARBytes,
                is64Bit: true,
                isPrefetchable: true
            ),
            BaseAddressRegister(
                index: GraceHopper.apertureBAR,
                byteCount: options.apertureByteCount,
                is64Bit: true,
                isPrefetchable: true
            ),
        ]
    }

    static func identity(_ options: GraceHopperOptions) -> PCIeIdentity {
        PCIeIdentity(
            vendor: GraceHopperPart.vendor,
            device: options.part.device,
            subsystemVendor: GraceHopperPart.vendor,
            classCode: GraceHopperPart.classCode,
            revision: GraceHopperPart.revision
        )
    }

    /// The space, and where CXL's capability is in it.
    static func make(_ options: GraceHopperOptions) -> (space: ConfigSpace, cxlCapability: UInt16?) {
        var space = ConfigSpace(identity(options), baseAddressRegisters: baseAddressRegisters(options))
        // PCI Power Management 1.2 §3: version 3, states D0 and D3hot, which loses nothing.
        space.addCapability(
            id: 0x01,
            at: powerManagementCapability,
            body: [0x03, 0x00, 0x08, 0x00, 0x00, 0x00],
            writable: [0x00, 0x00, 0x03, 0x00, 0x00, 0x00]
        )
        addExpress(to: &space)
        addMSIX(to: &space)
        let cxlCapability = addDesignated(options, to: &space)
        return (space, cxlCapability)
    }

    /// PCI Express Base 5.0 §7.7.2.
    private static func addMSIX(to space: inout ConfigSpace) {
        func place(_ offset: UInt32) -> [UInt8] {
            let word = offset | UInt32(GraceHopper.registerBAR)
            return (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) }
        }
        space.addCapability(
            id: MSIXCapability.id,
            at: msixCapability,
            body: [UInt8(GraceHopper.vectorCount - 1), 0x00] + place(GraceHopper.msixTableOffset)
                + place(GraceHopper.msixPendingOffset),
            writable: [0x00, 0xC0]
        )
    }

    /// PCI Express Base 5.0 §7.5.3: version 2, endpoint, 32 GT/s, 16 lanes, function level reset.
    private static func addExpress(to space: inout ConfigSpace) {
        var body = [UInt8](repeating: 0, count: 58)
        var mask = [UInt8](repeating: 0, count: 58)
        func set(_ offset: Int, _ value: UInt32) {
            for byte in 0..<4 { body[offset - 2 + byte] = UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)) }
        }
        body[0] = 0x02
        // Payload up to 256 bytes, extended tags, role-based errors, function level reset.
        set(0x04, 0x1000_8021)
        set(0x08, 0x0000_2810)
        // Link: 32 GT/s, x16, in capabilities and in status.
        set(0x0C, 0x0000_0105)
        set(0x10, 0x0105_0000)
        set(0x2C, 0x0000_003E)
        set(0x30, 0x0000_0005)
        // Device control and link control are the software's to write.
        mask[0x08 - 2] = 0xFF
        mask[0x09 - 2] = 0x7F
        mask[0x10 - 2] = 0xDB
        space.addCapability(id: 0x10, at: expressCapability, body: body, writable: mask)
    }

    /// What later parts have: NVIDIA's capability, and CXL's.
    private static func addDesignated(_ options: GraceHopperOptions, to space: inout ConfigSpace) -> UInt16? {
        var next: UInt16 = 0x100
        let kind = options.effectiveMemoryCapability
        if kind != .absent {
            var body = designated(MemoryCapability.vendor, MemoryCapability.number, MemoryCapability.byteCount)
            if kind == .needsNoReserve { put(MemoryCapability.needsNoReserve, at: MemoryCapability.flagsOffset, &body) }
            space.addExtendedCapability(id: DesignatedCapability.id, version: 1, at: next, body: body)
            next += 0x10
        }
        guard let cxl = options.readiness.cxl else { return nil }
        typealias Layout = CXLDeviceCapability
        var body = designated(Layout.vendor, Layout.number, Layout.byteCount)
        put(Layout.oneRangeOfMemory, at: Layout.capabilitiesOffset, &body)
        put(UInt16(truncatingIfNeeded: options.memory.byteCount >> 32), at: Layout.sizeHighOffset, &body)
        put(UInt16(truncatingIfNeeded: options.memory.byteCount >> 48), at: Layout.sizeHighOffset + 2, &body)
        // The low half's flags come and go: the model puts them in when it is read.
        let low =
            UInt32(truncatingIfNeeded: options.memory.byteCount) & Layout.sizeLowMask
            | (cxl.timeoutCode & 7) << Layout.timeoutShift
        put(UInt16(truncatingIfNeeded: low), at: Layout.sizeLowOffset, &body)
        put(UInt16(truncatingIfNeeded: low >> 16), at: Layout.sizeLowOffset + 2, &body)
        space.addExtendedCapability(id: DesignatedCapability.id, version: 1, at: next, body: body)
        return next
    }

    /// A designated capability of nothing but its head; bytes from offset 4 on.
    private static func designated(_ vendor: UInt16, _ number: UInt16, _ byteCount: Int) -> [UInt8] {
        var body = [UInt8](repeating: 0, count: byteCount - 4)
        put(vendor, at: DesignatedCapability.vendorOffset, &body)
        put(UInt16(byteCount) << 4, at: DesignatedCapability.vendorOffset + 2, &body)
        put(number, at: DesignatedCapability.numberOffset, &body)
        return body
    }

    private static func put(_ value: UInt16, at offset: UInt16, _ body: inout [UInt8]) {
        body[Int(offset) - 4] = UInt8(truncatingIfNeeded: value)
        body[Int(offset) - 3] = UInt8(truncatingIfNeeded: value >> 8)
    }
}
