/// The widths that a register access on PCIe can have here. 64-bit accesses exist for BARs only.
public enum AccessSize: Int, Sendable, CaseIterable {
    case byte = 1
    case word = 2
    case doubleWord = 4
    case quadWord = 8

    /// All ones of this width: what a read of an absent device returns.
    public var allOnes: UInt64 { self == .quadWord ? ~0 : (1 << UInt64(rawValue * 8)) - 1 }
}
