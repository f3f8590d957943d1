// Reset and quiesce. Source: igc_reset_hw_base, igc_down.

import Backing
import Clock
import I225Wire
import PCIe
import Registers

extension I225Hardware {
    /// Brings the card to its power-on state: no DMA, no interrupts, queues and filters clear.
    func reset() throws(DeviceError) {
        stopTraffic()
        // A card that does not stop mastering is reset all the same, as igc does: the reset is what cures it.
        disableMastering()
        bar.modify(I225Register.deviceControl) { $0[.deviceReset] = true }
        clock.wait(nanoseconds: millisecond)
        try checkPresent("reset")
        try wait(
            for: I225Register.nvmControl,
            "reset",
            "AUTO_RD (bit 9) set: configuration read from the NVM",
            timeoutNanoseconds: 20 * millisecond,
            intervalNanoseconds: millisecond
        ) { $0[.autoReadDone] }
        maskInterrupts()
        // Read to clear: causes from before the reset belong to nobody.
        _ = bar.read(I225Register.interruptCause)
    }

    /// Stops all DMA, whatever state the card is in. Memory that it could reach may be freed afterwards.
    package func quiesce() {
        stopTraffic()
        disableMastering()
        bar.modify(I225Register.deviceControl) { $0[.deviceReset] = true }
        flush()
        bar.modify(I225Register.extendedControl) { $0[.driverLoaded] = false }
    }

    func maskInterrupts() {
        bar.write(I225Register.vectorMaskClear, PlainWord(raw: ~0))
        bar.write(I225Register.interruptMaskClear, InterruptCause(raw: ~0))
    }

    private func stopTraffic() {
        maskInterrupts()
        bar.write(I225Register.receiveControl, ReceiveControl(raw: 0))
        bar.write(I225Register.transmitControl, .with { $0[.padShortPackets] = true })
        flush()
    }

    /// Asks the card to end its bus mastering and waits, bounded, until it says so.
    private func disableMastering() {
        bar.modify(I225Register.deviceControl) { $0[.masterDisable] = true }
        _ = clock.waitUntil(timeoutNanoseconds: 80 * millisecond, intervalNanoseconds: 100 * microsecond) {
            let status = bar.read(I225Register.deviceStatus)
            return status.raw == ~0 || !status[.masterEnabled]
        }
    }
}

/// Switches a function's memory space and bus mastering on.
package func enableFunction(_ backing: some PCIeBacking) throws(DeviceError) {
    let memorySpaceAndMaster: UInt32 = 0x6
    let command = try backing.readConfig(ConfigSpace.Offset.command, .word)
    try backing.writeConfig(ConfigSpace.Offset.command, .word, command | memorySpaceAndMaster)
}
