// Descriptors in plain memory, with the device's half of the protocol in the test's hands.

import I225Wire
import Registers
import Rings

/// Memory for a ring of descriptors. The ring that a test makes on it must not outlive it.
@safe final class PlainRing {
    // SAFETY: the memory has `count` descriptors and lives as long as this; it is initialised, and aligned for them.
    let descriptors: DescriptorRing16
    private let base: UnsafeMutableRawPointer

    init(count: Int) {
        unsafe base = .allocate(byteCount: count * I225.descriptorBytes, alignment: 128)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: count * I225.descriptorBytes)
        unsafe descriptors = DescriptorRing16(base: base, count: count)
    }

    deinit { unsafe base.deallocate() }

    /// The device is done with the Tx descriptor at `index`.
    func finish(_ index: Int) {
        descriptors.storeHigh(index, descriptors.loadHigh(index) | TransmitDataDescriptor.doneBit)
    }

    /// The device has put `length` bytes into the buffer at `index`.
    func fill(_ index: Int, length: UInt16) {
        let writeBack = ReceiveWriteBack(
            rssType: .none,
            rssHash: 0,
            status: .with {
                $0[.done] = true
                $0[.endOfPacket] = true
            },
            length: length,
            vlanTag: 0
        )
        descriptors.storeLow(index, writeBack.low)
        descriptors.storeHigh(index, writeBack.high)
    }
}
