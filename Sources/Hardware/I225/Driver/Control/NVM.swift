// The NVM: its checksum, and the address that the card loads from it. Source: igc_read_nvm_eerd,
// igc_validate_nvm_checksum.

import Backing
import I225Wire
import Registers

extension I225Hardware {
    /// Reads words `start..<start + count` of the NVM.
    func readNVM(_ start: Int, count: Int) throws(DeviceError) -> [UInt16] {
        let lease = try takeSemaphore(.nvm)
        var words: [UInt16] = []
        for address in start..<(start + count) { words.append(try readWord(address, holding: lease)) }
        return words
    }

    private func readWord(
        _ address: Int,
        holding nvm: borrowing SemaphoreLease<Backing>
    ) throws(DeviceError) -> UInt16 {
        bar.write(
            I225Register.nvmRead,
            .with { request in
                request[.start] = true
                request[.address] = UInt32(address)
            }
        )
        try wait(
            for: I225Register.nvmRead,
            "read NVM word \(address)",
            "DONE (bit 1) set",
            timeoutNanoseconds: 500 * millisecond,
            intervalNanoseconds: 5 * microsecond
        ) { $0[.done] }
        return UInt16(truncatingIfNeeded: bar.read(I225Register.nvmRead)[.data])
    }

    /// Refuses a card whose NVM does not add up. A card without flash has nothing to check.
    func validateNVM() throws(DeviceError) {
        guard bar.read(I225Register.nvmControl)[.flashDetected] else { return }
        let words = try readNVM(0, count: NVMLayout.checkedWordCount)
        guard NVMLayout.isValid(words) else {
            try checkPresent("validate NVM")
            let sum = words.reduce(UInt16(0), &+)
            throw error(
                .badContents,
                "validate NVM",
                "words 0 to 0x3f sum to 0x\(String(sum, radix: 16)), expected 0xbaba"
            )
        }
    }

    /// The station address that the card loaded, first byte in the lowest bits.
    func readAddress() throws(DeviceError) -> UInt64 {
        let low = bar.read(I225Register.receiveAddressLow[0]).raw
        let high = bar.read(I225Register.receiveAddressHigh[0]).raw
        let address = UInt64(low) | UInt64(high & 0xFFFF) << 32
        let isMulticast = address & 1 != 0
        guard address != 0, !isMulticast else {
            try checkPresent("read station address")
            throw error(
                .badContents,
                "read station address",
                "RAL0/RAH0 hold 0x\(String(address, radix: 16)), expected a unicast address that is not zero"
            )
        }
        return address
    }
}
