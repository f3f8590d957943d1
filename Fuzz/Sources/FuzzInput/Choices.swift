// The fuzzer's input, read as a series of decisions. An input that has ended decides for the first of everything.

public struct Choices {
    private let bytes: [UInt8]
    private var place = 0

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public var isAtEnd: Bool { place >= bytes.count }

    public mutating func byte() -> UInt8 {
        guard !isAtEnd else { return 0 }
        defer { place += 1 }
        return bytes[place]
    }

    /// A number below `bound`, of one byte.
    public mutating func below(_ bound: Int) -> Int { Int(byte()) % bound }

    public mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    public mutating func word() -> UInt32 { (0..<4).reduce(0) { value, _ in value << 8 | UInt32(byte()) } }

    public mutating func longWord() -> UInt64 { UInt64(word()) << 32 | UInt64(word()) }

    /// Up to `most` bytes.
    public mutating func data(_ most: Int) -> [UInt8] { (0..<below(most + 1)).map { _ in byte() } }

    /// An address or a size: mostly one that means something.
    public mutating func range(_ meaningful: [UInt64]) -> UInt64 {
        switch below(8) {
        case 0: longWord()
        case 1: pick([0, 1, .max, .max - 4095, 1 << 63, 1 << 32, 0xFFFF_F000])
        default: pick(meaningful)
        }
    }
}
