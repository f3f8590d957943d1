// A virtual MANA on its driver's thread: it has its turn whenever the driver reads a register. It can add vectors or not.

import Backing
import Interrupts
import MANAModel
import Memory
import PCIe
import Registers

struct TurnBacking: PCIeBacking {
    let base: InProcess<MANAModel>
    let canAddVectors: Bool

    var name: String { base.name }
    var identity: PCIeIdentity { base.identity }
    var vectorCount: Int { base.vectorCount }

    func readConfig(_ offset: UInt16, _ size: AccessSize) throws(DeviceError) -> UInt32 {
        try base.readConfig(offset, size)
    }

    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) throws(DeviceError) {
        try base.writeConfig(offset, size, value)
    }

    func mapBAR(_ index: Int) throws(DeviceError) -> TurnBAR {
        TurnBAR(base: try base.mapBAR(index), model: base.model)
    }

    func mapDMA(_ memory: borrowing SharedMemory, _ permissions: DMAPermissions) throws(DeviceError) -> DMAMapping {
        try base.mapDMA(memory, permissions)
    }

    func attachVector(_ index: Int, cpu: Int?) throws(DeviceError) -> InterruptLease {
        try base.attachVector(index, cpu: cpu)
    }

    func reset() throws(DeviceError) { try base.reset() }
}

struct TurnBAR: RegisterAccess {
    let base: InProcessBAR<MANAModel>
    let model: MANAModel

    func load(_ offset: UInt32) -> UInt32 {
        _ = model.poll()
        return base.load(offset)
    }

    func store(_ offset: UInt32, _ value: UInt32) { base.store(offset, value) }
    func storeWide(_ offset: UInt32, _ value: UInt64) { base.storeWide(offset, value) }
    func load(_ offset: UInt64, byteCount: Int) -> UInt64 { base.load(offset, byteCount: byteCount) }
    func store(_ offset: UInt64, byteCount: Int, _ value: UInt64) {
        base.store(offset, byteCount: byteCount, value)
    }
    func doorbell(at offset: UInt32) -> DoorbellRegister? { nil }
}
