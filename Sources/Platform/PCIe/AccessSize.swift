/// The widths that a register access on PCIe can have here. 64-bit accesses exist for BARs only.
public enum AccessSize: Int, Sendable, CaseIterable {
    case byte = 1
    case word = 2
    case doubleWord = 4
    case quadWord = 8

    /// The widest access that is aligned at `offset` and not longer than `remaining`, which is at least 1.
    public static func largest(at offset: UInt64, remaining: Int) -> AccessSize {
        let alignment = offset == 0 ? 8 : min(8, 1 << offset.trailingZeroBitCount)
        if alignment >= 8, remaining >= 8 { return .quadWord }
        if alignment >= 4, remaining >= 4 { return .doubleWord }
        return alignment >= 2 && remaining >= 2 ? .word : .byte
    }

    /// Whether an access of this width at `offset` is one transaction.
    public func isAligned(_ offset: UInt64) -> Bool { offset & UInt64(rawValue - 1) == 0 }

    /// All ones of this width: what a read of an absent device returns.
    public var allOnes: UInt64 { self == .quadWord ? ~0 : (1 << UInt64(rawValue * 8)) - 1 }
}
