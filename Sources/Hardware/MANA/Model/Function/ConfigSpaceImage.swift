// The configuration space of a MANA function: what Linux needs of it is MSI-X, and PCI Express with function level reset.

import Backing
import MANAWire
import PCIe

/// Builds the configuration space after a reset.
enum ConfigSpaceImage {
    static let registerBAR = 0
    static let vectorBAR = 4
    /// Room for a table of 2048 vectors, and their pending bits behind it.
    static let vectorBARBytes = 64 * 1024
    static let pendingOffset = 32 * 1024

    static let powerManagementCapability: UInt16 = 0x40
    static let msixCapability: UInt16 = 0x50
    static let expressCapability: UInt16 = 0x60

    static func baseAddressRegisters(_ options: MANAOptions) -> [BaseAddressRegister] {
        [
            BaseAddressRegister(
                index: registerBAR,
                byteCount: options.layout.barBytes,
                is64Bit: true,
                isPrefetchable: true
            ),
            BaseAddressRegister(
                index: vectorBAR,
                byteCount: UInt64(vectorBARBytes),
                is64Bit: true,
                isPrefetchable: true
            ),
        ]
    }

    static func identity(_ options: MANAOptions) -> PCIeIdentity {
        PCIeIdentity(
            vendor: MANA.vendor,
            device: options.deviceID.rawValue,
            subsystemVendor: MANA.vendor,
            classCode: MANA.classCode,
            revision: 0
        )
    }

    static func make(_ options: MANAOptions) -> ConfigSpace {
        var space = ConfigSpace(identity(options), baseAddressRegisters: baseAddressRegisters(options))
        // PCI Power Management 1.2 §3: version 3, states D0 and D3hot.
        space.addCapability(
            id: 0x01,
            at: powerManagementCapability,
            body: [0x03, 0x00, 0x08, 0x00, 0x00, 0x00],
            writable: [0x00, 0x00, 0x03, 0x00, 0x00, 0x00]
        )
        addMSIX(options.limits.tableVectors, to: &space)
        addExpress(to: &space)
        return space
    }

    /// PCI Express Base 5.0 §7.7.2. There is no MSI, and no interrupt pin: Linux's driver knows MSI-X alone.
    private static func addMSIX(_ count: Int, to space: inout ConfigSpace) {
        let last = count - 1
        space.addCapability(
            id: MSIXCapability.id,
            at: msixCapability,
            body: [
                UInt8(last & 0xFF), UInt8(last >> 8),
                UInt8(vectorBAR), 0x00, 0x00, 0x00,
                UInt8(vectorBAR), UInt8(pendingOffset >> 8), 0x00, 0x00,
            ],
            writable: [0x00, 0xC0]
        )
    }

    /// PCI Express Base 5.0 §7.5.3: version 2, endpoint, 16 GT/s, 16 lanes, function level reset.
    private static func addExpress(to space: inout ConfigSpace) {
        var body = [UInt8](repeating: 0, count: 58)
        var mask = [UInt8](repeating: 0, count: 58)
        func set(_ offset: Int, _ value: UInt32) {
            for byte in 0..<4 { body[offset - 2 + byte] = UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)) }
        }
        body[0] = 0x02
        // Payload up to 512 bytes, extended tags, function level reset.
        set(0x04, 0x1000_8022)
        set(0x08, 0x0000_2810)
        // Link: 16 GT/s, x16, in capabilities and in status.
        set(0x0C, 0x0000_0104)
        set(0x10, 0x0104_0000)
        set(0x2C, 0x0000_001E)
        set(0x30, 0x0000_0004)
        // Device control and link control are the software's to write.
        mask[0x08 - 2] = 0xFF
        mask[0x09 - 2] = 0x7F
        mask[0x10 - 2] = 0xDB
        space.addCapability(id: 0x10, at: expressCapability, body: body, writable: mask)
    }
}
