// How the device's memory becomes regions. Source of truth: nvgrace_gpu_init_nvdev_struct (nvgrace-gpu/main.c of Linux
// 6.9, as first merged); what later kernels do differently is said at the line.
//
//   base                                    base + usable               base + byteCount
//   |───────────── usable, cached ─────────────|── reserved, not cached ──|
//   region 4                                   region 2

import Glibc
import VFIOVariant

/// A stretch of the device's memory that is lent as a region.
public struct MemoryPart: Sendable, Equatable {
    /// Physical address of its first byte.
    public let base: UInt64
    public let byteCount: UInt64
    /// Of the BAR that shows it: the power of two that it fits into.
    public let barByteCount: UInt64

    /// Physical addresses of the part.
    public var addresses: Range<UInt64> { base..<base + byteCount }
}

/// The parts of the device's memory.
public struct MemorySplit: Sendable, Equatable {
    /// What the guest may add to its own memory. Region 4.
    public let usable: MemoryPart
    /// What the guest's driver needs uncached, from the memory's end. Region 2; nil on parts that need none.
    public let reserved: MemoryPart?

    /// Least size of the reserved part.
    public static let reservedByteCount: UInt64 = 1 << 30
    /// The usable part is a multiple of this, which the GPU's firmware and the guest's driver count on.
    public static let blockByteCount: UInt64 = 512 << 20
    /// Base and size are multiples of it: nothing smaller can be mapped.
    public static let pageByteCount: UInt64 = 4096

    /// Splits `byteCount` bytes at `base`.
    ///
    /// - Throws: `EOVERFLOW` for a sum, difference or BAR size that 64 bits do not hold; `EINVAL` where nothing is left to
    ///   use, and for a base or size that is not of whole pages.
    public init(base: UInt64, byteCount: UInt64, needsReserve: Bool) throws(VFIOError) {
        let usableByteCount = try Self.usableByteCount(of: byteCount, needsReserve: needsReserve)
        guard usableByteCount > 0 else {
            throw VFIOError(
                EINVAL,
                "\(byteCount) bytes of memory, expected a block of 512 MiB beside the reserved part"
            )
        }
        guard base % Self.pageByteCount == 0, byteCount % Self.pageByteCount == 0 else {
            throw VFIOError(EINVAL, "memory of \(hex(byteCount)) bytes at \(hex(base)), expected whole pages of 4096")
        }
        guard !base.addingReportingOverflow(byteCount).overflow else {
            throw VFIOError(EOVERFLOW, "memory of \(hex(byteCount)) bytes at \(hex(base)), expected an end below 2^64")
        }
        usable = try MemoryPart(base: base, byteCount: usableByteCount)
        // What was rounded off is the reserved part's, so that it is up to a block larger than its least size.
        reserved =
            needsReserve
            ? try MemoryPart(base: base + usableByteCount, byteCount: byteCount - usableByteCount) : nil
    }

    /// The whole, or what is left of it in whole blocks beside the reserved part.
    private static func usableByteCount(of byteCount: UInt64, needsReserve: Bool) throws(VFIOError) -> UInt64 {
        guard needsReserve else { return byteCount }
        let (rest, underflows) = byteCount.subtractingReportingOverflow(reservedByteCount)
        guard !underflows else {
            throw VFIOError(EOVERFLOW, "\(byteCount) bytes of memory, expected 1 GiB to reserve and some to use")
        }
        return rest & ~(blockByteCount - 1)
    }
}

extension MemoryPart {
    /// The BAR's size is that of the memory it shows. Since Linux 6.12 that of region 4 is taken before the usable part is
    /// rounded down, and becomes twice as large as it must be where the difference crosses a power of two.
    fileprivate init(base: UInt64, byteCount: UInt64) throws(VFIOError) {
        guard byteCount <= 1 << 63 else {
            throw VFIOError(EOVERFLOW, "a BAR for \(hex(byteCount)) bytes, expected 2^63 or less")
        }
        self.base = base
        self.byteCount = byteCount
        let topBit: UInt64 = 1 << UInt64(63 - byteCount.leadingZeroBitCount)
        barByteCount = topBit == byteCount ? topBit : topBit << 1
    }
}

/// A number as errors show it.
func hex(_ value: some FixedWidthInteger & UnsignedInteger) -> String { "0x\(String(value, radix: 16))" }
