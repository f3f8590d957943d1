// A PCI function that has vectors and nothing else.

import Backing
import Clock
import PCIe

final class VectorCard: PCIeModel {
    private static let pendingBitsOffset: UInt64 = 0x8000
    private static let msixOffset: UInt16 = 0x70

    let identity = PCIeIdentity(vendor: 0xDB00, device: 0x0003, classCode: 0xFF_0000, revision: 1)
    let baseAddressRegisters = [BaseAddressRegister(index: 0, byteCount: 0x10000)]
    let vectorCount: Int
    let host: DeviceHost
    private var config: ConfigSpace
    private var msix: MSIXTable

    init(vectorCount: Int) {
        self.vectorCount = vectorCount
        host = DeviceHost(clock: .monotonic, vectorCount: vectorCount, doorbellCount: 0)
        msix = MSIXTable(count: vectorCount)
        config = ConfigSpace(identity, baseAddressRegisters: baseAddressRegisters)
        setUp()
    }

    private func setUp() {
        let size = UInt16(vectorCount - 1)
        let pending = UInt8(Self.pendingBitsOffset >> 8)
        config.addCapability(
            id: MSIXCapability.id,
            at: Self.msixOffset,
            body: [UInt8(size & 0xFF), UInt8(size >> 8), 0, 0, 0, 0, 0, pending, 0, 0],
            writable: [0, 0xC0]
        )
    }

    func reset() {
        config = ConfigSpace(identity, baseAddressRegisters: baseAddressRegisters)
        setUp()
        msix.reset()
    }

    func readConfig(_ offset: UInt16, _ size: AccessSize) -> UInt64 { config.read(offset, size) }
    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt64) { config.write(offset, size, value) }

    func read(bar: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64 {
        guard let place = Int(exactly: offset), size == .doubleWord else { return 0 }
        return UInt64(msix.read(tableOffset: place))
    }

    func write(bar: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64) {
        guard let place = Int(exactly: offset), size == .doubleWord else { return }
        if let vector = msix.write(tableOffset: place, UInt32(truncatingIfNeeded: value)) { host.raise(vector) }
    }

    func doorbellIndex(bar: Int, _ offset: UInt64) -> Int? { nil }
    func poll() -> Bool { false }
}
