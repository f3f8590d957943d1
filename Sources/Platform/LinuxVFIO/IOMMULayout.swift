// What the IOMMU translates: page sizes and address ranges.
// Source: linux/vfio.h (struct vfio_iommu_type1_info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, …_DMA_AVAIL).

/// The answer of VFIO_IOMMU_GET_INFO.
package struct IOMMULayout: Sendable, Equatable {
    /// The granularity of mappings: the smallest page size, a power of two.
    package let pageBytes: UInt64
    /// What may be mapped, in order. Holes are the platform's: the window of MSI messages, reserved memory.
    package let ranges: [ClosedRange<UInt64>]
    /// Mappings that the container will still take; nil: it does not say (before Linux 5.10).
    package let mappingsLeft: UInt32?

    /// nil: no answer of the kernel looks so.
    package init?(_ answer: [UInt8]) {
        guard let flags = answer.word(at: 4), let sizes = answer.quadWord(at: 8) else { return nil }
        let hasPageSizes = flags & 1 != 0 && sizes != 0
        let smallest = hasPageSizes ? UInt64(1) << UInt64(sizes.trailingZeroBitCount) : 4096
        // Mappings are made of this process's pages, too.
        pageBytes = max(smallest, 4096)
        let capability = flags & 2 != 0 ? answer.word(at: 16) ?? 0 : 0
        let chain = CapabilityChain(answer, first: capability)
        mappingsLeft = chain.find(3).flatMap { answer.word(at: $0 + 8) }
        guard let place = chain.find(1) else {
            // Before Linux 5.4 nothing is said. 39 bits are what the narrowest IOMMU in use translates (VT-d, 3 levels).
            ranges = [0...(1 << 39) - 1]
            return
        }
        guard let count = answer.word(at: place + 8), Int(count) <= answer.count / 16 else { return nil }
        var ranges: [ClosedRange<UInt64>] = []
        for index in 0..<Int(count) {
            guard let start = answer.quadWord(at: place + 16 + index * 16),
                let end = answer.quadWord(at: place + 24 + index * 16), start <= end
            else { return nil }
            ranges.append(start...end)
        }
        ranges.sort { $0.lowerBound < $1.lowerBound }
        self.ranges = ranges
    }
}
