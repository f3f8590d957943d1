// Loads from received bytes. A vfio-user message is in the byte order of the host that both ends run on, and its fields
// are at any address.

extension RawSpan {
    /// The integer at `offset`, which the caller has found to be inside.
    @inline(__always) func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ offset: Int,
        as type: Value.Type = Value.self
    ) -> Value {
        // SAFETY: the span checks the bounds; every bit pattern of an integer is valid.
        unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: type)
    }

    /// Fails unless there are `needed` bytes at least.
    @inline(__always) func require(_ needed: Int) throws(WireError) {
        guard byteCount >= needed else { throw .short(needed: needed, got: byteCount) }
    }

    /// Fails unless there are exactly `needed` bytes.
    @inline(__always) func requireExactly(_ needed: Int) throws(WireError) {
        guard byteCount >= needed else { throw .short(needed: needed, got: byteCount) }
        guard byteCount == needed else { throw .long(most: needed, got: byteCount) }
    }
}
