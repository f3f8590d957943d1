// A server's memory in our address space: doorbells, parts of BARs. Only a file that cannot shrink is mapped: where pages
// could go from under us, a register access would end the process. What is not mapped is reached by message.

import CLinux
import Glibc
import Memory

/// A mapped part of a file. Its place in memory stays when the file is replaced: whoever has an address in it need not
/// know.
@safe final class ServerMemory: @unchecked Sendable {
    // SAFETY (Sendable): the address never changes; what is behind it is a device's.
    let base: UnsafeMutableRawPointer
    let byteCount: Int

    /// linux/fcntl.h: F_GET_SEALS, F_SEAL_SHRINK.
    private static let getSeals: Int32 = 1034
    private static let sealShrink: Int32 = 0x2

    /// Nil: the file may not be mapped, or cannot.
    init?(_ file: borrowing OwnedDescriptor, offset: UInt64, byteCount: UInt64) {
        guard let length = Int(exactly: byteCount), Self.holds(file, offset: offset, byteCount: byteCount) else {
            return nil
        }
        let address = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, file.raw, off_t(offset))
        guard let address = unsafe address, unsafe address != MAP_FAILED else { return nil }
        unsafe base = address
        self.byteCount = length
    }

    deinit { unsafe munmap(base, byteCount) }

    /// Puts another file's bytes in the same place; whether that was possible. If not, the old ones stay.
    func replace(_ file: borrowing OwnedDescriptor, offset: UInt64) -> Bool {
        guard Self.holds(file, offset: offset, byteCount: UInt64(byteCount)) else { return false }
        // SAFETY: the range is ours from init to deinit, and stays mapped throughout.
        let address = unsafe mmap(
            base,
            byteCount,
            PROT_READ | PROT_WRITE,
            MAP_SHARED | MAP_FIXED,
            file.raw,
            off_t(offset)
        )
        return unsafe address == base
    }

    /// Whether the file has these bytes and will keep them: the seal first, for after it the size stays.
    private static func holds(_ file: borrowing OwnedDescriptor, offset: UInt64, byteCount: UInt64) -> Bool {
        let seals = fcntl(file.raw, getSeals)
        guard seals >= 0, seals & sealShrink != 0, byteCount > 0, offset % ClientLink.pageBytes == 0 else {
            return false
        }
        guard let size = size(of: file) else { return false }
        return offset <= size && byteCount <= size - offset
    }

    /// The size of a file.
    static func size(of file: borrowing OwnedDescriptor) -> UInt64? {
        var status = stat()
        // SAFETY: the address of a local.
        guard unsafe fstat(file.raw, &status) == 0 else { return nil }
        return UInt64(exactly: status.st_size)
    }
}

/// The parts of a BAR that are memory.
final class MappedAreas: Sendable {
    private let parts: [(range: Range<UInt64>, file: ServerMemory)]

    /// Those of the areas that could be mapped; nil if none.
    init?(_ region: RegionDescription, _ file: borrowing OwnedDescriptor) {
        var parts: [(range: Range<UInt64>, file: ServerMemory)] = []
        for area in region.areas {
            let (offset, overflow) = region.fileOffset.addingReportingOverflow(area.lowerBound)
            guard !overflow, let part = ServerMemory(file, offset: offset, byteCount: UInt64(area.count)) else {
                continue
            }
            parts.append((area, part))
        }
        guard !parts.isEmpty else { return nil }
        self.parts = parts
    }

    /// Puts another server's memory in the same places; whether it has all of it.
    func replace(_ region: RegionDescription, _ file: borrowing OwnedDescriptor) -> Bool {
        for part in parts {
            guard region.areas.contains(part.range) else { return false }
            let (offset, overflow) = region.fileOffset.addingReportingOverflow(part.range.lowerBound)
            guard !overflow, part.file.replace(file, offset: offset) else { return false }
        }
        return true
    }

    /// The address of the aligned word at `offset` of the BAR; nil: it is not mapped.
    ///
    /// SAFETY: good as long as this object.
    @unsafe func address(_ offset: UInt32) -> UnsafeMutableRawPointer? {
        guard offset % 4 == 0 else { return nil }
        for part in parts where part.range.contains(UInt64(offset)) && UInt64(offset) + 4 <= part.range.upperBound {
            return unsafe part.file.base + Int(UInt64(offset) - part.range.lowerBound)
        }
        return nil
    }
}
