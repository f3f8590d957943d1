// A kernel for tests: it keeps VFIO's rules, counts what is out, and fails the n-th call. The device is a memfd, so that
// what this backing reads, writes and maps is real.
//
// SAFETY (whole file): descriptors are this kernel's own; pointers are those of locals and of arrays for the time of a call.

import CLinux
import Glibc
import LinuxVFIO
import Memory
import Synchronization

final class FakeKernel: VFIOCalls {
    /// What a process holds.
    struct Held: Equatable {
        var descriptors = 0
        var attachedGroups = 0
        var mappings: [UInt64: Int] = [:]
        var regions = 0
        var vectors: [Int: Int32] = [:]
    }

    /// How the machine is.
    struct Machine {
        var isViable = true
        var hasType1 = true
        var canReset = true
        var vectorCount = 5
        var isFixedOnceEnabled = false
        var ranges: [ClosedRange<UInt64>] = [0...0xFEDF_FFFF, 0xFEF0_0000...(1 << 39) - 1]
        var lockedMemoryLimit: UInt64?
        /// The n-th call that can fail (from 0) fails, with this errno.
        var failAtStep: Int?
        var errorCode = EIO
        /// Opening a group fails with this errno.
        var groupError: Int32?
        /// The IOMMU is refused with this errno.
        var iommuError: Int32?
    }

    static let configOffset: UInt64 = 7 << 20
    static let registerBytes: UInt64 = 64 * 1024

    private struct State {
        var machine: Machine
        var held = Held()
        var steps = 0
        var calls: [String] = []
        var device: Int32 = -1
        var isEnabled = false
        var resets = 0
    }

    private let state: Mutex<State>

    init(_ machine: Machine = Machine()) { state = Mutex(State(machine: machine)) }

    var held: Held { state.withLock { $0.held } }
    var steps: Int { state.withLock { $0.steps } }
    var resets: Int { state.withLock { $0.resets } }
    /// SET_IRQS calls so far, in words.
    var interruptCalls: [String] { state.withLock { $0.calls } }
    func failNext(_ code: Int32) { state.withLock { ($0.machine.failAtStep, $0.machine.errorCode) = ($0.steps, code) } }
    func clearCalls() { state.withLock { $0.calls = [] } }

    /// The device's own memory: config space and BAR 0 as its firmware would change them.
    func poke(_ offset: UInt64, _ bytes: [UInt8]) {
        let device = state.withLock { $0.device }
        _ = unsafe pwrite(device, bytes, bytes.count, Int(offset))
    }

    /// The device sends vector `index`'s message.
    func fire(_ index: Int) {
        var one: UInt64 = 1
        if let descriptor = state.withLock({ $0.held.vectors[index] }) { _ = unsafe Glibc.write(descriptor, &one, 8) }
    }

    @discardableResult
    private func step<Result>(_ call: String, _ body: (inout State) throws(SystemError) -> Result) throws(SystemError)
        -> Result
    {
        var failure: SystemError?
        let result = state.withLock { state -> Result? in
            defer { state.steps += 1 }
            guard state.steps != state.machine.failAtStep else {
                failure = SystemError(call, code: state.machine.errorCode)
                return nil
            }
            do throws(SystemError) { return try body(&state) } catch {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
        guard let result else { preconditionFailure("neither a result nor an error") }
        return result
    }

    func open(_ path: String) throws(SystemError) -> Int32 {
        try step("open \(path)") { state throws(SystemError) in
            if let code = state.machine.groupError, !path.hasSuffix("/vfio/vfio") {
                throw SystemError("open \(path)", code: code)
            }
            state.held.descriptors += 1
            return unsafe Glibc.open("/dev/null", O_RDWR | O_CLOEXEC)
        }
    }

    func close(_ descriptor: Int32) {
        state.withLock { $0.held.descriptors -= 1 }
        _ = Glibc.close(descriptor)
    }

    func apiVersion(container: Int32) throws(SystemError) -> Int32 { try step("VFIO_GET_API_VERSION") { _ in 0 } }

    func hasExtension(_ extension: Int32, container: Int32) throws(SystemError) -> Bool {
        try step("VFIO_CHECK_EXTENSION") { $0.machine.hasType1 }
    }

    func setIOMMU(_ type: Int32, container: Int32) throws(SystemError) {
        try step("VFIO_SET_IOMMU") { state throws(SystemError) in
            if let code = state.machine.iommuError { throw SystemError("VFIO_SET_IOMMU", code: code) }
        }
    }

    func iommuInfo(container: Int32) throws(SystemError) -> [UInt8] {
        try step("VFIO_IOMMU_GET_INFO") { iommuInfoBytes($0.machine.ranges) }
    }

    @unsafe func map(
        container: Int32,
        address: UnsafeMutableRawPointer,
        iova: UInt64,
        byteCount: Int,
        _ permissions: DMAPermissions
    ) throws(SystemError) {
        try step("VFIO_IOMMU_MAP_DMA") { state throws(SystemError) in
            let end = iova + UInt64(byteCount) - 1
            guard state.machine.ranges.contains(where: { $0.contains(iova) && $0.contains(end) }) else {
                throw SystemError("VFIO_IOMMU_MAP_DMA", code: EINVAL)
            }
            let locked = state.held.mappings.values.reduce(0, +) + byteCount
            if let limit = state.machine.lockedMemoryLimit, UInt64(locked) > limit {
                throw SystemError("VFIO_IOMMU_MAP_DMA", code: ENOMEM)
            }
            state.held.mappings[iova] = byteCount
        }
    }

    func unmap(container: Int32, iova: UInt64, byteCount: Int) throws(SystemError) {
        state.withLock { state in if state.held.mappings[iova] == byteCount { state.held.mappings[iova] = nil } }
    }

    func groupFlags(_ group: Int32) throws(SystemError) -> VFIOGroupFlags {
        try step("VFIO_GROUP_GET_STATUS") { $0.machine.isViable ? .viable : [] }
    }

    func attach(group: Int32, to container: Int32) throws(SystemError) {
        try step("VFIO_GROUP_SET_CONTAINER") { $0.held.attachedGroups += 1 }
    }

    func detach(group: Int32) throws(SystemError) { state.withLock { $0.held.attachedGroups -= 1 } }

    func device(_ name: String, inGroup group: Int32) throws(SystemError) -> Int32 {
        try step("VFIO_GROUP_GET_DEVICE_FD") { state throws(SystemError) in
            let device = unsafe clinux_memfd("fake-device", 8 << 20)
            guard device >= 0 else { throw .last("memfd_create") }
            state.device = device
            state.held.descriptors += 1
            // An I225-V: ids, memory space on, a capability list of power management alone.
            let header: [UInt8] = [0x86, 0x80, 0xF3, 0x15, 0x02, 0x00, 0x10, 0x00, 0x03, 0x00, 0x00, 0x02]
            _ = unsafe pwrite(device, header, header.count, Int(Self.configOffset))
            let subsystem: [UInt8] = [0x86, 0x80, 0x01, 0x00]
            _ = unsafe pwrite(device, subsystem, 4, Int(Self.configOffset) + 0x2C)
            let power: [UInt8] = [0x01, 0x00, 0x03, 0x00]
            _ = unsafe pwrite(device, [0x40] as [UInt8], 1, Int(Self.configOffset) + 0x34)
            _ = unsafe pwrite(device, power, 4, Int(Self.configOffset) + 0x40)
            return device
        }
    }

    func deviceInfo(_ device: Int32) throws(SystemError) -> VFIODeviceInfo {
        try step("VFIO_DEVICE_GET_INFO") {
            VFIODeviceInfo(canReset: $0.machine.canReset, isPCI: true, regionCount: 9, interruptKindCount: 5)
        }
    }

    func regionInfo(_ device: Int32, region: UInt32) throws(SystemError) -> [UInt8] {
        try step("VFIO_DEVICE_GET_REGION_INFO") { _ in
            switch region {
            case 0: regionInfoBytes(flags: 7, byteCount: Self.registerBytes, fileOffset: 0)
            // The MSI-X table's page cannot be mapped.
            case 3:
                regionInfoBytes(
                    flags: 7,
                    byteCount: 16384,
                    fileOffset: 3 << 20,
                    sparse: [(offset: 4096, byteCount: 12288)]
                )
            case 7: regionInfoBytes(flags: 3, byteCount: 4096, fileOffset: Self.configOffset)
            default: regionInfoBytes(flags: 0, byteCount: 0, fileOffset: 0)
            }
        }
    }

    func interruptInfo(_ device: Int32, kind: VFIOInterruptKind) throws(SystemError) -> VFIOInterruptInfo {
        try step("VFIO_DEVICE_GET_IRQ_INFO") {
            VFIOInterruptInfo(count: $0.machine.vectorCount, isFixedOnceEnabled: $0.machine.isFixedOnceEnabled)
        }
    }

    func setInterrupts(
        _ device: Int32,
        kind: VFIOInterruptKind,
        start: Int,
        descriptors: [Int32]
    ) throws(SystemError) {
        try step("VFIO_DEVICE_SET_IRQS") { state throws(SystemError) in
            state.calls.append("set \(start) \(descriptors.map { $0 < 0 ? "-" : "+" }.joined())")
            let highest = start + descriptors.count
            let isGrowing = highest > (state.held.vectors.keys.max() ?? -1) + 1
            // vfio_msi_set_block: without dynamic allocation nothing beyond what was enabled.
            if state.isEnabled, state.machine.isFixedOnceEnabled, isGrowing, descriptors.contains(where: { $0 >= 0 }) {
                throw SystemError("VFIO_DEVICE_SET_IRQS", code: EINVAL)
            }
            state.isEnabled = true
            for (index, descriptor) in descriptors.enumerated() {
                state.held.vectors[start + index] = descriptor < 0 ? nil : descriptor
            }
        }
    }

    func disableInterrupts(_ device: Int32, kind: VFIOInterruptKind) throws(SystemError) {
        state.withLock { state in
            state.calls.append("disable")
            state.isEnabled = false
            state.held.vectors = [:]
        }
    }

    func reset(_ device: Int32) throws(SystemError) { try step("VFIO_DEVICE_RESET") { $0.resets += 1 } }

    func read(_ device: Int32, at offset: UInt64, byteCount: Int) throws(SystemError) -> UInt64 {
        try KernelVFIO().read(device, at: offset, byteCount: byteCount)
    }

    func write(_ device: Int32, at offset: UInt64, byteCount: Int, _ value: UInt64) throws(SystemError) {
        try KernelVFIO().write(device, at: offset, byteCount: byteCount, value)
    }

    @unsafe func mapRegion(
        _ device: Int32,
        at offset: UInt64,
        byteCount: Int,
        writable: Bool
    ) throws(SystemError) -> UnsafeMutableRawPointer {
        try step("mmap") { _ throws(SystemError) in () }
        let base = unsafe try KernelVFIO().mapRegion(device, at: offset, byteCount: byteCount, writable: writable)
        state.withLock { $0.held.regions += 1 }
        return unsafe base
    }

    @unsafe func unmapRegion(_ base: UnsafeMutableRawPointer, byteCount: Int) {
        unsafe KernelVFIO().unmapRegion(base, byteCount: byteCount)
        state.withLock { $0.held.regions -= 1 }
    }

    func lockedMemoryLimit() -> UInt64? { state.withLock { $0.machine.lockedMemoryLimit } }
}
