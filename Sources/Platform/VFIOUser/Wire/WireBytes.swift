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

    /// The four words that a question about the device begins with; the first says how much room its sender has.
    func question() throws(WireError) -> (argumentSize: UInt32, flags: UInt32, UInt32, UInt32) {
        try require(16)
        let argumentSize: UInt32 = integer(0)
        guard argumentSize >= 16 else { throw .badArgumentSize(argumentSize) }
        return (argumentSize, integer(4), integer(8), integer(12))
    }

    /// Fails unless there are exactly `needed` bytes.
    @inline(__always) func requireExactly(_ needed: Int) throws(WireError) {
        guard byteCount >= needed else { throw .short(needed: needed, got: byteCount) }
        guard byteCount == needed else { throw .long(most: needed, got: byteCount) }
    }
}
