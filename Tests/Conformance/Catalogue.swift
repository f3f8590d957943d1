// Every virtual device of the house, fresh from power-on. A new device is one case more.

import Backing
import Clock
import Ethernet
import I225Model
import PCIe

enum Device: String, CaseIterable, Sendable {
    case i225

    func make(_ clock: DeviceClock) -> any PCIeModel {
        switch self {
        case .i225: I225Model(options: I225Options(), port: .loopback(), clock: clock)
        }
    }
}

extension PCIeModel {
    /// Lets the device answer memory accesses and use the bus, as firmware and a driver do.
    func switchOn() {
        for register in baseAddressRegisters {
            let offset = ConfigSpace.Offset.baseAddressRegisters + UInt16(register.index * 4)
            writeConfig(offset, .doubleWord, 0xE000_0000 + UInt64(register.index) << 24)
        }
        writeConfig(ConfigSpace.Offset.command, .word, 0x6)
    }

    /// All of configuration space.
    var configBytes: [UInt64] {
        stride(from: UInt16(0), to: UInt16(ConfigSpace.byteCount), by: 1).map { readConfig($0, .byte) }
    }
}
