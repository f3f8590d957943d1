// One table per device: driver accessors name the registers, rows say how the device behaves at them.
// The model builds its register file from the rows, the recording backing takes its names from them.

/// What a register does on access, as data sheets write it.
public enum RegisterMode: Sendable, Equatable {
    /// Reads return what was written, under the write mask.
    case readWrite
    /// Writes are ignored.
    case readOnly
    /// Reads return zero.
    case writeOnly
    /// A read returns the value and clears it; writes are ignored. Statistics.
    case readToClear
    /// Ones written clear bits.
    case writeOneToClear
    /// Ones written set bits.
    case writeOneToSet
}

/// A register, or an array of them, in a device's table.
public struct RegisterRow: Sendable {
    public let mnemonic: String
    public let offset: UInt32
    public let stride: UInt32
    public let count: Int
    public let mode: RegisterMode
    /// The bits that a write can change; the others keep their reset value.
    public let writeMask: UInt32
    public let reset: UInt32

    public init<Layout>(
        _ register: Register<Layout>,
        _ mode: RegisterMode,
        writeMask: UInt32 = ~0,
        reset: UInt32 = 0
    ) {
        self.mnemonic = "\(register.mnemonic)"
        self.offset = register.offset
        self.stride = 4
        self.count = 1
        self.mode = mode
        self.writeMask = writeMask
        self.reset = reset
    }

    public init<Layout>(
        _ registers: RegisterArray<Layout>,
        _ mode: RegisterMode,
        writeMask: UInt32 = ~0,
        reset: UInt32 = 0
    ) {
        self.mnemonic = "\(registers.mnemonic)"
        self.offset = registers.base
        self.stride = registers.stride
        self.count = registers.count
        self.mode = mode
        self.writeMask = writeMask
        self.reset = reset
    }
}

/// The rows of one BAR, checked to lie inside it and not on each other.
public struct RegisterMap: Sendable {
    public let rows: [RegisterRow]
    public let byteCount: Int
    /// For every 32-bit word of the BAR: 0, or the number of its row plus one.
    private let rowOfWord: [UInt16]

    public enum Problem: Error, Equatable {
        case unaligned(String)
        case outside(String)
        case overlap(String, String)
    }

    public init(_ rows: [RegisterRow], byteCount: Int) throws(Problem) {
        var rowOfWord = [UInt16](repeating: 0, count: byteCount / 4)
        for (number, row) in rows.enumerated() {
            for index in 0..<row.count {
                let offset = Int(row.offset) + index * Int(row.stride)
                guard offset % 4 == 0 else { throw .unaligned(row.mnemonic) }
                guard offset + 4 <= byteCount else { throw .outside(row.mnemonic) }
                let earlier = rowOfWord[offset / 4]
                guard earlier == 0 else { throw .overlap(rows[Int(earlier) - 1].mnemonic, row.mnemonic) }
                rowOfWord[offset / 4] = UInt16(number + 1)
            }
        }
        self.rows = rows
        self.byteCount = byteCount
        self.rowOfWord = rowOfWord
    }

    /// The row that covers the aligned word at `offset`, or nil: unknown, or outside the BAR.
    public func row(at offset: UInt32) -> RegisterRow? {
        let word = Int(offset / 4)
        guard word < rowOfWord.count, rowOfWord[word] != 0 else { return nil }
        return rows[Int(rowOfWord[word]) - 1]
    }

    /// `MTA[5]`, `CTRL`, or the bare offset where the table has no row.
    public func name(at offset: UInt32) -> String {
        guard let row = row(at: offset) else { return "0x" + String(offset, radix: 16, uppercase: true) }
        guard row.count > 1 else { return row.mnemonic }
        return "\(row.mnemonic)[\((offset - row.offset) / row.stride)]"
    }
}
