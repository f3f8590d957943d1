// The storage behind a model's BAR: a word per register, read and written by the rules of its row.
// Clear-on-read and the like are modes of the row and never written by hand in a device.

/// Register words of one BAR. Single-threaded: it belongs to the model's owner.
public struct RegisterFile: ~Copyable {
    public let map: RegisterMap
    private var words: [UInt32]
    /// Guest accesses to offsets that no row names: reads gave 0, writes were dropped.
    public private(set) var unknownAccesses: UInt64 = 0

    public init(_ map: RegisterMap) {
        self.map = map
        self.words = [UInt32](repeating: 0, count: map.byteCount / 4)
        reset()
    }

    /// All registers back to their reset values.
    public mutating func reset() {
        for row in map.rows {
            for index in 0..<row.count { self[row.offset + UInt32(index) * row.stride] = row.reset }
        }
    }

    /// Back to the reset value: one register of the table.
    public mutating func reset<Layout>(_ register: Register<Layout>) {
        self[register.offset] = map.row(at: register.offset)?.reset ?? 0
    }

    /// Back to the reset value: a whole array of the table.
    public mutating func reset<Layout>(_ registers: RegisterArray<Layout>) {
        for index in 0..<registers.count { reset(registers[index]) }
    }

    /// The device's own view: no mode applies. An offset outside the BAR is a programmer's error and traps.
    public subscript(_ offset: UInt32) -> UInt32 {
        get { words[Int(offset / 4)] }
        set { words[Int(offset / 4)] = newValue }
    }

    /// The device's own view, typed.
    public subscript<Layout>(_ register: Register<Layout>) -> Layout {
        get { Layout(raw: self[register.offset]) }
        set { self[register.offset] = newValue.raw }
    }

    /// A read by the driver, of an aligned word. Unknown and outside offsets read zero and are counted.
    public mutating func driverRead(_ offset: UInt32) -> UInt32 {
        guard let row = map.row(at: offset) else {
            unknownAccesses += 1
            return 0
        }
        switch row.mode {
        case .readWrite, .readOnly, .writeOneToClear, .writeOneToSet:
            return self[offset]
        case .writeOnly:
            return 0
        case .readToClear:
            let value = self[offset]
            self[offset] = 0
            return value
        }
    }

    /// A write by the driver, of an aligned word. Unknown and outside offsets drop it and are counted.
    public mutating func driverWrite(_ offset: UInt32, _ value: UInt32) {
        guard let row = map.row(at: offset) else {
            unknownAccesses += 1
            return
        }
        let old = self[offset]
        switch row.mode {
        case .readOnly, .readToClear:
            break
        case .readWrite, .writeOnly:
            self[offset] = (old & ~row.writeMask) | (value & row.writeMask)
        case .writeOneToClear:
            self[offset] = old & ~(value & row.writeMask)
        case .writeOneToSet:
            self[offset] = old | (value & row.writeMask)
        }
    }
}
