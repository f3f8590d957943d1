// Where a region of the device lies in its descriptor, and what of it can be mapped.
// Source: linux/vfio.h (struct vfio_region_info, VFIO_REGION_INFO_CAP_SPARSE_MMAP).

/// One region, as VFIO_DEVICE_GET_REGION_INFO describes it.
package struct RegionLayout: Sendable, Equatable {
    package let byteCount: UInt64
    /// Of the region in the device's descriptor.
    package let fileOffset: UInt64
    package let isReadable: Bool
    package let isWritable: Bool
    /// What can be mapped, as offsets in the region: all of it, parts, or nothing.
    package let mappable: [Range<UInt64>]

    /// nil: no answer of the kernel looks so.
    package init?(_ answer: [UInt8]) {
        guard let flags = answer.word(at: 4), let capability = answer.word(at: 12),
            let byteCount = answer.quadWord(at: 16), let fileOffset = answer.quadWord(at: 24),
            !fileOffset.addingReportingOverflow(byteCount).overflow
        else { return nil }
        self.byteCount = byteCount
        self.fileOffset = fileOffset
        isReadable = flags & 1 != 0
        isWritable = flags & 2 != 0
        guard flags & 4 != 0, byteCount > 0 else {
            mappable = []
            return
        }
        let sparseAreas: UInt16 = 1
        let chain = CapabilityChain(answer, first: flags & 8 != 0 ? capability : 0)
        guard let sparse = chain.find(sparseAreas) else {
            mappable = [0..<byteCount]
            return
        }
        guard let areas = Self.areas(answer, at: sparse, within: byteCount) else { return nil }
        mappable = areas
    }

    private static func areas(_ answer: [UInt8], at capability: Int, within byteCount: UInt64) -> [Range<UInt64>]? {
        guard let count = answer.word(at: capability + 8), Int(count) <= answer.count / 16 else { return nil }
        var areas: [Range<UInt64>] = []
        for index in 0..<Int(count) {
            guard let start = answer.quadWord(at: capability + 16 + index * 16),
                let length = answer.quadWord(at: capability + 24 + index * 16)
            else { return nil }
            let (end, overflow) = start.addingReportingOverflow(length)
            guard !overflow, end <= byteCount else { return nil }
            if length > 0 { areas.append(start..<end) }
        }
        return areas
    }
}
