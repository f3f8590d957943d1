// The MSI-X table and its pending bits, as a value (PCI Express Base 5.0 §7.7.2).

/// The capability that leads to the table: its id and the bits of its message control word.
public enum MSIXCapability {
    public static let id: UInt8 = 0x11
    public static let enable: UInt64 = 0x8000
    public static let functionMask: UInt64 = 0x4000
}

/// The vectors of a function: 16 bytes each, as they lie in the BAR, and the pending bit array.
public struct MSIXTable: Sendable {
    /// At most 2048 vectors (§7.7.2.2: an 11-bit table size).
    public let count: Int
    private var entries: [UInt32]
    private var pending: [UInt64]
    /// The function mask of the capability: while it is on, no vector is deliverable, whatever its own mask says.
    public private(set) var isFunctionMasked = false

    private static let maskBit: UInt32 = 1

    public init(count: Int) {
        precondition((1...2048).contains(count), "MSI-X has 1 to 2048 vectors")
        self.count = count
        self.entries = []
        self.pending = []
        reset()
    }

    /// All vectors masked, none pending: the state after reset.
    public mutating func reset() {
        entries = (0..<count * 4).map { $0 % 4 == 3 ? Self.maskBit : 0 }
        pending = [UInt64](repeating: 0, count: (count + 63) / 64)
        isFunctionMasked = false
    }

    /// Bytes of the table and of the pending bit array.
    public var tableByteCount: Int { count * 16 }
    public var pendingByteCount: Int { pending.count * 8 }

    /// A word of the table, at a byte offset that is a multiple of 4; zero outside.
    public func read(tableOffset: Int) -> UInt32 {
        guard tableOffset >= 0, tableOffset < tableByteCount else { return 0 }
        return entries[tableOffset / 4]
    }

    /// A word of the pending bit array; zero outside.
    public func read(pendingOffset: Int) -> UInt32 {
        guard pendingOffset >= 0, pendingOffset < pendingByteCount else { return 0 }
        return UInt32(truncatingIfNeeded: pending[pendingOffset / 8] >> (pendingOffset % 8 == 4 ? 32 : 0))
    }

    /// Writes a word of the table; the vector that became deliverable by it (unmasked while pending), if any.
    public mutating func write(tableOffset: Int, _ value: UInt32) -> Int? {
        guard tableOffset >= 0, tableOffset < tableByteCount else { return nil }
        let word = tableOffset / 4
        switch word % 4 {
        case 0: entries[word] = value & ~3  // messages are aligned to 4 bytes
        case 3: entries[word] = value & Self.maskBit
        default: entries[word] = value
        }
        let vector = word / 4
        return word % 4 == 3 && takePending(vector) ? vector : nil
    }

    /// Takes over the capability's function mask; the vectors that became deliverable by it, lowest first (§7.7.2.2).
    public mutating func setFunctionMask(_ masked: Bool) -> [Int] {
        isFunctionMasked = masked
        return (0..<count).filter { takePending($0) }
    }

    /// The vector's own mask bit.
    public func isMasked(_ vector: Int) -> Bool { entries[vector * 4 + 3] & Self.maskBit != 0 }

    /// Whether a message for `vector` may go out now; if not, it is kept pending. Out of range: no.
    public mutating func fire(_ vector: Int) -> Bool {
        guard vector >= 0, vector < count else { return false }
        guard isMasked(vector) || isFunctionMasked else { return true }
        pending[vector / 64] |= 1 << UInt64(vector % 64)
        return false
    }

    private mutating func takePending(_ vector: Int) -> Bool {
        let bit: UInt64 = 1 << UInt64(vector % 64)
        guard !isMasked(vector), !isFunctionMasked, pending[vector / 64] & bit != 0 else { return false }
        pending[vector / 64] &= ~bit
        return true
    }
}
