// What firmware and an OS do to a function's configuration space before a driver has it: identity, addresses for its BARs,
// memory space on, the way to its MSI-X vectors. PCI Local Bus 3.0 §6, PCI Express Base 5.0 §7.

import Memory
import PCIe

extension ClientLink {
    private mutating func config(_ offset: UInt16, _ byteCount: Int) throws(LinkFailure) -> UInt32 {
        UInt32(truncatingIfNeeded: try read(UInt32(Region.config), UInt64(offset), byteCount: byteCount))
    }

    private mutating func setConfig(
        _ offset: UInt16,
        _ byteCount: Int,
        _ value: UInt32
    ) throws(LinkFailure) {
        try write(UInt32(Region.config), UInt64(offset), byteCount: byteCount, UInt64(value))
    }

    mutating func identity() throws(LinkFailure) -> PCIeIdentity {
        let device = try config(0x00, 4)
        guard device != ~0 else { throw .gone("configuration space reads all ones") }
        let revisionAndClass = try config(0x08, 4)
        let subsystem = try config(0x2C, 4)
        return PCIeIdentity(
            vendor: UInt16(truncatingIfNeeded: device),
            device: UInt16(truncatingIfNeeded: device >> 16),
            subsystemVendor: UInt16(truncatingIfNeeded: subsystem),
            subsystem: UInt16(truncatingIfNeeded: subsystem >> 16),
            classCode: revisionAndClass >> 8,
            revision: UInt8(truncatingIfNeeded: revisionAndClass)
        )
    }

    /// Gives the BARs addresses and lets the function answer memory accesses, unless somebody has done so already.
    mutating func switchOn(_ device: DeviceDescription) throws(LinkFailure) {
        let command = try config(ConfigSpace.Offset.command, 2)
        guard UInt64(command) & ConfigSpace.memorySpaceEnable == 0 else { return }
        var low: UInt64 = 0xE000_0000
        var high: UInt64 = 0x100_0000_0000
        var index = 0
        while index < 6 {
            defer { index += 1 }
            guard let region = device.regions[index], region.isPresent else { continue }
            let offset = ConfigSpace.Offset.baseAddressRegisters + UInt16(index) * 4
            let kind = try config(offset, 4)
            // Bit 0: I/O space, which nobody here uses. Bits 2:1: 64 bits wide.
            guard kind & 1 == 0 else { continue }
            let isWide = kind & 6 == 4
            // A power of two, whatever the server says.
            let size = max(16, region.byteCount.nextPowerOfTwo)
            let usesHigh = isWide && size > 0x1000_0000
            let address = ((usesHigh ? high : low) + size - 1) & ~(size - 1)
            if usesHigh { high = address + size } else { low = address + size }
            try setConfig(offset, 4, UInt32(truncatingIfNeeded: address))
            if isWide, index < 5 {
                try setConfig(offset + 4, 4, UInt32(truncatingIfNeeded: address >> 32))
                index += 1
            }
        }
        try setConfig(ConfigSpace.Offset.command, 2, command | UInt32(ConfigSpace.memorySpaceEnable))
    }

    /// Where the MSI-X capability is.
    mutating func findMSIX() throws(LinkFailure) -> UInt16? {
        var offset = UInt16(try config(ConfigSpace.Offset.capabilityPointer, 1)) & 0xFC
        // A list of 4-byte-aligned entries in 192 bytes has at most 48; more is a loop.
        for _ in 0..<48 where offset >= 0x40 {
            let entry = try config(offset, 2)
            if UInt8(truncatingIfNeeded: entry) == MSIXCapability.id { return offset }
            offset = UInt16(entry >> 8) & 0xFC
        }
        return nil
    }

    /// The vectors that both the device's table and the server have.
    mutating func vectorCount(of device: DeviceDescription, _ msix: UInt16?) throws(LinkFailure) -> Int {
        guard let msix else { return 0 }
        return min(device.vectorCount, Int(try config(msix + 2, 2) & 0x7FF) + 1)
    }

    /// What a reset takes away and an OS puts back.
    struct SavedConfiguration {
        fileprivate var command: UInt32
        fileprivate var registers = InlineArray<6, UInt32>(repeating: 0)
    }

    mutating func readConfiguration() throws(LinkFailure) -> SavedConfiguration {
        var saved = SavedConfiguration(command: try config(ConfigSpace.Offset.command, 2))
        for index in 0..<6 {
            saved.registers[index] = try config(ConfigSpace.Offset.baseAddressRegisters + UInt16(index) * 4, 4)
        }
        return saved
    }

    mutating func writeConfiguration(_ saved: SavedConfiguration) throws(LinkFailure) {
        for index in 0..<6 {
            let offset = ConfigSpace.Offset.baseAddressRegisters + UInt16(index) * 4
            try setConfig(offset, 4, saved.registers[index])
        }
        try setConfig(ConfigSpace.Offset.command, 2, saved.command)
    }
}

extension UInt64 {
    /// The smallest power of two that is not below this, which is at most 2^63.
    fileprivate var nextPowerOfTwo: UInt64 { self <= 1 ? 1 : 1 << UInt64(64 - (self - 1).leadingZeroBitCount) }
}
