// The local caller's end: a device as its descriptor under Linux shows it, with the same calls, structures and errors.
// Source of truth: linux/vfio.h; drivers/vfio/vfio_main.c and drivers/vfio/pci/vfio_pci_core.c of Linux 6.12;
// fs/read_write.c and mm/mmap.c for what read(2), write(2) and mmap(2) check before a driver is asked.
//
// Vectors are leases (`attachVector`), not eventfds of the caller: VFIO_DEVICE_SET_IRQS answers ENOTTY.

import Glibc
import Interrupts
import Leases
import Synchronization

/// A device that is open for one program. Its end closes the device. Its calls may come from any thread.
///
/// Addresses of the caller need not be memory: what cannot be read or written is `EFAULT`.
public struct VFIOFile: ~Copyable, Sendable {
    public let device: any VFIODevice
    private let mark: CensusMark
    private let place = Atomic<Int64>(0)
    private let refused = Atomic<UInt64>(0)

    /// A region is at its number, shifted by this, in the file (VFIO_PCI_OFFSET_SHIFT).
    public static let regionShift: UInt64 = 40
    /// Linux's MAX_RW_COUNT: more is not read or written in one call.
    public static let mostBytes = 0x7FFF_F000
    private static let pageBytes: UInt64 = 4096
    /// Where bytes rest between device and caller. Small enough to stay in a CPU's cache.
    private static let stagingBytes = 1 << 16

    /// Opens the device. `EBUSY` if somebody has it open.
    public init(_ device: any VFIODevice, census: Census) throws(VFIOError) {
        try device.open()
        self.device = device
        mark = census.mark("VFIO device file")
    }

    deinit { device.close() }

    /// Calls that were answered with an error.
    public var refusedCalls: UInt64 { refused.load(ordering: .relaxed) }

    /// What `body` gives; errors are counted.
    func counted<Result: ~Copyable>(_ body: () throws(VFIOError) -> Result) throws(VFIOError) -> Result {
        do throws(VFIOError) {
            return try body()
        } catch {
            refused.add(1, ordering: .relaxed)
            throw error
        }
    }

    // MARK: read(2), write(2)

    /// Where `read` and `write` go on. As with lseek(2), a negative one is `EINVAL` when it is used.
    public var position: Int64 {
        get { place.load(ordering: .relaxed) }
        nonmutating set { place.store(newValue, ordering: .relaxed) }
    }

    /// Reads at `position`, and moves it by what was read. An error leaves it where it is.
    ///
    /// SAFETY: `buffer` may be anything; what is there and can be written is overwritten.
    @unsafe public func read(_ buffer: UnsafeMutableRawPointer, count: Int) throws(VFIOError) -> Int {
        let start = position
        let done = unsafe try pread(buffer, count: count, at: start)
        position = start + Int64(done)
        return done
    }

    /// Writes at `position`, and moves it by what was written. An error leaves it where it is.
    ///
    /// SAFETY: `buffer` may be anything.
    @unsafe public func write(_ buffer: UnsafeRawPointer, count: Int) throws(VFIOError) -> Int {
        let start = position
        let done = unsafe try pwrite(buffer, count: count, at: start)
        position = start + Int64(done)
        return done
    }

    /// Reads up to `count` bytes of the region that `position` is in; bytes read.
    ///
    /// SAFETY: as `read`.
    @unsafe public func pread(
        _ buffer: UnsafeMutableRawPointer,
        count: Int,
        at position: Int64
    ) throws(VFIOError) -> Int {
        try counted { () throws(VFIOError) in
            let range = try FileRange(position, count)
            return try transfer(range) { (done, offset, staging) throws(VFIOError) in
                let read = try device.read(region: range.region, at: offset, into: &staging)
                let bytes = staging.bytes.extracting(first: min(read, staging.byteCount))
                unsafe try CallerMemory.write(bytes, to: buffer + done)
                return read
            }
        }
    }

    /// Writes up to `count` bytes to the region that `position` is in; bytes written.
    ///
    /// SAFETY: as `write`.
    @unsafe public func pwrite(
        _ buffer: UnsafeRawPointer,
        count: Int,
        at position: Int64
    ) throws(VFIOError) -> Int {
        try counted { () throws(VFIOError) in
            let range = try FileRange(position, count)
            return try transfer(range) { (done, offset, staging) throws(VFIOError) in
                unsafe try CallerMemory.read(buffer + done, into: &staging)
                return try device.write(region: range.region, at: offset, from: staging.bytes)
            }
        }
    }

    /// Has `body` carry the range in pieces; bytes carried until one of them was cut short.
    private func transfer(
        _ range: FileRange,
        _ body: (Int, UInt64, inout MutableRawSpan) throws(VFIOError) -> Int
    ) throws(VFIOError) -> Int {
        let count = try most(range)
        var staging = [UInt8](repeating: 0, count: min(count, Self.stagingBytes))
        var done = 0
        repeat {
            let piece = min(count - done, staging.count)
            var span = staging.mutableSpan
            // SAFETY: UInt8 has no padding and no invalid bit pattern, so its spans may be seen as raw bytes.
            var whole = unsafe span.mutableBytes
            var bytes = whole._mutatingExtracting(first: piece)
            let carried = try body(done, range.offset + UInt64(done), &bytes)
            done += carried
            guard carried == piece else { break }
        } while done < count
        return done
    }

    /// How much of a range is asked of the device. What takes more than one piece ends with its region, so that no piece
    /// begins behind it; else it is the device that cuts it short, or refuses it.
    private func most(_ range: FileRange) throws(VFIOError) -> Int {
        guard range.count > Self.stagingBytes, range.region < VFIORegion.rom else { return range.count }
        let size = try device.region(range.region).byteCount
        guard range.offset < size else { return range.count }
        return Int(min(UInt64(range.count), size - range.offset))
    }

    // MARK: mmap(2)

    /// Maps `byteCount` bytes, rounded up to whole pages, of the region that `offset` is in. The mapping stays good when the
    /// file has ended.
    ///
    /// - Parameters:
    ///   - protection: PROT_*.
    ///   - flags: `MAP_SHARED`; anything else is `EINVAL`.
    public func map(
        byteCount: Int,
        at offset: Int64,
        protection: Int32 = PROT_READ | PROT_WRITE,
        flags: Int32 = MAP_SHARED
    ) throws(VFIOError) -> RegionMapping {
        try counted { () throws(VFIOError) -> RegionMapping in
            let (region, range) = try Self.pages(byteCount, offset, flags)
            let mapping = try device.map(region: region, range)
            guard protection != PROT_READ | PROT_WRITE else { return mapping }
            // SAFETY: the mapping is ours, whole, and nobody has its address yet.
            guard unsafe mprotect(mapping.base, mapping.byteCount, protection) == 0 else {
                throw VFIOError(errno, "protection \(protection) of a mapping")
            }
            return mapping
        }
    }

    private static func pages(
        _ byteCount: Int,
        _ offset: Int64,
        _ flags: Int32
    ) throws(VFIOError) -> (region: Int, Range<UInt64>) {
        guard byteCount > 0 else { throw VFIOError(EINVAL, "a mapping of \(byteCount) bytes") }
        let offset = UInt64(bitPattern: offset)
        guard offset % pageBytes == 0 else { throw VFIOError(EINVAL, "offset \(offset) is not that of a page") }
        let (rounded, tooLong) = UInt64(byteCount).addingReportingOverflow(pageBytes - 1)
        let length = rounded & ~(pageBytes - 1)
        guard !tooLong, length <= UInt64(Int.max) else { throw VFIOError(ENOMEM, "a mapping of \(byteCount) bytes") }
        guard !offset.addingReportingOverflow(length).overflow else {
            throw VFIOError(EOVERFLOW, "\(length) bytes at offset \(offset)")
        }
        guard flags == MAP_SHARED else {
            throw VFIOError(EINVAL, "flags 0x\(String(flags, radix: 16)) of a mapping, expected MAP_SHARED")
        }
        let start = offset & (1 << regionShift - 1)
        return (Int(offset >> regionShift), start..<start + length)
    }

    // MARK: Vectors

    /// Lends MSI-X vector `index`.
    public func attachVector(_ index: Int, cpu: Int? = nil) throws(VFIOError) -> InterruptLease {
        try counted { () throws(VFIOError) -> InterruptLease in try device.attachVector(index, cpu: cpu) }
    }
}

/// What a read or a write names, as rw_verify_area and vfio_pci_rw see it.
struct FileRange {
    let region: Int
    let offset: UInt64
    let count: Int

    init(_ position: Int64, _ count: Int) throws(VFIOError) {
        guard count >= 0 else { throw VFIOError(EINVAL, "\(count) bytes") }
        guard position >= 0, !position.addingReportingOverflow(Int64(count)).overflow else {
            throw VFIOError(EINVAL, "\(count) bytes at position \(position)")
        }
        let place = UInt64(position)
        region = Int(place >> VFIOFile.regionShift)
        offset = place & (1 << VFIOFile.regionShift - 1)
        self.count = min(count, VFIOFile.mostBytes)
    }
}
