// Device-visible memory that is one piece to the device and several to this process: behind an IOMMU a ring of many pages
// has neighbouring addresses and scattered pages. A device reads every descriptor by its own address; a model that walks
// the ring as an array needs the pages side by side.

import CLinux

/// The pages of a range, mapped a second time, in the device's order. Its end takes that mapping away.
@safe public struct JoinedMemory: ~Copyable {
    // SAFETY: `mapping` is ours from `init` to `deinit`; the pages are shared with whoever else has them mapped.
    private let mapping: UnsafeMutableRawPointer
    private let mappedBytes: Int
    private let offset: Int

    private static let pageBytes = 4096
    /// What a device's ring may have: 65536 descriptors of 16 bytes.
    private static let mostBytes = 1 << 20

    /// Joins what lies in more than one window; nil where one is enough, where the device may not go, and where the pages
    /// cannot be mapped again: private memory, pieces of pages.
    public init?(_ space: IOVASpace, iova: UInt64, length: Int, _ access: DMAPermissions) {
        guard length <= Self.mostBytes else { return nil }
        let windows = unsafe space.windows(over: iova, length: length, access)
        guard unsafe windows.count > 1 else { return nil }
        let pageMask = UInt64(Self.pageBytes - 1)
        let first = iova & ~pageMask
        let end = (iova + UInt64(length - 1)) | pageMask
        var pieces: [clinux_piece] = unsafe []
        for index in unsafe windows.indices {
            let window = unsafe windows[index]
            let start = unsafe max(window.iova, first)
            let last = unsafe min(window.iova + (window.byteCount - 1), end)
            guard let base = unsafe window.address(start, length: 0, []), start & pageMask == 0,
                last & pageMask == pageMask, Int(bitPattern: base) % Self.pageBytes == 0
            else { return nil }
            unsafe pieces.append(clinux_piece(start: base, size: UInt(last - start + 1)))
        }
        var error: Int32 = 0
        guard let mapping = unsafe clinux_join_guarded(pieces, Int32(pieces.count), &error) else { return nil }
        unsafe self.mapping = mapping
        mappedBytes = Int(end - first + 1)
        offset = Int(iova - first)
    }

    deinit { unsafe clinux_unmap_guarded(mapping, UInt(mappedBytes)) }

    /// Where the range begins.
    ///
    /// SAFETY: good as long as this value, and as long as the windows are: the device must let go when they change.
    @unsafe public var base: UnsafeMutableRawPointer { unsafe mapping + offset }
}
