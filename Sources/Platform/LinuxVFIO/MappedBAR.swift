// A BAR as memory of this process: every access is one load or store of 32 bits, never two, never none.

import CLinux
import Leases
import Memory
import PCIe
import Registers
import Synchronization

/// Whether the function answers memory accesses. Shared by the backing and the views of its BARs.
///
/// VFIO takes mappings away while memory space is off or the function sleeps, and whoever touches them gets SIGBUS
/// (vfio_pci_mmap_fault); a view then answers as PCIe does: all ones.
final class FunctionPresence: Sendable {
    private let answers = Atomic<Bool>(true)

    var isAnswering: Bool {
        get { answers.load(ordering: .relaxed) }
        set { answers.store(newValue, ordering: .sequentiallyConsistent) }
    }
}

/// The memory of one BAR. The last view of it unmaps it.
@safe final class BARMapping: @unchecked Sendable {
    // SAFETY (Sendable): all is immutable; the registers behind `base` may be accessed from any thread.
    // SAFETY (accesses): `base` holds `byteCount` bytes until `deinit`, and `load` and `store` check.
    let base: UnsafeMutableRawPointer
    let byteCount: UInt32
    /// Where the mapping begins in the BAR.
    let start: UInt32
    let presence: FunctionPresence
    /// The way to what is not mapped: through the kernel.
    let window: RegionWindow
    private let calls: any VFIOCalls
    /// The function stays open as long as anything of it is mapped.
    private let function: AnyObject
    private let mark: CensusMark

    /// SAFETY: `base` comes from `calls.mapRegion`; this object unmaps it.
    @unsafe init(
        base: UnsafeMutableRawPointer,
        byteCount: UInt32,
        start: UInt32,
        window: RegionWindow,
        presence: FunctionPresence,
        function: AnyObject,
        calls: any VFIOCalls,
        mark: consuming CensusMark
    ) {
        unsafe self.base = base
        self.byteCount = byteCount
        self.start = start
        self.window = window
        self.presence = presence
        self.function = function
        self.calls = calls
        self.mark = mark
    }

    deinit { unsafe calls.unmapRegion(base, byteCount: Int(byteCount)) }
}

/// A region by way of the device's descriptor, one system call per access.
struct RegionWindow: Sendable {
    let device: Int32
    let layout: RegionLayout
    let calls: any VFIOCalls

    func load(_ offset: UInt32) -> UInt32 {
        guard layout.isReadable, offset % 4 == 0, UInt64(offset) + 4 <= layout.byteCount else { return ~0 }
        // A function that is gone answers with an error here, and with all ones on PCIe.
        let value = try? calls.read(device, at: layout.fileOffset + UInt64(offset), byteCount: 4)
        return value.map { UInt32(truncatingIfNeeded: $0) } ?? ~0
    }

    func load(_ offset: UInt64, _ size: AccessSize) -> UInt64 {
        guard layout.isReadable, isInside(offset, size) else { return size.allOnes }
        return (try? calls.read(device, at: layout.fileOffset + offset, byteCount: size.rawValue)) ?? size.allOnes
    }

    func store(_ offset: UInt64, _ size: AccessSize, _ value: UInt64) {
        guard layout.isWritable, isInside(offset, size) else { return }
        try? calls.write(device, at: layout.fileOffset + offset, byteCount: size.rawValue, value)
    }

    private func isInside(_ offset: UInt64, _ size: AccessSize) -> Bool {
        layout.byteCount >= UInt64(size.rawValue) && offset <= layout.byteCount - UInt64(size.rawValue)
    }

    func store(_ offset: UInt32, _ value: UInt32) {
        guard layout.isWritable, offset % 4 == 0, UInt64(offset) + 4 <= layout.byteCount else { return }
        try? calls.write(device, at: layout.fileOffset + UInt64(offset), byteCount: 4, UInt64(value))
    }

    func storeWide(_ offset: UInt32, _ value: UInt64) {
        guard layout.isWritable, offset % 8 == 0, UInt64(offset) + 8 <= layout.byteCount else { return }
        try? calls.write(device, at: layout.fileOffset + UInt64(offset), byteCount: 8, value)
    }
}

/// A view of a BAR of a function that Linux's VFIO has lent. Accesses outside the BAR, or at odd addresses, read all ones
/// and write nothing.
public struct LinuxVFIOBAR: RegisterAccess, Sendable {
    let mapping: BARMapping

    public func load(_ offset: UInt32) -> UInt32 {
        let place = offset &- mapping.start
        guard place < mapping.byteCount, place & 3 == 0 else { return mapping.window.load(offset) }
        guard mapping.presence.isAnswering else { return ~0 }
        // SAFETY: inside the mapping, which the view keeps; a mapping is a multiple of 4 bytes long.
        return unsafe clinux_load_register(mapping.base + Int(place))
    }

    public func store(_ offset: UInt32, _ value: UInt32) {
        let place = offset &- mapping.start
        guard place < mapping.byteCount, place & 3 == 0 else { return mapping.window.store(offset, value) }
        guard mapping.presence.isAnswering else { return }
        // SAFETY: as above.
        unsafe clinux_store_register(mapping.base + Int(place), value)
    }

    public func storeWide(_ offset: UInt32, _ value: UInt64) {
        let place = offset &- mapping.start
        guard place < mapping.byteCount, offset & 7 == 0 else { return mapping.window.storeWide(offset, value) }
        guard mapping.presence.isAnswering else { return }
        // SAFETY: as above; a mapping begins and ends at a page.
        unsafe clinux_store_wide_register(mapping.base + Int(place), value)
    }

    public func load(_ offset: UInt64, byteCount: Int) -> UInt64 {
        guard let size = AccessSize(rawValue: byteCount), size.isAligned(offset) else { return ~0 }
        let place = offset &- UInt64(mapping.start)
        guard place < UInt64(mapping.byteCount) else { return mapping.window.load(offset, size) }
        guard mapping.presence.isAnswering else { return size.allOnes }
        // SAFETY: as above.
        return unsafe clinux_load_sized_register(mapping.base + Int(place), Int32(byteCount))
    }

    public func store(_ offset: UInt64, byteCount: Int, _ value: UInt64) {
        guard let size = AccessSize(rawValue: byteCount), size.isAligned(offset) else { return }
        let place = offset &- UInt64(mapping.start)
        guard place < UInt64(mapping.byteCount) else { return mapping.window.store(offset, size, value) }
        guard mapping.presence.isAnswering else { return }
        // SAFETY: as above.
        unsafe clinux_store_sized_register(mapping.base + Int(place), value, Int32(byteCount))
    }

    /// A tail is stored to like any register: a doorbell's store and look is a locked exchange on x86, which no device
    /// register needs.
    public func doorbell(at offset: UInt32) -> DoorbellRegister? { nil }
}
