// A frequency offset as Linux hands it to a driver. Source of truth: `adjfine` in linux/ptp_clock_kernel.h and
// `scaled_ppm_to_ppb` in drivers/ptp/ptp_clock.c.

/// A frequency offset from nominal, in parts per million with 16 binary places: 65536 is one part per million.
@frozen public struct ScaledPPM: Hashable, Sendable {
    public let rawValue: Int64

    @inlinable public init(rawValue: Int64) { self.rawValue = rawValue }

    /// The nearest to `partsPerBillion`.
    public init(partsPerBillion: Int32) {
        let scaled = Int64(partsPerBillion) << 16
        rawValue = (scaled + (scaled < 0 ? -500 : 500)) / 1000
    }

    /// The nearest number of parts per billion; nil for an offset so large that it is none.
    public var partsPerBillion: Int64? {
        // 1000 / 2^16 is 125 / 2^13; adding half a unit before the shift rounds.
        let (product, overflows) = rawValue.multipliedReportingOverflow(by: 125)
        let (rounded, overflowsToo) = product.addingReportingOverflow(1 << 12)
        return overflows || overflowsToo ? nil : rounded >> 13
    }
}
