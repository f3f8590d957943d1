// A base address register that the device does not have. Source of truth: nvgrace_gpu_get_read_value and the config
// emulation of nvgrace-gpu/main.c; PCI Local Bus 3.0 §6.2.5.1 for how a BAR tells its size.

/// The eight bytes of a 64-bit prefetchable BAR. What is written is kept as it came; what is read has the bits that
/// the size leaves to the address, and the flags.
package struct FakeBAR: Sendable, Equatable {
    /// Bytes of the register itself.
    package static let width = 8
    /// Memory, 64 bits wide (bit 2), prefetchable (bit 3).
    private static let flags: UInt64 = 0xC

    /// Of the region; a power of two.
    package let byteCount: UInt64
    private var stored: UInt64 = 0

    package init(byteCount: UInt64) { self.byteCount = byteCount }

    /// What the register reads.
    package var value: UInt64 { (stored & ~(byteCount - 1)) | Self.flags }

    /// Byte `index` of the register, from the lowest. Only the low bits of the index count: no index is outside.
    package subscript(index: Int) -> UInt8 {
        get { UInt8(truncatingIfNeeded: value >> Self.shift(index)) }
        set { stored = stored & ~(0xFF << Self.shift(index)) | UInt64(newValue) << Self.shift(index) }
    }

    private static func shift(_ index: Int) -> UInt64 { UInt64(index & (width - 1)) * 8 }

    /// As after a reset.
    package mutating func clear() { stored = 0 }
}
