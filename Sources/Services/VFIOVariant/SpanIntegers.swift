// Integers of 1, 2, 4 or 8 bytes in a caller's bytes. A device's registers are little-endian, and so is every machine that
// this runs on.

import PCIe

extension RawSpan {
    /// The integer of `size` at `offset`, which must be inside.
    package func value(_ size: AccessSize, at offset: Int) -> UInt64 {
        // SAFETY: the span checks the bounds; every bit pattern of an integer is valid.
        switch size {
        case .byte: UInt64(unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self))
        case .word: UInt64(unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
        case .doubleWord: UInt64(unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
        case .quadWord: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
        }
    }
}

extension MutableRawSpan {
    /// Puts the low bytes of `value` at `offset`, which must be inside.
    package mutating func store(_ value: UInt64, _ size: AccessSize, at offset: Int) {
        switch size {
        case .byte: storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: offset, as: UInt8.self)
        case .word: storeBytes(of: UInt16(truncatingIfNeeded: value), toByteOffset: offset, as: UInt16.self)
        case .doubleWord: storeBytes(of: UInt32(truncatingIfNeeded: value), toByteOffset: offset, as: UInt32.self)
        case .quadWord: storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
        }
    }
}
