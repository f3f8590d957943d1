// Setting the hardware channel up and tearing it down, by eight dwords in BAR 0.
// Source: mana_smc_poll_register, mana_smc_read_response, mana_smc_setup_hwc, mana_smc_teardown_hwc (shm_channel.c of
// Linux 6.12 and 7.x).

import Backing
import Clock
import MANAWire
import Registers

extension MANAHardware {
    /// 20,000 looks, a millisecond or two apart.
    private var windowTimeout: UInt64 { 20_000 * millisecond }

    private func headerOffset() -> UInt32 { windowOffset &+ 28 }

    /// Tells the card where the channel's rings are.
    func establishChannel(_ setup: ChannelSetup) throws(DeviceError) {
        let operation = "establish channel"
        _ = try waitForWindow(operation)
        let words = setup.words
        bar.together {
            // The last of them is the trigger.
            for index in 0..<8 { bar.store(windowOffset &+ UInt32(index) * 4, words[index]) }
        }
        try readAnswer(.establish, operation)
    }

    /// Has the card forget the channel and all that was made by it.
    func destroyChannel() throws(DeviceError) {
        let operation = "destroy channel"
        _ = try waitForWindow(operation)
        bar.store(headerOffset(), ChannelHeader.request(.destroy).raw)
        try readAnswer(.destroy, operation)
    }

    /// Waits until the window is the driver's.
    private func waitForWindow(_ operation: String) throws(DeviceError) -> ChannelHeader {
        var header = ChannelHeader(raw: 0)
        let held = try waitUntil(timeoutNanoseconds: windowTimeout, operation) { () throws(DeviceError) in
            header = ChannelHeader(raw: bar.load(headerOffset()))
            return header.raw != ~0 && !header[.isDevices]
        }
        guard held else {
            throw error(
                .timedOut,
                operation,
                "the window's header reads \(hex(header.raw)) after \(windowTimeout / millisecond) ms, "
                    + "expected bit 31 clear"
            )
        }
        return header
    }

    private func readAnswer(_ command: ChannelCommand, _ operation: String) throws(DeviceError) {
        // The one that ended the wait is not read again: the window is the card's to change.
        let header = try waitForWindow(operation)
        func refuse(_ expectation: String) -> DeviceError {
            error(.badContents, operation, "the window's header reads \(hex(header.raw)), expected \(expectation)")
        }
        guard header[.isResponse] else { throw refuse("a response (bit 7)") }
        guard header[.command] == command.rawValue else { throw refuse("command \(command.rawValue)") }
        guard header[.version] == 0 else { throw refuse("version 0") }
        guard header[.status] == 0 else {
            throw error(.refused, operation, "status \(header[.status]) in the window's header \(hex(header.raw))")
        }
    }
}
