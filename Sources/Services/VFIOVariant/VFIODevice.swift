// What a variant driver gives: a PCI function as whoever borrows it sees it, a VM or a program. Source of truth: Linux's
// struct vfio_device_ops (include/linux/vfio.h) and the user API of linux/vfio.h.
//
//   closed ─ open ─► open ─ close ─► closed
//   Forbidden: every other call while it is closed.

import Backing
import Interrupts
import Memory
import PCIe

/// A function that is lent through VFIO's calls. Regions 0 to 5 are its BARs, 6 its ROM, 7 its configuration space.
///
/// All calls may come from any thread, and say anything; the answer to a wrong one is an error, never a trap.
public protocol VFIODevice: AnyObject, Sendable {
    /// How errors and logs name the function.
    var name: String { get }
    var identity: PCIeIdentity { get }
    /// Of the MSI-X table.
    var vectorCount: Int { get }
    /// Whether `reset` can work; known once the function is open.
    var canReset: Bool { get }

    /// Makes the function ready for one user. What an earlier one left behind in it is gone.
    func open() throws(VFIOError)
    /// Ends that: what was taken since `open` is given back, and the function does nothing more.
    func close()

    /// What region `index` is. Throws `EINVAL` for one that no PCI function has; a BAR that this one does not have is
    /// a region of no bytes.
    func region(_ index: Int) throws(VFIOError) -> VFIORegion
    /// Reads from a region. Bytes read: fewer than asked for at a region's end.
    func read(region: Int, at offset: UInt64, into bytes: inout MutableRawSpan) throws(VFIOError) -> Int
    /// Writes to a region. Bytes written: fewer than given at a region's end.
    func write(region: Int, at offset: UInt64, from bytes: RawSpan) throws(VFIOError) -> Int
    /// Lends the memory behind `range` of a region, whole pages.
    func map(region: Int, _ range: Range<UInt64>) throws(VFIOError) -> RegionMapping

    /// Lends vector `index`, alone and at any time.
    func attachVector(_ index: Int, cpu: Int?) throws(VFIOError) -> InterruptLease
    func reset() throws(VFIOError)
    /// VFIO_DEVICE_FEATURE: `flags` as the caller gave them, the answer's bytes behind its header.
    func feature(_ flags: UInt32, _ argument: [UInt8]) throws(VFIOError) -> [UInt8]
}

extension VFIODevice {
    public var canReset: Bool { true }
}
