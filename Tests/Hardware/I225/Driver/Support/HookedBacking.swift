// A backing whose register accesses the test sees, may answer itself, or may let something happen at: a device that
// lies, a frame that comes at just that moment, accesses that take time as those of a trapped or remote BAR do.

import Backing
import Interrupts
import Memory
import PCIe
import Registers

/// What a test does at register accesses.
final class RegisterHooks {
    /// Runs before every access.
    var beforeAccess: () -> Void = {}
    /// Runs before a store to the register at this offset.
    var beforeStore: (UInt32) -> Void = { _ in }
    /// What a load of the register at this offset gives, where the device gave this value.
    var answer: (UInt32, UInt32) -> UInt32 = { _, value in value }
}

/// Passes everything to `base`, registers by way of the hooks.
struct HookedBacking<Base: PCIeBacking>: PCIeBacking {
    private let base: Base
    private let hooks: RegisterHooks

    init(_ base: Base, _ hooks: RegisterHooks) {
        self.base = base
        self.hooks = hooks
    }

    var name: String { base.name }
    var identity: PCIeIdentity { base.identity }
    var vectorCount: Int { base.vectorCount }
    var canAddVectors: Bool { base.canAddVectors }

    func readConfig(_ offset: UInt16, _ size: AccessSize) throws(DeviceError) -> UInt32 {
        try base.readConfig(offset, size)
    }

    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) throws(DeviceError) {
        try base.writeConfig(offset, size, value)
    }

    func mapBAR(_ index: Int) throws(DeviceError) -> HookedBAR<Base.BAR> {
        HookedBAR(base: try base.mapBAR(index), hooks: hooks)
    }

    func mapDMA(_ memory: borrowing SharedMemory, _ permissions: DMAPermissions) throws(DeviceError) -> DMAMapping {
        try base.mapDMA(memory, permissions)
    }

    func attachVector(_ index: Int, cpu: Int?) throws(DeviceError) -> InterruptLease {
        try base.attachVector(index, cpu: cpu)
    }

    func reset() throws(DeviceError) { try base.reset() }
}

struct HookedBAR<Base: RegisterAccess>: RegisterAccess {
    let base: Base
    let hooks: RegisterHooks

    func load(_ offset: UInt32) -> UInt32 {
        hooks.beforeAccess()
        return hooks.answer(offset, base.load(offset))
    }

    func store(_ offset: UInt32, _ value: UInt32) {
        hooks.beforeAccess()
        hooks.beforeStore(offset)
        base.store(offset, value)
    }

    func storeWide(_ offset: UInt32, _ value: UInt64) {
        hooks.beforeAccess()
        hooks.beforeStore(offset)
        base.storeWide(offset, value)
    }

    func load(_ offset: UInt64, byteCount: Int) -> UInt64 {
        hooks.beforeAccess()
        return base.load(offset, byteCount: byteCount)
    }

    func store(_ offset: UInt64, byteCount: Int, _ value: UInt64) {
        hooks.beforeAccess()
        base.store(offset, byteCount: byteCount, value)
    }

    func doorbell(at offset: UInt32) -> DoorbellRegister? { base.doorbell(at: offset) }
}
