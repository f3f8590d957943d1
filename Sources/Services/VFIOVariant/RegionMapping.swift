// A stretch of a region in the caller's address space.

import Glibc
import Leases
import Memory

/// A mapped stretch of a region. Its end unmaps it.
@safe public struct RegionMapping: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): address and size never change; what is in the memory is the borrower's business.
    public let base: UnsafeMutableRawPointer
    public let byteCount: Int
    /// What was asked for. Memory of a file is cached, whatever was asked.
    public let caching: MemoryCaching
    private let mark: CensusMark?

    /// Takes over a mapping.
    ///
    /// SAFETY: `base` is what mmap gave for `byteCount` bytes, and nobody else unmaps it.
    @unsafe public init(
        owning base: UnsafeMutableRawPointer,
        byteCount: Int,
        caching: MemoryCaching,
        mark: consuming CensusMark?
    ) {
        unsafe self.base = base
        self.byteCount = byteCount
        self.caching = caching
        self.mark = mark
    }

    deinit { unsafe munmap(base, byteCount) }
}
