// A real PCI function, lent by Linux's VFIO to this process: container and group, /dev/vfio.
//
// Source: Documentation/driver-api/vfio.rst; drivers/vfio/{group,container,vfio_iommu_type1}.c and
// drivers/vfio/pci/vfio_pci_{core,config,intrs}.c of Linux 6.12.
//
// Nothing is bound or unbound here: the function must belong to vfio-pci already, or the error says what to do.

import Backing
import Glibc
import Interrupts
import Leases
import Memory
import PCIe
import Registers
import Synchronization

/// A function of this machine as a `PCIeBacking`. Its group is open as long as it, or anything that it lent, lives; when
/// the last of that has ended, the kernel resets the function.
///
/// A store is posted, as on all of PCIe: a load from the same function has it arrive.
public final class LinuxVFIO: PCIeBacking, Sendable {
    public let name: String
    public let address: PCIAddress
    public let identity: PCIeIdentity
    public let vectorCount: Int
    public let canAddVectors: Bool
    public let census: Census
    private let function: OpenFunction
    private let files: HostFiles
    /// The CPUs that were asked for, by vector.
    private let hints = Mutex<[Int: Int]>([:])

    /// Opens the function at `address`.
    ///
    /// - Throws: what stands in the way, and what to do about it.
    public convenience init(_ address: PCIAddress, census: Census) throws(VFIOObstacle) {
        try self.init(address, files: HostFiles(), calls: KernelVFIO(), census: census)
    }

    package init(
        _ address: PCIAddress,
        files: HostFiles,
        calls: any VFIOCalls,
        census: Census
    ) throws(VFIOObstacle) {
        let function = OpenFunction(try FunctionOpening.open(address, files, calls, census), calls)
        let config = try function.region(VFIORegion.config)
        let interrupts = try function.interruptInfo(.msix)
        function.setUp(config: config, vectors: VectorTable(interrupts))
        self.function = function
        self.files = files
        self.address = address
        self.name = "\(address)"
        self.census = census
        self.vectorCount = interrupts.count
        self.canAddVectors = !interrupts.isFixedOnceEnabled
        self.identity = function.readIdentity()
    }

    // MARK: Configuration space

    public func readConfig(_ offset: UInt16, _ size: AccessSize) throws(DeviceError) -> UInt32 {
        try checkConfigAccess("read config space", size)
        return function.readConfig(offset, size)
    }

    public func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) throws(DeviceError) {
        try checkConfigAccess("write config space", size)
        function.writeConfig(offset, size, value)
    }

    // MARK: Registers

    public func mapBAR(_ index: Int) throws(DeviceError) -> LinuxVFIOBAR {
        guard VFIORegion.bars.contains(index) else {
            throw error(.invalidArgument, "map BAR", "no BAR \(index)")
        }
        let layout: RegionLayout
        do {
            layout = try function.region(UInt32(index))
        } catch {
            throw self.error(.system, "map BAR \(index)", error.what)
        }
        guard layout.byteCount > 0 else { throw error(.invalidArgument, "map BAR", "no BAR \(index)") }
        do {
            return LinuxVFIOBAR(mapping: try function.map(layout, census.mark("mapped BAR")))
        } catch {
            throw self.error(.system, "map BAR \(index)", "\(error)")
        }
    }

    // MARK: Memory

    /// New zeroed memory that the device may reach, of huge pages where it fills one and the machine has some to give.
    public func allocateDMA(
        byteCount: Int,
        _ permissions: DMAPermissions,
        purpose: String
    ) throws(DeviceError) -> DMABuffer {
        let memory: SharedMemory
        do {
            memory = try SharedMemory(byteCount: byteCount, name: "doorbell-\(purpose)", prefersHugePages: true)
        } catch {
            throw self.error(.system, "allocate DMA memory for \(purpose)", "\(error)")
        }
        let mapping = try mapDMA(memory, permissions)
        return DMABuffer(memory: memory, mapping: mapping)
    }

    public func mapDMA(
        _ memory: borrowing SharedMemory,
        _ permissions: DMAPermissions
    ) throws(DeviceError) -> DMAMapping {
        let byteCount = memory.byteCount
        do {
            // SAFETY: by this method's contract the caller keeps the memory mapped until the lease has ended.
            let iova = unsafe try function.mapDMA(memory.base, byteCount: byteCount, permissions)
            return DMAMapping(iova: iova, byteCount: byteCount, unmapper: function, mark: census.mark("DMA mapping"))
        } catch {
            switch error {
            case .noRoom:
                throw self.error(
                    .noResource,
                    "map DMA",
                    "no \(byteCount) bytes of addresses are left that the IOMMU translates"
                )
            case .limit(let text): throw self.error(.hostLimit, "map DMA", text)
            case .failed(let text): throw self.error(.system, "map DMA", text)
            }
        }
    }

    // MARK: Interrupts

    public func attachVector(_ index: Int, cpu: Int?) throws(DeviceError) -> InterruptLease {
        let cell = InterruptCell.signalledFromOutside()
        do {
            try function.attachVector(index, cell.eventDescriptor)
        } catch {
            switch error {
            case .outOfRange:
                throw self.error(.invalidArgument, "attach vector", "vector \(index) of \(vectorCount)")
            case .attached: throw self.error(.noResource, "attach vector", "vector \(index) is attached")
            case .failed(let cause) where cause.code == ENOSPC:
                throw self.error(.noResource, "attach vector", "vector \(index): \(cause)")
            case .failed(let cause): throw self.error(.system, "attach vector", "vector \(index): \(cause)")
            }
        }
        place(index, on: cpu)
        return InterruptLease(index: index, cell: cell, detacher: function, mark: census.mark("interrupt vector"))
    }

    private func place(_ index: Int, on cpu: Int?) {
        let hints = hints.withLock { hints in
            hints[index] = cpu
            return hints
        }
        // Where vectors cannot be added, the others were made anew with this one, and lost their places. A vector that was
        // given back meanwhile is not found.
        for (vector, cpu) in hints where canAddVectors ? vector == index : true {
            files.place(vector: vector, of: address, on: cpu)
        }
    }

    // MARK: Reset

    public func reset() throws(DeviceError) {
        guard function.canReset else {
            throw error(.refused, "reset", "the function has no reset of its own (no FLR, no power management reset)")
        }
        guard function.isPresent else { throw error(.deviceGone, "reset", "its config space reads all ones") }
        do {
            try function.reset()
        } catch {
            throw self.error(.system, "reset", "\(error)")
        }
    }

    private func error(_ code: DeviceError.Code, _ operation: String, _ detail: String) -> DeviceError {
        DeviceError(code, device: name, operation: operation, detail)
    }
}
