// The non-volatile memory: an image made from the options, read and written a word at a time.

import I225Wire
import Registers

/// The NVM's words.
struct NVM {
    private static let wordCount = 2048
    private var words: [UInt16]

    init(_ options: I225Options) {
        words = [UInt16](repeating: NVMLayout.blank, count: Self.wordCount)
        for index in 0..<3 {
            let low = options.macAddress[2 * index]
            let high = options.macAddress[2 * index + 1]
            words[NVMLayout.macAddress + index] = UInt16(low) | UInt16(high) << 8
        }
        words[NVMLayout.firmwareVersion] = options.firmwareVersion
        let others = words[0..<NVMLayout.checksum].reduce(0, &+)
        words[NVMLayout.checksum] = NVMLayout.expectedSum &- others
        if options.faults.contains(.nvmChecksumWrong) { words[NVMLayout.checksum] &+= 1 }
    }

    /// Words beyond the end read as blank, and writes there are lost.
    subscript(_ address: UInt32) -> UInt16 {
        get { address < Self.wordCount ? words[Int(address)] : NVMLayout.blank }
        set { if address < Self.wordCount { words[Int(address)] = newValue } }
    }

    /// What RAL and RAH of entry 0 hold after a reset.
    var receiveAddress: (low: UInt32, high: ReceiveAddressHigh) {
        let address = (0..<3).map { UInt32(words[NVMLayout.macAddress + $0]) }
        var high = ReceiveAddressHigh(raw: address[2])
        high[.valid] = true
        return (address[0] | address[1] << 16, high)
    }
}
