// A function's place, as Linux writes it: domain, bus, device, function.

/// `0000:01:00.0`, or `01:00.0` in domain 0.
public struct PCIAddress: Sendable, Hashable, CustomStringConvertible {
    public let domain: UInt32
    public let bus: UInt8
    public let device: UInt8
    public let function: UInt8

    /// nil: not an address.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3 else { return nil }
        let last = parts[parts.count - 1].split(separator: ".", omittingEmptySubsequences: false)
        guard last.count == 2,
            let domain = parts.count == 3 ? Self.number(parts[0], digits: 4...8) : 0,
            let bus = Self.number(parts[parts.count - 2], digits: 2...2),
            let device = Self.number(last[0], digits: 2...2), device < 32,
            let function = Self.number(last[1], digits: 1...1), function < 8
        else { return nil }
        self.domain = domain
        self.bus = UInt8(bus)
        self.device = UInt8(device)
        self.function = UInt8(function)
    }

    private static func number(_ text: Substring, digits: ClosedRange<Int>) -> UInt32? {
        // A sign is no digit, though the parser of the standard library takes one.
        guard digits.contains(text.utf8.count), text.allSatisfy(\.isHexDigit) else { return nil }
        return UInt32(text, radix: 16)
    }

    public var description: String {
        "\(Self.hex(domain, 4)):\(Self.hex(UInt32(bus), 2)):\(Self.hex(UInt32(device), 2)).\(function)"
    }

    private static func hex(_ value: UInt32, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
