// Addresses for a device's mappings: inside what the IOMMU translates, apart from each other, and not soon used again.

/// Hands out pieces of the IOMMU's address ranges.
///
/// Next fit: the search begins behind the last piece, so that an address which a driver or a device kept too long finds
/// nothing there instead of somebody else's memory. Behind every piece one page stays empty, for the same reason.
package struct IOVAAllocator: Sendable {
    private let ranges: [ClosedRange<UInt64>]
    private let pageBytes: UInt64
    /// What is out, in order, guard page included.
    private var taken: [ClosedRange<UInt64>] = []
    private var next: UInt64

    /// Below this nothing is handed out while there is room above: zero and small numbers are what a forgotten
    /// initialisation looks like, and addresses below 4 GiB look like those of memory.
    private static let preferredStart: UInt64 = 0x10_0000_0000

    package init(_ layout: IOMMULayout) {
        ranges = layout.ranges
        pageBytes = layout.pageBytes
        next = Self.preferredStart
    }

    /// The address of `byteCount` bytes, a multiple of `alignment` (a power of two); nil if there is no such room.
    package mutating func take(byteCount: UInt64, alignment: UInt64) -> UInt64? {
        guard byteCount > 0, alignment.nonzeroBitCount == 1 else { return nil }
        let (rounded, tooLong) = (byteCount - 1).addingReportingOverflow(pageBytes)
        guard !tooLong else { return nil }
        let (length, overflow) = (rounded / pageBytes * pageBytes).addingReportingOverflow(pageBytes)
        guard !overflow else { return nil }
        let step = max(alignment, pageBytes)
        guard
            let start = firstFit(from: next, length: length, step: step)
                ?? firstFit(from: 0, length: length, step: step)
        else { return nil }
        let piece = start...(start + (length - 1))
        let index = taken.firstIndex { $0.lowerBound > piece.lowerBound } ?? taken.endIndex
        taken.insert(piece, at: index)
        next = piece.upperBound &+ 1
        return start
    }

    /// The piece that begins at `iova` is free again.
    package mutating func giveBack(_ iova: UInt64) {
        taken.removeAll { $0.lowerBound == iova }
    }

    /// How many pieces are out.
    package var takenCount: Int { taken.count }

    private func firstFit(from bound: UInt64, length: UInt64, step: UInt64) -> UInt64? {
        for range in ranges where range.upperBound >= bound {
            var candidate = max(range.lowerBound, bound)
            // Address 0 is never handed out: it is what a register reads that nobody has set.
            if candidate == 0 { candidate = step }
            while let start = Self.roundUp(candidate, to: step) {
                let (end, overflow) = start.addingReportingOverflow(length - 1)
                guard !overflow, end <= range.upperBound else { break }
                guard let obstacle = taken.first(where: { $0.upperBound >= start && $0.lowerBound <= end }) else {
                    return start
                }
                guard obstacle.upperBound < .max else { break }
                candidate = obstacle.upperBound + 1
            }
        }
        return nil
    }

    private static func roundUp(_ value: UInt64, to step: UInt64) -> UInt64? {
        let (sum, overflow) = value.addingReportingOverflow(step - 1)
        return overflow ? nil : sum & ~(step - 1)
    }
}
