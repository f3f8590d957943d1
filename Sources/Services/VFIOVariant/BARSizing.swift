// How large a function's BARs are: all ones are written, and the bits that stay zero are the size (PCI Local Bus 3.0
// §6.2.5.1).

import Backing
import PCIe

/// Finds the memory BARs of a function through its configuration space.
enum BARSizing {
    private static let decoding = UInt32(ConfigSpace.memorySpaceEnable) | 1

    /// The function answers no memory accesses meanwhile; afterwards all is as it was. A BAR in I/O space is left out: no
    /// backing reaches it.
    static func registers(of backing: some PCIeBacking) throws(DeviceError) -> [BaseAddressRegister] {
        let command = try backing.readConfig(ConfigSpace.Offset.command, .word)
        guard command != 0xFFFF else {
            throw DeviceError(
                .deviceGone,
                device: backing.name,
                operation: "size BARs",
                "its command register is all ones"
            )
        }
        try backing.writeConfig(ConfigSpace.Offset.command, .word, command & ~decoding)
        do throws(DeviceError) {
            let registers = try sizes(of: backing)
            try backing.writeConfig(ConfigSpace.Offset.command, .word, command)
            return registers
        } catch {
            try? backing.writeConfig(ConfigSpace.Offset.command, .word, command)
            throw error
        }
    }

    private static func sizes(of backing: some PCIeBacking) throws(DeviceError) -> [BaseAddressRegister] {
        var registers: [BaseAddressRegister] = []
        var index = 0
        while index < 6 {
            let low = try size(of: backing, index)
            let isWide = low.value & 1 == 0 && low.value & 6 == 4 && index < 5
            let high = isWide ? try size(of: backing, index + 1).mask : 0
            let mask = UInt64(low.mask & ~0xF) | UInt64(high) << 32
            defer { index += isWide ? 2 : 1 }
            guard low.value & 1 == 0, mask != 0 else { continue }
            registers.append(
                BaseAddressRegister(
                    index: index,
                    // The lowest bit that can be set: a device whose mask has holes is not made larger by them.
                    byteCount: mask & (~mask &+ 1),
                    is64Bit: isWide,
                    isPrefetchable: low.value & 8 != 0
                )
            )
        }
        return registers
    }

    /// What a BAR register held, and what it holds when all ones were written.
    private static func size(
        of backing: some PCIeBacking,
        _ index: Int
    ) throws(DeviceError) -> (value: UInt32, mask: UInt32) {
        let offset = ConfigSpace.Offset.baseAddressRegisters + UInt16(index) * 4
        let value = try backing.readConfig(offset, .doubleWord)
        do throws(DeviceError) {
            try backing.writeConfig(offset, .doubleWord, ~0)
            let mask = try backing.readConfig(offset, .doubleWord)
            try backing.writeConfig(offset, .doubleWord, value)
            return (value, mask)
        } catch {
            try? backing.writeConfig(offset, .doubleWord, value)
            throw error
        }
    }
}
