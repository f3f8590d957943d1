// Answers of the kernel as it lays them out (linux/vfio.h), for tests: little-endian words, capabilities behind.

/// Little-endian words in a row.
struct KernelBytes {
    private(set) var bytes: [UInt8] = []

    mutating func word(_ value: UInt32) {
        for index in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }
    mutating func quadWord(_ value: UInt64) {
        word(UInt32(truncatingIfNeeded: value))
        word(UInt32(truncatingIfNeeded: value >> 32))
    }
    /// struct vfio_info_cap_header.
    mutating func capability(_ id: UInt16, next: UInt32) {
        word(UInt32(id) | 1 << 16)
        word(next)
    }
}

/// struct vfio_region_info; `sparse` areas make a capability.
func regionInfoBytes(
    flags: UInt32,
    byteCount: UInt64,
    fileOffset: UInt64,
    sparse: [(offset: UInt64, byteCount: UInt64)]? = nil
) -> [UInt8] {
    var answer = KernelBytes()
    let areas = sparse ?? []
    answer.word(sparse == nil ? 32 : UInt32(48 + 16 * areas.count))
    answer.word(sparse == nil ? flags : flags | 8)
    answer.word(0)
    answer.word(sparse == nil ? 0 : 32)
    answer.quadWord(byteCount)
    answer.quadWord(fileOffset)
    guard sparse != nil else { return answer.bytes }
    answer.capability(1, next: 0)
    answer.word(UInt32(areas.count))
    answer.word(0)
    for area in areas {
        answer.quadWord(area.offset)
        answer.quadWord(area.byteCount)
    }
    return answer.bytes
}

/// struct vfio_iommu_type1_info with the ranges and the number of mappings left, as Linux 6.12 gives it.
func iommuInfoBytes(_ ranges: [ClosedRange<UInt64>], pageSizes: UInt64 = 0x4020_1000, mappingsLeft: UInt32 = 65535)
    -> [UInt8]
{
    var answer = KernelBytes()
    let available = UInt32(24 + 16 + 16 * ranges.count)
    answer.word(available + 12)
    answer.word(3)
    answer.quadWord(pageSizes)
    answer.word(24)
    answer.word(0)
    answer.capability(1, next: available)
    answer.word(UInt32(ranges.count))
    answer.word(0)
    for range in ranges {
        answer.quadWord(range.lowerBound)
        answer.quadWord(range.upperBound)
    }
    answer.capability(3, next: 0)
    answer.word(mappingsLeft)
    return answer.bytes
}
