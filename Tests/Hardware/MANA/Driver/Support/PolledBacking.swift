// A backing whose model makes progress whenever the driver reads a register: driver and model share a thread, and what
// the model does later than at once must be able to happen while the driver waits.

import Backing
import Interrupts
import MANAModel
import Memory
import PCIe
import Registers

/// What a test does at register accesses.
final class CardHooks {
    /// Runs before every load.
    var beforeLoad: () -> Void = {}
    /// Runs before every store of 32 bits, with its offset.
    var beforeStore: (UInt32) -> Void = { _ in }
    /// Vectors from this one on are refused.
    var refusesVectorsFrom: Int?
    /// The vectors that were attached, in order.
    var attached: [(index: Int, cpu: Int?)] = []
    var canAddVectors = true
    /// Function level resets.
    var resets = 0
}

/// Passes everything to `base`, by way of the hooks.
struct PolledBacking<Base: PCIeBacking>: PCIeBacking {
    let base: Base
    let hooks: CardHooks

    var name: String { base.name }
    var identity: PCIeIdentity { base.identity }
    var vectorCount: Int { base.vectorCount }
    var canAddVectors: Bool { hooks.canAddVectors }

    func readConfig(_ offset: UInt16, _ size: AccessSize) throws(DeviceError) -> UInt32 {
        try base.readConfig(offset, size)
    }

    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) throws(DeviceError) {
        try base.writeConfig(offset, size, value)
    }

    func mapBAR(_ index: Int) throws(DeviceError) -> PolledBAR<Base.BAR> {
        PolledBAR(base: try base.mapBAR(index), hooks: hooks)
    }

    func mapDMA(_ memory: borrowing SharedMemory, _ permissions: DMAPermissions) throws(DeviceError) -> DMAMapping {
        try base.mapDMA(memory, permissions)
    }

    func attachVector(_ index: Int, cpu: Int?) throws(DeviceError) -> InterruptLease {
        if let limit = hooks.refusesVectorsFrom, index >= limit {
            throw DeviceError(.refused, device: name, operation: "attach vector", "the host has none left")
        }
        let lease = try base.attachVector(index, cpu: cpu)
        hooks.attached.append((index, cpu))
        return lease
    }

    func reset() throws(DeviceError) {
        hooks.resets += 1
        try base.reset()
    }
}

struct PolledBAR<Base: RegisterAccess>: RegisterAccess {
    let base: Base
    let hooks: CardHooks

    func load(_ offset: UInt32) -> UInt32 {
        hooks.beforeLoad()
        return base.load(offset)
    }

    func store(_ offset: UInt32, _ value: UInt32) {
        hooks.beforeStore(offset)
        base.store(offset, value)
    }

    func storeWide(_ offset: UInt32, _ value: UInt64) { base.storeWide(offset, value) }
    func load(_ offset: UInt64, byteCount: Int) -> UInt64 { base.load(offset, byteCount: byteCount) }

    func store(_ offset: UInt64, byteCount: Int, _ value: UInt64) {
        base.store(offset, byteCount: byteCount, value)
    }

    func doorbell(at offset: UInt32) -> DoorbellRegister? { nil }
}
