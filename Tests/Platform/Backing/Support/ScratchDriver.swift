// The few steps of a driver for the scratch device, over any backing.

import Backing
import Memory
import PCIe
import Registers

struct ScratchDriver {
    let bar: any RegisterAccess
    /// Copies asked for, as TAIL counts.
    private(set) var asked: UInt32 = 0

    /// Maps the registers and lets the device on the bus.
    init(_ backing: some PCIeBacking) throws(DeviceError) {
        bar = try backing.mapBAR(0)
        let command = try backing.readConfig(ConfigSpace.Offset.command, .word)
        try backing.writeConfig(ConfigSpace.Offset.command, .word, command | 4)
        bar.modify(ScratchRegister.control) { $0[ScratchControl.enable] = true }
    }

    /// Asks for a copy of `length` bytes.
    mutating func copy(from source: UInt64, to destination: UInt64, length: Int) {
        bar.write(ScratchRegister.source[0], UInt32(truncatingIfNeeded: source))
        bar.write(ScratchRegister.source[1], UInt32(truncatingIfNeeded: source >> 32))
        bar.write(ScratchRegister.destination[0], UInt32(truncatingIfNeeded: destination))
        bar.write(ScratchRegister.destination[1], UInt32(truncatingIfNeeded: destination >> 32))
        bar.write(ScratchRegister.length, UInt32(length))
        asked &+= 1
        if let doorbell = bar.doorbell(at: ScratchRegister.tail.offset) {
            doorbell.ring(asked)
        } else {
            bar.write(ScratchRegister.tail, asked)
        }
    }
}
