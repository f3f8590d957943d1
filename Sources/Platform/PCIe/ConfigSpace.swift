// A function's configuration space as a value: bytes, and for every byte the bits that a write can change.
// PCI Local Bus 3.0 §6, PCI Express Base 5.0 §7.

/// A base address register of a function.
public struct BaseAddressRegister: Sendable, Equatable {
    public let index: Int
    /// A power of two, 16 bytes at least.
    public let byteCount: UInt64
    public let is64Bit: Bool
    public let isPrefetchable: Bool

    public init(index: Int, byteCount: UInt64, is64Bit: Bool = false, isPrefetchable: Bool = false) {
        self.index = index
        self.byteCount = byteCount
        self.is64Bit = is64Bit
        self.isPrefetchable = isPrefetchable
    }
}

/// 4096 bytes of configuration space.
public struct ConfigSpace: Sendable {
    public static let byteCount = 4096
    /// Offsets of the standard header that a device or a driver names.
    public enum Offset {
        public static let command: UInt16 = 0x04
        public static let status: UInt16 = 0x06
        public static let baseAddressRegisters: UInt16 = 0x10
        public static let capabilityPointer: UInt16 = 0x34
    }

    /// Bit of the command register: the function answers accesses to its memory BARs (§6.2.2).
    public static let memorySpaceEnable: UInt64 = 0x2

    private var bytes = [UInt8](repeating: 0, count: byteCount)
    private var writable = [UInt8](repeating: 0, count: byteCount)
    public let baseAddressRegisters: [BaseAddressRegister]
    private var lastCapability: UInt16?
    private var lastExtendedCapability: UInt16?

    public init(_ identity: PCIeIdentity, baseAddressRegisters: [BaseAddressRegister], interruptPin: UInt8 = 0) {
        self.baseAddressRegisters = baseAddressRegisters
        set(identity.vendor, at: 0x00)
        set(identity.device, at: 0x02)
        // Memory space, bus master, parity, SERR and INTx disable can be switched; I/O space is not implemented.
        set(UInt16(0), at: Offset.command, writable: 0x0546)
        set(UInt32(identity.revision) | identity.classCode << 8, at: 0x08)
        // Cache line size is writable and without effect (PCI Express Base 5.0 §7.5.1.1.7).
        set(UInt8(0), at: 0x0C, writable: 0xFF)
        for register in baseAddressRegisters {
            precondition(register.byteCount >= 16 && register.byteCount.nonzeroBitCount == 1, "BAR size")
            let offset = Offset.baseAddressRegisters + UInt16(register.index) * 4
            let addressBits = ~(register.byteCount - 1)
            let flags: UInt32 = (register.is64Bit ? 4 : 0) | (register.isPrefetchable ? 8 : 0)
            set(flags, at: offset, writable: UInt32(truncatingIfNeeded: addressBits))
            if register.is64Bit { set(UInt32(0), at: offset + 4, writable: UInt32(addressBits >> 32)) }
        }
        set(identity.subsystemVendor, at: 0x2C)
        set(identity.subsystem, at: 0x2E)
        set(UInt8(0), at: 0x3C, writable: 0xFF)
        set(interruptPin, at: 0x3D)
    }

    /// Puts a capability at `offset`: its id, `body` from byte 2 on, and the bits of the body that writes can change
    /// (as long as the body, or empty for none). Links it to the one before.
    public mutating func addCapability(id: UInt8, at offset: UInt16, body: [UInt8], writable mask: [UInt8] = []) {
        precondition(offset >= 0x40 && offset % 4 == 0 && Int(offset) + 2 + body.count <= 256, "capability place")
        set(id, at: offset)
        for (index, byte) in body.enumerated() {
            set(byte, at: offset + 2 + UInt16(index), writable: index < mask.count ? mask[index] : 0)
        }
        set(UInt8(offset), at: lastCapability.map { $0 + 1 } ?? Offset.capabilityPointer)
        set(UInt8(0x10), at: Offset.status)  // capabilities list present
        lastCapability = offset
    }

    /// Puts an extended capability at `offset`; the first one must be at 0x100.
    public mutating func addExtendedCapability(id: UInt16, version: UInt8, at offset: UInt16, body: [UInt8]) {
        precondition(offset >= 0x100 && offset % 4 == 0 && Int(offset) + 4 + body.count <= Self.byteCount)
        precondition(lastExtendedCapability != nil || offset == 0x100, "the first extended capability is at 0x100")
        set(UInt32(id) | UInt32(version) << 16, at: offset)
        for (index, byte) in body.enumerated() { set(byte, at: offset + 4 + UInt16(index)) }
        if let last = lastExtendedCapability {
            let header = UInt32(truncatingIfNeeded: read(last, .doubleWord)) & 0x000F_FFFF
            set(header | UInt32(offset) << 20, at: last)
        }
        lastExtendedCapability = offset
    }

    /// The offset of the first capability with this id.
    public func capability(id: UInt8) -> UInt16? { Self.findCapability(id, read: read) }

    /// Walks a capability list, wherever its configuration space is; nil if it has no such capability.
    public static func findCapability(_ id: UInt8, read: (UInt16, AccessSize) -> UInt64) -> UInt16? {
        var offset = UInt16(truncatingIfNeeded: read(Offset.capabilityPointer, .byte))
        // A list of 4-byte-aligned entries in 192 bytes has at most 48; more is a loop.
        for _ in 0..<48 where offset >= 0x40 {
            if UInt8(truncatingIfNeeded: read(offset, .byte)) == id { return offset }
            offset = UInt16(truncatingIfNeeded: read(offset + 1, .byte))
        }
        return nil
    }

    /// Reads 1, 2 or 4 bytes; an access that leaves the space reads all ones.
    public func read(_ offset: UInt16, _ size: AccessSize) -> UInt64 {
        guard Int(offset) + size.rawValue <= Self.byteCount else { return size.allOnes }
        var value: UInt64 = 0
        for index in 0..<size.rawValue { value |= UInt64(bytes[Int(offset) + index]) << UInt64(8 * index) }
        return value
    }

    /// Writes 1, 2 or 4 bytes under the write mask; an access that leaves the space is dropped.
    public mutating func write(_ offset: UInt16, _ size: AccessSize, _ value: UInt64) {
        guard Int(offset) + size.rawValue <= Self.byteCount else { return }
        for index in 0..<size.rawValue {
            let place = Int(offset) + index
            let byte = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
            bytes[place] = (bytes[place] & ~writable[place]) | (byte & writable[place])
        }
    }

    private mutating func set<Value: FixedWidthInteger & UnsignedInteger>(
        _ value: Value,
        at offset: UInt16,
        writable mask: Value = 0
    ) {
        for index in 0..<(Value.bitWidth / 8) {
            bytes[Int(offset) + index] = UInt8(truncatingIfNeeded: value >> Value(8 * index))
            writable[Int(offset) + index] = UInt8(truncatingIfNeeded: mask >> Value(8 * index))
        }
    }
}
