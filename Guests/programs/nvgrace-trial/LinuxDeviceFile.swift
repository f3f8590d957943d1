// The kernel's own: a VFIO device descriptor, by container and group. Unlike `LinuxVFIO`, which opens what vfio-pci has, it
// takes whichever driver has the function, and passes on every answer as it is.
// Source: Documentation/driver-api/vfio.rst, "VFIO Usage Example"; linux/vfio.h.
//
// SAFETY (whole file): pointers are the caller's, who answers for them (`DeviceFile`), or those of locals for the time of a
// call.

import CLinux
import Glibc
import LinuxVFIO
import Memory

final class LinuxDeviceFile: DeviceFile {
    // _IO(';', 100 + N)
    private static let regionInfoRequest: UInt = 0x3B6C
    private static let ioeventfdRequest: UInt = 0x3B74
    private static let featureRequest: UInt = 0x3B75
    private static let type1v2: Int32 = 3

    private let calls = KernelVFIO()
    private let container: Int32
    private let group: Int32
    private let device: Int32

    /// - Parameter address: as sysfs has it, 0000:01:00.0.
    init(_ address: String) throws {
        var path = [CChar](repeating: 0, count: 256)
        let length = unsafe readlink("/sys/bus/pci/devices/\(address)/iommu_group", &path, path.count)
        guard length > 0 else { throw SystemError.last("readlink of \(address)'s IOMMU group") }
        let link = String(decoding: path.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let number = link.split(separator: "/").last.map(String.init) ?? ""
        container = try calls.open("/dev/vfio/vfio")
        group = try calls.open("/dev/vfio/\(number)")
        try calls.attach(group: group, to: container)
        try calls.setIOMMU(Self.type1v2, container: container)
        device = try calls.device(address, inGroup: group)
    }

    deinit { for descriptor in [device, group, container] { calls.close(descriptor) } }

    func regionInfo(_ argument: UnsafeMutableRawPointer) -> Int {
        Int(unsafe clinux_vfio_call(device, Self.regionInfoRequest, argument))
    }

    func read(_ buffer: UnsafeMutableRawPointer, _ count: Int, at offset: UInt64) -> Int {
        let result = unsafe pread(device, buffer, count, Int(truncatingIfNeeded: offset))
        return result < 0 ? -Int(errno) : result
    }

    func write(_ buffer: UnsafeRawPointer, _ count: Int, at offset: UInt64) -> Int {
        let result = unsafe pwrite(device, buffer, count, Int(truncatingIfNeeded: offset))
        return result < 0 ? -Int(errno) : result
    }

    func map(
        _ byteCount: Int,
        at offset: UInt64,
        isPrivate: Bool,
        _ use: (UnsafeMutableRawPointer) -> Void
    ) -> Int {
        let base = unsafe mmap(
            nil,
            byteCount,
            PROT_READ | PROT_WRITE,
            isPrivate ? MAP_PRIVATE : MAP_SHARED,
            device,
            Int(truncatingIfNeeded: offset)
        )
        guard let base = unsafe base, unsafe base != MAP_FAILED else { return -Int(errno) }
        unsafe use(base)
        unsafe munmap(base, byteCount)
        return 0
    }

    func reset() -> Int { Int(clinux_vfio_reset(device)) }

    func feature(_ argument: UnsafeMutableRawPointer) -> Int {
        Int(unsafe clinux_vfio_call(device, Self.featureRequest, argument))
    }

    func ioeventfd(region: UInt32) -> Int {
        // struct vfio_device_ioeventfd: argsz, flags (4: four bytes), offset, data, descriptor (-1: none any more), reserved.
        let offset = UInt64(region) << 40
        var argument: (UInt32, UInt32, UInt64, UInt64, Int32, UInt32) = (32, 4, offset, 0, -1, 0)
        return Int(unsafe clinux_vfio_call(device, Self.ioeventfdRequest, &argument))
    }
}
