// The system calls themselves.
//
// SAFETY (whole file): every pointer is that of a local, of an array for the time of the call, or the caller's own, whose
// contract is `VFIOCalls`'s.

import CLinux
import Glibc
import Memory

/// The kernel of this machine.
package struct KernelVFIO: VFIOCalls {
    package init() {}

    @discardableResult
    private func check(_ result: Int32, _ call: String) throws(SystemError) -> Int32 {
        guard result >= 0 else { throw SystemError(call, code: -result) }
        return result
    }

    package func open(_ path: String) throws(SystemError) -> Int32 {
        let descriptor = unsafe Glibc.open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open \(path)") }
        return descriptor
    }

    package func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

    package func apiVersion(container: Int32) throws(SystemError) -> Int32 {
        try check(clinux_vfio_api_version(container), "VFIO_GET_API_VERSION")
    }

    package func hasExtension(_ extension: Int32, container: Int32) throws(SystemError) -> Bool {
        try check(clinux_vfio_check_extension(container, `extension`), "VFIO_CHECK_EXTENSION") > 0
    }

    package func setIOMMU(_ type: Int32, container: Int32) throws(SystemError) {
        try check(clinux_vfio_set_iommu(container, type), "VFIO_SET_IOMMU")
    }

    /// Asks again with more room if the answer says that there is more.
    private func growing(
        _ call: String,
        _ ask: (UnsafeMutableRawPointer, UInt32) -> Int32
    ) throws(SystemError) -> [UInt8] {
        var room = 256
        // The second answer fits, unless the kernel's changed in between; a kernel that never settles is an error.
        for _ in 0..<4 {
            var bytes = [UInt8](repeating: 0, count: room)
            let result = unsafe bytes.withUnsafeMutableBytes { buffer -> Int32 in
                guard let base = buffer.baseAddress else { return -EINVAL }
                return unsafe ask(base, UInt32(buffer.count))
            }
            let needed = Int(try check(result, call))
            if needed <= room { return bytes }
            guard needed <= 1 << 20 else { break }
            room = needed
        }
        throw SystemError(call, code: EMSGSIZE)
    }

    package func iommuInfo(container: Int32) throws(SystemError) -> [UInt8] {
        unsafe try growing("VFIO_IOMMU_GET_INFO") { unsafe clinux_vfio_iommu_info(container, $0, $1) }
    }

    @unsafe package func map(
        container: Int32,
        address: UnsafeMutableRawPointer,
        iova: UInt64,
        byteCount: Int,
        _ permissions: DMAPermissions
    ) throws(SystemError) {
        let result = unsafe clinux_vfio_map(container, address, iova, UInt64(byteCount), Int32(permissions.rawValue))
        try check(result, "VFIO_IOMMU_MAP_DMA")
    }

    package func unmap(container: Int32, iova: UInt64, byteCount: Int) throws(SystemError) {
        try check(clinux_vfio_unmap(container, iova, UInt64(byteCount)), "VFIO_IOMMU_UNMAP_DMA")
    }

    package func groupFlags(_ group: Int32) throws(SystemError) -> VFIOGroupFlags {
        VFIOGroupFlags(rawValue: UInt32(try check(clinux_vfio_group_flags(group), "VFIO_GROUP_GET_STATUS")))
    }

    package func attach(group: Int32, to container: Int32) throws(SystemError) {
        try check(clinux_vfio_group_set_container(group, container), "VFIO_GROUP_SET_CONTAINER")
    }

    package func detach(group: Int32) throws(SystemError) {
        try check(clinux_vfio_group_unset_container(group), "VFIO_GROUP_UNSET_CONTAINER")
    }

    package func device(_ name: String, inGroup group: Int32) throws(SystemError) -> Int32 {
        try check(unsafe clinux_vfio_group_device(group, name), "VFIO_GROUP_GET_DEVICE_FD")
    }

    package func deviceInfo(_ device: Int32) throws(SystemError) -> VFIODeviceInfo {
        var info = clinux_vfio_device_info()
        try check(unsafe clinux_vfio_device_info(device, &info), "VFIO_DEVICE_GET_INFO")
        return VFIODeviceInfo(
            canReset: info.flags & 1 != 0,
            isPCI: info.flags & 2 != 0,
            regionCount: info.region_count,
            interruptKindCount: info.interrupt_count
        )
    }

    package func regionInfo(_ device: Int32, region: UInt32) throws(SystemError) -> [UInt8] {
        unsafe try growing("VFIO_DEVICE_GET_REGION_INFO") { unsafe clinux_vfio_region_info(device, region, $0, $1) }
    }

    package func interruptInfo(
        _ device: Int32,
        kind: VFIOInterruptKind
    ) throws(SystemError) -> VFIOInterruptInfo {
        var info = clinux_vfio_interrupt_info()
        try check(unsafe clinux_vfio_interrupt_info(device, kind.rawValue, &info), "VFIO_DEVICE_GET_IRQ_INFO")
        return VFIOInterruptInfo(count: Int(info.count), isFixedOnceEnabled: info.flags & 8 != 0)
    }

    package func setInterrupts(
        _ device: Int32,
        kind: VFIOInterruptKind,
        start: Int,
        descriptors: [Int32]
    ) throws(SystemError) {
        let result = unsafe clinux_vfio_set_interrupts(
            device,
            kind.rawValue,
            UInt32(start),
            UInt32(descriptors.count),
            descriptors
        )
        try check(result, "VFIO_DEVICE_SET_IRQS")
    }

    package func disableInterrupts(_ device: Int32, kind: VFIOInterruptKind) throws(SystemError) {
        try check(clinux_vfio_disable_interrupts(device, kind.rawValue), "VFIO_DEVICE_SET_IRQS")
    }

    package func reset(_ device: Int32) throws(SystemError) {
        try check(clinux_vfio_reset(device), "VFIO_DEVICE_RESET")
    }

    package func read(_ device: Int32, at offset: UInt64, byteCount: Int) throws(SystemError) -> UInt64 {
        var value: UInt64 = 0
        let count = unsafe pread(device, &value, byteCount, Int(truncatingIfNeeded: offset))
        guard count == byteCount else { throw count < 0 ? .last("pread") : SystemError("pread", code: EIO) }
        return UInt64(littleEndian: value)
    }

    package func write(_ device: Int32, at offset: UInt64, byteCount: Int, _ value: UInt64) throws(SystemError) {
        var bytes = value.littleEndian
        let count = unsafe pwrite(device, &bytes, byteCount, Int(truncatingIfNeeded: offset))
        guard count == byteCount else { throw count < 0 ? .last("pwrite") : SystemError("pwrite", code: EIO) }
    }

    @unsafe package func mapRegion(
        _ device: Int32,
        at offset: UInt64,
        byteCount: Int,
        writable: Bool
    ) throws(SystemError) -> UnsafeMutableRawPointer {
        let protection = writable ? PROT_READ | PROT_WRITE : PROT_READ
        let base = unsafe mmap(nil, byteCount, protection, MAP_SHARED, device, Int(truncatingIfNeeded: offset))
        guard let base = unsafe base, unsafe base != MAP_FAILED else { throw .last("mmap") }
        return unsafe base
    }

    @unsafe package func unmapRegion(_ base: UnsafeMutableRawPointer, byteCount: Int) {
        unsafe munmap(base, byteCount)
    }

    package func lockedMemoryLimit() -> UInt64? {
        let limit = clinux_locked_memory_limit()
        return limit == .max ? nil : limit
    }
}
