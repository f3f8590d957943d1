// Sizes of memory as people write and read them.

/// A number of bytes, written as `96G`, `97871M`, `4K`, `0x90000000` or plain. Units are powers of 1024.
public struct MemorySize: Sendable, Equatable, CustomStringConvertible {
    public var byteCount: UInt64

    private static let units: [(letter: Character, shift: UInt64)] = [("T", 40), ("G", 30), ("M", 20), ("K", 10)]

    public init(byteCount: UInt64) { self.byteCount = byteCount }

    /// nil: no size, or one that 64 bits do not hold.
    public init?(_ text: String) {
        let unit = Self.units.first { $0.letter == text.last }
        let digits = unit == nil ? Substring(text) : text.dropLast()
        let value = digits.hasPrefix("0x") ? UInt64(digits.dropFirst(2), radix: 16) : UInt64(digits)
        guard let value, digits.first != "+" else { return nil }
        let (byteCount, overflows) = value.multipliedReportingOverflow(by: 1 << (unit?.shift ?? 0))
        guard !overflows else { return nil }
        self.byteCount = byteCount
    }

    /// In the largest unit of which it is a multiple, e.g. `97280 MiB`.
    public var description: String {
        guard byteCount > 0, let unit = Self.units.first(where: { byteCount % (1 << $0.shift) == 0 }) else {
            return "\(byteCount) bytes"
        }
        return "\(byteCount >> unit.shift) \(unit.letter)iB"
    }
}
