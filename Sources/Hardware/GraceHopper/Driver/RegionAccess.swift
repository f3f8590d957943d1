// What an access to a part's region comes to, before a byte is moved. Source of truth: nvgrace_gpu_read_mem and
// nvgrace_gpu_write_mem, nvgrace_gpu_mmap (nvgrace-gpu/main.c).

import Glibc
import VFIOVariant

/// A read or write of a region whose memory ends before its BAR does.
///
///     0                    memory               BAR
///     |──── is memory ────|─ ones, dropped ─|   beyond: the access is cut short, or an error
package struct RegionAccess: Equatable {
    /// Bytes of memory, at the access's offset.
    package let memoryByteCount: Int
    /// Bytes behind them that have no memory: they read as ones, and what is written there is dropped.
    package let emptyByteCount: Int

    /// What the caller is told.
    package var byteCount: Int { memoryByteCount + emptyByteCount }

    /// - Throws: `EINVAL` for an access, even of no bytes, that begins at the BAR's end or beyond.
    package init(offset: UInt64, count: Int, memory: UInt64, bar: UInt64) throws(VFIOError) {
        guard count >= 0 else { throw VFIOError(EINVAL, "\(count) bytes, expected none or more") }
        guard offset < bar else {
            throw VFIOError(EINVAL, "offset \(hex(offset)) of a region of \(hex(bar)) bytes")
        }
        let inside = min(UInt64(count), bar - offset)
        let present = offset < memory ? min(inside, memory - offset) : 0
        memoryByteCount = Int(present)
        emptyByteCount = Int(inside - present)
    }
}

/// A request to map a stretch of a region: whole pages, all of them memory.
package struct MappingRequest: Equatable {
    package let offset: UInt64
    package let byteCount: Int

    /// - Throws: `EOVERFLOW` where the end is beyond 64 bits; `EINVAL` for no bytes, for parts of pages, and for what is not
    ///   all memory, even inside the BAR.
    package init(offset: UInt64, byteCount: UInt64, memory: UInt64) throws(VFIOError) {
        let (end, wraps) = offset.addingReportingOverflow(byteCount)
        guard !wraps else {
            throw VFIOError(EOVERFLOW, "\(hex(byteCount)) bytes at \(hex(offset)), expected an end below 2^64")
        }
        guard byteCount > 0, offset % MemorySplit.pageByteCount == 0, byteCount % MemorySplit.pageByteCount == 0 else {
            throw VFIOError(EINVAL, "a mapping of \(hex(byteCount)) bytes at \(hex(offset)), expected whole pages")
        }
        guard end <= memory, let count = Int(exactly: byteCount) else {
            throw VFIOError(EINVAL, "a mapping up to \(hex(end)), expected no more than the memory's \(hex(memory))")
        }
        self.offset = offset
        self.byteCount = count
    }
}
