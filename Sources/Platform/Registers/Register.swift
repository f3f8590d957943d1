// A register's place in a BAR, typed by its layout. The mnemonic is the data sheet's; it is the only name that reaches
// traces, tables and tools.

/// One 32-bit register at a byte offset of a BAR.
@frozen public struct Register<Layout: RegisterLayout>: Sendable {
    public let offset: UInt32
    public let mnemonic: StaticString

    @inlinable public init(_ offset: UInt32, _ mnemonic: StaticString) {
        self.offset = offset
        self.mnemonic = mnemonic
    }
}

/// `count` registers of one layout, `stride` bytes apart.
@frozen public struct RegisterArray<Layout: RegisterLayout>: Sendable {
    public let base: UInt32
    public let stride: UInt32
    public let count: Int
    public let mnemonic: StaticString

    @inlinable public init(_ base: UInt32, stride: UInt32 = 4, count: Int, _ mnemonic: StaticString) {
        self.base = base
        self.stride = stride
        self.count = count
        self.mnemonic = mnemonic
    }

    /// The register number `index`; an index outside `0..<count` is a programmer's error and traps.
    @inlinable public subscript(_ index: Int) -> Register<Layout> {
        precondition(index >= 0 && index < count, "register index out of range")
        return Register(base &+ UInt32(truncatingIfNeeded: index) &* stride, mnemonic)
    }
}
