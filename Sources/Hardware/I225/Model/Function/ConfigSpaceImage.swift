// The configuration space of an I225-V: facts of public listings; Linux needs PM, MSI-X and PCIe of it.

import I225Wire
import PCIe

/// Builds the configuration space after a reset.
enum ConfigSpaceImage {
    static let baseAddressRegisters = [
        BaseAddressRegister(index: 0, byteCount: UInt64(I225RegisterMap.byteCount)),
        BaseAddressRegister(index: I225.msixBAR, byteCount: UInt64(I225.msixBARBytes)),
    ]

    static let powerManagementCapability: UInt16 = 0x40
    static let msixCapability: UInt16 = 0x70
    static let expressCapability: UInt16 = 0xA0

    static func identity(_ options: I225Options) -> PCIeIdentity {
        PCIeIdentity(
            vendor: I225.vendor,
            device: options.deviceID.rawValue,
            subsystemVendor: I225.vendor,
            classCode: I225.classCode,
            revision: options.deviceID.isI226 ? 4 : 3
        )
    }

    static func make(_ options: I225Options) -> ConfigSpace {
        var space = ConfigSpace(
            identity(options),
            baseAddressRegisters: baseAddressRegisters,
            interruptPin: 1
        )
        addPowerManagement(to: &space)
        addMSIX(to: &space)
        addExpress(to: &space)
        addSerialNumber(options.macAddress, to: &space)
        return space
    }

    /// PCI Power Management 1.2 §3: version 3, states D0 and D3hot.
    private static func addPowerManagement(to space: inout ConfigSpace) {
        space.addCapability(
            id: 0x01,
            at: powerManagementCapability,
            body: [0x03, 0x00, 0x08, 0x00, 0x00, 0x00],
            // The power state, and whether PME is wanted.
            writable: [0x00, 0x00, 0x03, 0x01, 0x00, 0x00]
        )
    }

    /// PCI Express Base 5.0 §7.7.2. There is no MSI capability: with one queue and one vector nobody needs it here.
    private static func addMSIX(to space: inout ConfigSpace) {
        let bar = UInt8(I225.msixBAR)
        space.addCapability(
            id: MSIXCapability.id,
            at: msixCapability,
            body: [
                UInt8(I225.vectorCount - 1), 0x00,
                UInt8(I225.msixTableOffset & 0xF8) | bar, UInt8(I225.msixTableOffset >> 8), 0x00, 0x00,
                UInt8(I225.msixPendingOffset & 0xF8) | bar, UInt8(I225.msixPendingOffset >> 8), 0x00, 0x00,
            ],
            writable: [0x00, 0xC0]
        )
    }

    /// PCI Express Base 5.0 §7.5.3: version 2, endpoint, 5 GT/s, one lane, function level reset.
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
        // Link: 5 GT/s, x1, in capabilities and in status.
        set(0x0C, 0x0000_0412)
        set(0x10, 0x0012_0000)
        set(0x2C, 0x0000_0006)
        set(0x30, 0x0000_0002)
        // Device control and link control are the software's to write.
        mask[0x08 - 2] = 0xFF
        mask[0x09 - 2] = 0x7F
        mask[0x10 - 2] = 0xDB
        space.addCapability(id: 0x10, at: expressCapability, body: body, writable: mask)
    }

    /// PCI Express Base 5.0 §7.9.3. Before it an empty AER (§7.8.4), because the list begins at 0x100.
    private static func addSerialNumber(_ address: InlineArray<6, UInt8>, to space: inout ConfigSpace) {
        space.addExtendedCapability(id: 0x0001, version: 2, at: 0x100, body: [UInt8](repeating: 0, count: 0x3C))
        let serial = [
            address[5], address[4], address[3], 0xFF, 0xFF, address[2], address[1], address[0],
        ]
        space.addExtendedCapability(id: 0x0003, version: 1, at: 0x140, body: serial)
    }
}

extension I225DeviceID {
    /// The I226 is a later revision of the same design.
    var isI226: Bool {
        switch self {
        case .i226K, .i226LMVP, .i226LM, .i226V, .i226IT, .i226BlankNVM: true
        default: false
        }
    }
}
