// Numbers inside a frame: network byte order, at any alignment. The span checks the bounds, so a wrong offset traps
// instead of touching a neighbour; callers check lengths that a frame claims before they get here.

extension RawSpan {
    /// The byte at `offset`.
    @inlinable public func networkUInt8(at offset: Int) -> UInt8 {
        // SAFETY (all of this file): the load is checked against the span, and every bit pattern is an integer.
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// The 16-bit number at `offset`.
    @inlinable public func networkUInt16(at offset: Int) -> UInt16 {
        UInt16(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    /// The 32-bit number at `offset`.
    @inlinable public func networkUInt32(at offset: Int) -> UInt32 {
        UInt32(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// The six bytes at `offset` as a number whose lowest byte is the first on the wire: a MAC address as Intel's
    /// address registers hold it.
    @inlinable public func addressWord(at offset: Int) -> UInt64 {
        let low = UInt32(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
        let high = UInt16(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset &+ 4, as: UInt16.self))
        return UInt64(low) | UInt64(high) << 32
    }
}

extension MutableRawSpan {
    /// Replaces the byte at `offset`.
    @_lifetime(self: copy self)
    @inlinable public mutating func storeNetwork(_ value: UInt8, at offset: Int) {
        storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
    }

    /// Replaces the 16-bit number at `offset`.
    @_lifetime(self: copy self)
    @inlinable public mutating func storeNetwork(_ value: UInt16, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
    }

    /// Replaces the 32-bit number at `offset`.
    @_lifetime(self: copy self)
    @inlinable public mutating func storeNetwork(_ value: UInt32, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
    }

    /// Replaces the bytes from `offset` on by those of `source`; all of them must fit.
    @_lifetime(self: copy self)
    @inlinable public mutating func copy(_ source: RawSpan, to offset: Int) {
        precondition(offset >= 0 && source.byteCount <= byteCount &- offset, "copy beyond the span")
        unsafe withUnsafeMutableBytes { destination in
            unsafe source.withUnsafeBytes { bytes in
                guard let from = bytes.baseAddress, let start = destination.baseAddress else { return }
                unsafe (start + offset).copyMemory(from: from, byteCount: bytes.count)
            }
        }
    }
}
