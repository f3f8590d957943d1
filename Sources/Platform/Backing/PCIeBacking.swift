// The driver's side of a PCI function. Drivers are generic over it; the compiler specialises, so nothing is
// existential on the data path.

import Interrupts
import Memory
import PCIe
import Registers

/// A PCI function as a driver sees it.
///
/// What it gives out are leases: a mapping or a vector ends with its value. A backing's methods are called from the
/// device's control thread; the `RegisterAccess` views may be used from any thread of the driver.
public protocol PCIeBacking: VectorSource where VectorFailure == DeviceError {
    associatedtype BAR: RegisterAccess

    /// How errors and logs name the function, e.g. `in-process:i225`, `0000:03:00.0`.
    var name: String { get }
    var identity: PCIeIdentity { get }

    /// Reads configuration space: 1, 2 or 4 bytes.
    func readConfig(_ offset: UInt16, _ size: AccessSize) throws(DeviceError) -> UInt32
    /// Writes configuration space: 1, 2 or 4 bytes.
    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) throws(DeviceError)
    /// A view of a memory BAR, good as long as the backing.
    func mapBAR(_ index: Int) throws(DeviceError) -> BAR
    /// Lets the device reach memory that the caller keeps mapped until the lease has ended.
    func mapDMA(
        _ memory: borrowing SharedMemory,
        _ permissions: DMAPermissions
    ) throws(DeviceError) -> DMAMapping
    /// New zeroed memory that the device may reach, as one lease. A backing may have better memory than that of plain
    /// pages, which it gets by default.
    func allocateDMA(
        byteCount: Int,
        _ permissions: DMAPermissions,
        purpose: String
    ) throws(DeviceError) -> DMABuffer
    /// Resets the function (PCIe function level reset).
    func reset() throws(DeviceError)
}

extension PCIeBacking {
    /// Fails for a size that an access to configuration space does not have.
    package func checkConfigAccess(_ operation: String, _ size: AccessSize) throws(DeviceError) {
        guard size == .quadWord else { return }
        throw DeviceError(.invalidArgument, device: name, operation: operation, "8 bytes, expected 1, 2 or 4")
    }

    public func failure(_ reason: VectorShortage) -> DeviceError {
        let (code, detail): (DeviceError.Code, String) =
            switch reason {
            case .noSuchVector(let index, let count): (.invalidArgument, "vector \(index) of \(count)")
            case .taken(let index): (.noResource, "vector \(index) is on loan")
            case .allTaken(let count): (.noResource, "all \(count) vectors are on loan")
            case .noDescriptor(let index): (.hostLimit, "vector \(index) got no eventfd: raise the limit on open files")
            }
        return DeviceError(code, device: name, operation: "take vector", detail)
    }

    public func allocateDMA(
        byteCount: Int,
        _ permissions: DMAPermissions,
        purpose: String
    ) throws(DeviceError) -> DMABuffer {
        let memory: SharedMemory
        do {
            memory = try SharedMemory(byteCount: byteCount, name: "doorbell-\(purpose)")
        } catch {
            throw DeviceError(.system, device: name, operation: "allocate DMA memory for \(purpose)", "\(error)")
        }
        let mapping = try mapDMA(memory, permissions)
        return DMABuffer(memory: memory, mapping: mapping)
    }
}
