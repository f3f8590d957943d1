// A backing whose register accesses take time, as those of a trapped or remote BAR do. Time is virtual.

import Backing
import Clock
import Interrupts
import Memory
import PCIe
import Registers

/// Passes everything to `base`; each register access moves the clock first.
struct SlowBacking<Base: PCIeBacking>: PCIeBacking {
    private let base: Base
    private let clock: VirtualClock
    private let nanosecondsPerAccess: UInt64

    init(_ base: Base, clock: VirtualClock, nanosecondsPerAccess: UInt64) {
        self.base = base
        self.clock = clock
        self.nanosecondsPerAccess = nanosecondsPerAccess
    }

    var name: String { base.name }
    var identity: PCIeIdentity { base.identity }
    var vectorCount: Int { base.vectorCount }

    func readConfig(_ offset: UInt16, _ size: AccessSize) throws(DeviceError) -> UInt32 {
        try base.readConfig(offset, size)
    }

    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) throws(DeviceError) {
        try base.writeConfig(offset, size, value)
    }

    func mapBAR(_ index: Int) throws(DeviceError) -> SlowBAR<Base.BAR> {
        SlowBAR(base: try base.mapBAR(index), clock: clock, nanosecondsPerAccess: nanosecondsPerAccess)
    }

    func mapDMA(_ memory: borrowing SharedMemory, _ permissions: DMAPermissions) throws(DeviceError) -> DMAMapping {
        try base.mapDMA(memory, permissions)
    }

    func attachVector(_ index: Int, cpu: Int?) throws(DeviceError) -> InterruptLease {
        try base.attachVector(index, cpu: cpu)
    }

    func reset() throws(DeviceError) { try base.reset() }
}

struct SlowBAR<Base: RegisterAccess>: RegisterAccess {
    let base: Base
    let clock: VirtualClock
    let nanosecondsPerAccess: UInt64

    func load(_ offset: UInt32) -> UInt32 {
        clock.advance(nanoseconds: nanosecondsPerAccess)
        return base.load(offset)
    }

    func store(_ offset: UInt32, _ value: UInt32) {
        clock.advance(nanoseconds: nanosecondsPerAccess)
        base.store(offset, value)
    }

    func doorbell(at offset: UInt32) -> DoorbellRegister? { base.doorbell(at: offset) }
}
