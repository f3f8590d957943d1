// An open function: what the backing and everything that it lent share. The last of them closes it.

import Glibc
import Interrupts
import Leases
import Memory
import PCIe
import Synchronization

/// Why no mapping was made.
enum MappingFailure: Error {
    case noRoom
    /// A limit of this machine forbids it, and how to raise it.
    case limit(String)
    case failed(String)
}

/// Why no vector was attached.
enum VectorFailure: Error {
    case outOfRange
    case attached
    case failed(SystemError)
}

/// The descriptors of a function and the books that are kept on it.
@safe final class OpenFunction: @unchecked Sendable {
    // SAFETY (Sendable): `config` is written once, by `setUp`, before anybody else knows the object; the books are behind
    // mutexes; the rest is immutable.
    private let handles: FunctionHandles
    private let calls: any VFIOCalls
    private let iommu: IOMMULayout
    let canReset: Bool
    let presence = FunctionPresence()
    private var config: RegionLayout?
    private var powerManagement: UInt16?
    private let memory: Mutex<MemoryBooks>
    private let vectors: Mutex<VectorTable>

    private struct MemoryBooks {
        var addresses: IOVAAllocator
        var locked: LockedMemory
    }

    init(_ opened: consuming OpenedFunction, _ calls: any VFIOCalls) {
        self.calls = calls
        iommu = opened.iommu
        canReset = opened.info.canReset
        memory = Mutex(
            MemoryBooks(
                addresses: IOVAAllocator(opened.iommu),
                locked: LockedMemory(limit: calls.lockedMemoryLimit())
            )
        )
        vectors = Mutex(VectorTable(VFIOInterruptInfo(count: 0, isFixedOnceEnabled: true)))
        handles = opened.handles
    }

    // MARK: What the function is

    func region(_ index: UInt32) throws(VFIOObstacle) -> RegionLayout {
        let answer: [UInt8]
        do { answer = try calls.regionInfo(handles.device.number, region: index) } catch { throw .failed(error) }
        guard let layout = RegionLayout(answer) else { throw .badAnswer("information about region \(index)") }
        return layout
    }

    func interruptInfo(_ kind: VFIOInterruptKind) throws(VFIOObstacle) -> VFIOInterruptInfo {
        do { return try calls.interruptInfo(handles.device.number, kind: kind) } catch { throw .failed(error) }
    }

    /// Once, at the start.
    func setUp(config: RegionLayout, vectors table: VectorTable) {
        self.config = config
        vectors.withLock { $0 = table }
        powerManagement = ConfigSpace.findCapability(Self.powerManagementID) { UInt64(readConfig($0, $1)) }
        presence.isAnswering = answersMemory
    }

    func readIdentity() -> PCIeIdentity {
        let revisionAndClass = readConfig(0x08, .doubleWord)
        return PCIeIdentity(
            vendor: UInt16(truncatingIfNeeded: readConfig(0x00, .word)),
            device: UInt16(truncatingIfNeeded: readConfig(0x02, .word)),
            subsystemVendor: UInt16(truncatingIfNeeded: readConfig(0x2C, .word)),
            subsystem: UInt16(truncatingIfNeeded: readConfig(0x2E, .word)),
            classCode: revisionAndClass >> 8,
            revision: UInt8(truncatingIfNeeded: revisionAndClass)
        )
    }

    /// A function that was pulled reads all ones, its vendor included (PCI Express Base 5.0 §2.3.2).
    var isPresent: Bool { readConfig(0x00, .word) != 0xFFFF }

    // MARK: Configuration space

    /// All ones outside, and where the function is gone.
    func readConfig(_ offset: UInt16, _ size: AccessSize) -> UInt32 {
        let nothing = UInt32(truncatingIfNeeded: size.allOnes)
        guard let place = configPlace(offset, size) else { return nothing }
        guard let value = try? calls.read(handles.device.number, at: place, byteCount: size.rawValue) else {
            return nothing
        }
        return UInt32(truncatingIfNeeded: value)
    }

    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) {
        guard let place = configPlace(offset, size) else { return }
        // Before the kernel takes the mappings away, not after: a thread that reads a register meanwhile gets all ones.
        let mayStop = touches(ConfigSpace.Offset.command, offset, size) || touches(powerControl, offset, size)
        if mayStop { presence.isAnswering = false }
        try? calls.write(handles.device.number, at: place, byteCount: size.rawValue, UInt64(value))
        if mayStop { presence.isAnswering = answersMemory }
    }

    private static let powerManagementID: UInt8 = 0x01

    /// PMCSR, 4 bytes into the power management capability.
    private var powerControl: UInt16? { powerManagement.map { $0 + 4 } }

    private func touches(_ register: UInt16?, _ offset: UInt16, _ size: AccessSize) -> Bool {
        guard let register else { return false }
        return offset < register + 2 && Int(register) < Int(offset) + size.rawValue
    }

    /// Memory space is on and the function awake: __vfio_pci_memory_enabled.
    private var answersMemory: Bool {
        let command = readConfig(ConfigSpace.Offset.command, .word)
        guard UInt64(command) & ConfigSpace.memorySpaceEnable != 0 else { return false }
        return powerControl.map { readConfig($0, .word) & 3 != 3 } ?? true
    }

    private func configPlace(_ offset: UInt16, _ size: AccessSize) -> UInt64? {
        guard let config, UInt64(offset) + UInt64(size.rawValue) <= config.byteCount else { return nil }
        return config.fileOffset + UInt64(offset)
    }

    // MARK: Registers

    /// Maps the first stretch of a region that can be mapped; the rest is reached through the kernel.
    func map(_ layout: RegionLayout, _ mark: consuming CensusMark) throws(SystemError) -> BARMapping {
        let window = RegionWindow(device: handles.device.number, layout: layout, calls: calls)
        guard let area = layout.mappable.max(by: { $0.count < $1.count }),
            let start = UInt32(exactly: area.lowerBound), let byteCount = UInt32(exactly: area.count)
        else { throw SystemError("mmap", code: ENODEV) }
        let base = unsafe try calls.mapRegion(
            handles.device.number,
            at: layout.fileOffset + area.lowerBound,
            byteCount: Int(byteCount),
            writable: layout.isWritable
        )
        return unsafe BARMapping(
            base: base,
            byteCount: byteCount,
            start: start,
            window: window,
            presence: presence,
            function: self,
            calls: calls,
            mark: mark
        )
    }

    // MARK: Memory

    private static let hugePageBytes = 2 * 1024 * 1024

    /// SAFETY: the memory stays mapped in this process until `unmapDMA`.
    @unsafe func mapDMA(
        _ base: UnsafeMutableRawPointer,
        byteCount: Int,
        _ permissions: DMAPermissions
    ) throws(MappingFailure) -> UInt64 {
        // At the same place in a huge page on both sides, the IOMMU can use its own large pages.
        let alignment = byteCount >= Self.hugePageBytes ? Self.hugePageBytes : 4096
        let iova = memory.withLock {
            $0.addresses.take(byteCount: UInt64(byteCount), alignment: UInt64(alignment))
        }
        guard let iova else { throw .noRoom }
        do {
            unsafe try calls.map(
                container: handles.container.number,
                address: base,
                iova: iova,
                byteCount: byteCount,
                permissions
            )
        } catch {
            let reason = memory.withLock { books in
                books.addresses.giveBack(iova)
                return books.locked.explain(error, byteCount: byteCount, mappingsLeft: iommu.mappingsLeft)
            }
            throw reason.isLimit ? .limit(reason.text) : .failed(reason.text)
        }
        memory.withLock { $0.locked.mappedBytes += UInt64(byteCount) }
        return iova
    }

    // MARK: Interrupts

    func attachVector(_ index: Int, _ descriptor: Int32) throws(VectorFailure) {
        let failure = vectors.withLock { table -> VectorFailure? in
            do throws(VectorTable.Refusal) {
                let steps = try table.attach(index, descriptor)
                if let cause = perform(steps) {
                    _ = table.detach(index)
                    // What the others had may be gone by now: a step of several failed.
                    if steps.count > 1 { _ = perform(table.restoration()) }
                    return .failed(cause)
                }
                return nil
            } catch {
                switch error {
                case .outOfRange: return .outOfRange
                case .attached: return .attached
                }
            }
        }
        if let failure { throw failure }
    }

    /// Tells the kernel; the first refusal ends it.
    private func perform(_ steps: [VectorTable.Step]) -> SystemError? {
        for step in steps {
            do {
                switch step {
                case .set(let start, let descriptors):
                    try calls.setInterrupts(
                        handles.device.number,
                        kind: .msix,
                        start: start,
                        descriptors: descriptors
                    )
                case .disable: try calls.disableInterrupts(handles.device.number, kind: .msix)
                case .wake(let descriptor):
                    var one: UInt64 = 1
                    // SAFETY: the address and the size of a local. A full eventfd wakes as well.
                    _ = unsafe write(descriptor, &one, 8)
                }
            } catch {
                return error
            }
        }
        return nil
    }

    // MARK: Reset

    func reset() throws(SystemError) {
        // The kernel brings command register and vectors back (pci_restore_state), and meanwhile whoever touches a
        // register waits (vfio_pci_zap_and_down_write_memory_lock).
        try calls.reset(handles.device.number)
        presence.isAnswering = answersMemory
    }
}

extension OpenFunction: DMAUnmapper {
    func unmapDMA(iova: UInt64, byteCount: Int) {
        // The lease that calls this mapped it, once.
        try? calls.unmap(container: handles.container.number, iova: iova, byteCount: byteCount)
        memory.withLock { books in
            books.addresses.giveBack(iova)
            books.locked.mappedBytes -= min(books.locked.mappedBytes, UInt64(byteCount))
        }
    }
}

extension OpenFunction: VectorDetacher {
    func detachVector(_ index: Int) {
        vectors.withLock { table in
            // A kernel that refuses to take a vector away still has the eventfd; it signals nobody then.
            _ = perform(table.detach(index))
        }
    }
}
