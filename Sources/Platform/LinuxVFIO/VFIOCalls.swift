// The thin layer between this backing and the kernel: one method per system call, no decisions. `KernelVFIO` makes the
// calls; tests put a kernel of their own here, in which the n-th call fails.
// Source: linux/vfio.h; Documentation/driver-api/vfio.rst.

import Memory

/// The system calls of VFIO with container and group.
package protocol VFIOCalls: Sendable {
    /// A descriptor of a file, to read and write.
    func open(_ path: String) throws(SystemError) -> Int32
    func close(_ descriptor: Int32)

    func apiVersion(container: Int32) throws(SystemError) -> Int32
    func hasExtension(_ extension: Int32, container: Int32) throws(SystemError) -> Bool
    func setIOMMU(_ type: Int32, container: Int32) throws(SystemError)
    /// struct vfio_iommu_type1_info and its capabilities.
    func iommuInfo(container: Int32) throws(SystemError) -> [UInt8]
    /// SAFETY: the memory stays mapped in this process until `unmap`.
    @unsafe func map(
        container: Int32,
        address: UnsafeMutableRawPointer,
        iova: UInt64,
        byteCount: Int,
        _ permissions: DMAPermissions
    ) throws(SystemError)
    func unmap(container: Int32, iova: UInt64, byteCount: Int) throws(SystemError)

    func groupFlags(_ group: Int32) throws(SystemError) -> VFIOGroupFlags
    func attach(group: Int32, to container: Int32) throws(SystemError)
    func detach(group: Int32) throws(SystemError)
    func device(_ name: String, inGroup group: Int32) throws(SystemError) -> Int32

    func deviceInfo(_ device: Int32) throws(SystemError) -> VFIODeviceInfo
    /// struct vfio_region_info and its capabilities.
    func regionInfo(_ device: Int32, region: UInt32) throws(SystemError) -> [UInt8]
    func interruptInfo(_ device: Int32, kind: VFIOInterruptKind) throws(SystemError) -> VFIOInterruptInfo
    /// -1 among `descriptors` detaches that vector.
    func setInterrupts(
        _ device: Int32,
        kind: VFIOInterruptKind,
        start: Int,
        descriptors: [Int32]
    ) throws(SystemError)
    func disableInterrupts(_ device: Int32, kind: VFIOInterruptKind) throws(SystemError)
    func reset(_ device: Int32) throws(SystemError)

    /// 1, 2, 4 or 8 bytes at an offset of the device's descriptor.
    func read(_ device: Int32, at offset: UInt64, byteCount: Int) throws(SystemError) -> UInt64
    /// 1, 2, 4 or 8 bytes.
    func write(_ device: Int32, at offset: UInt64, byteCount: Int, _ value: UInt64) throws(SystemError)
    /// Maps `byteCount` bytes of the device's descriptor.
    @unsafe func mapRegion(
        _ device: Int32,
        at offset: UInt64,
        byteCount: Int,
        writable: Bool
    ) throws(SystemError) -> UnsafeMutableRawPointer
    @unsafe func unmapRegion(_ base: UnsafeMutableRawPointer, byteCount: Int)

    /// Bytes that the process may lock; nil: no limit.
    func lockedMemoryLimit() -> UInt64?
}

/// What VFIO_GROUP_GET_STATUS says.
package struct VFIOGroupFlags: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    /// All devices of the group belong to VFIO or to no driver.
    package static var viable: Self { .init(rawValue: 1) }
    package static var containerSet: Self { .init(rawValue: 2) }
}

/// What VFIO_DEVICE_GET_INFO says.
package struct VFIODeviceInfo: Sendable, Equatable {
    package var canReset: Bool
    package var isPCI: Bool
    package var regionCount: UInt32
    package var interruptKindCount: UInt32

    package init(canReset: Bool, isPCI: Bool, regionCount: UInt32, interruptKindCount: UInt32) {
        self.canReset = canReset
        self.isPCI = isPCI
        self.regionCount = regionCount
        self.interruptKindCount = interruptKindCount
    }
}

/// VFIO_PCI_*_IRQ_INDEX.
package enum VFIOInterruptKind: UInt32, Sendable {
    case intx = 0
    case msi = 1
    case msix = 2
    case error = 3
    case request = 4
}

/// What VFIO_DEVICE_GET_IRQ_INFO says.
package struct VFIOInterruptInfo: Sendable, Equatable {
    package var count: Int
    /// Vectors can be added only by taking all away first (NORESIZE).
    package var isFixedOnceEnabled: Bool

    package init(count: Int, isFixedOnceEnabled: Bool) {
        self.count = count
        self.isFixedOnceEnabled = isFixedOnceEnabled
    }
}

/// Region numbers of a PCI function (VFIO_PCI_*_REGION_INDEX).
package enum VFIORegion {
    package static let bars: Range<Int> = 0..<6
    package static let config: UInt32 = 7
}
