// Memory that firmware names by its physical address: a device's own, behind a coherent link, that no BAR shows.

import Glibc

/// A stretch of the machine's physical addresses, and the file that holds what is there.
public final class PhysicalMemory: Sendable {
    /// Of the first byte.
    public let base: UInt64
    public let byteCount: UInt64
    private let memory: SharedMemory

    /// - Parameters:
    ///   - base: where the memory is, by the machine's addresses.
    ///   - byteCount: of the memory as firmware tells it; the file behind it is of whole pages.
    public init(base: UInt64, byteCount: UInt64, name: String) throws(SystemError) {
        guard byteCount > 0, let count = Int(exactly: byteCount), !base.addingReportingOverflow(byteCount).overflow
        else {
            throw SystemError("place of physical memory", code: EINVAL)
        }
        self.base = base
        self.byteCount = byteCount
        memory = try SharedMemory(byteCount: count, name: name)
    }

    public var fileDescriptor: Int32 { memory.fileDescriptor }

    /// Where the byte at `address` is in the file; nil: not all of `byteCount` bytes from there are this memory.
    public func fileOffset(of address: UInt64, byteCount: UInt64) -> UInt64? {
        guard address >= base, address - base <= self.byteCount, byteCount <= self.byteCount - (address - base) else {
            return nil
        }
        return address - base
    }

    /// The memory itself, for the device, and for a driver that has mapped it.
    ///
    /// SAFETY: valid as long as this object; who shares the bytes is not looked after.
    @unsafe public var bytes: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: memory.base, count: Int(byteCount))
    }
}
