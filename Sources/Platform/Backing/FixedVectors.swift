// A backing to whose vectors none can be added, as VFIO's is where the kernel says NORESIZE (linux/vfio.h,
// VFIO_IRQ_INFO_NORESIZE), and as every driver had it before Linux 6.2: all at the start.

import Interrupts
import Memory
import PCIe
import Registers

/// Passes everything to `base`, and says that its vectors are taken all at once. Drivers choose their scheme by it.
public struct FixedVectors<Base: PCIeBacking>: PCIeBacking {
    private let base: Base

    public init(_ base: Base) { self.base = base }

    public var canAddVectors: Bool { false }

    public var name: String { base.name }
    public var identity: PCIeIdentity { base.identity }
    public var vectorCount: Int { base.vectorCount }

    public func readConfig(_ offset: UInt16, _ size: AccessSize) throws(DeviceError) -> UInt32 {
        try base.readConfig(offset, size)
    }

    public func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) throws(DeviceError) {
        try base.writeConfig(offset, size, value)
    }

    public func mapBAR(_ index: Int) throws(DeviceError) -> Base.BAR { try base.mapBAR(index) }

    public func mapDMA(
        _ memory: borrowing SharedMemory,
        _ permissions: DMAPermissions
    ) throws(DeviceError) -> DMAMapping {
        try base.mapDMA(memory, permissions)
    }

    public func allocateDMA(
        byteCount: Int,
        _ permissions: DMAPermissions,
        purpose: String
    ) throws(DeviceError) -> DMABuffer {
        try base.allocateDMA(byteCount: byteCount, permissions, purpose: purpose)
    }

    public func attachVector(_ index: Int, cpu: Int?) throws(DeviceError) -> InterruptLease {
        try base.attachVector(index, cpu: cpu)
    }

    public func reset() throws(DeviceError) { try base.reset() }
}

extension FixedVectors: Sendable where Base: Sendable {}
