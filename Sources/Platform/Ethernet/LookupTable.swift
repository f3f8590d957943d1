// Words that are looked up per frame. They are kept by address, because Swift 6.3 copies an `InlineArray` field whole to
// read one element of a borrowed struct: 4 KiB per byte hashed.

/// A table of 32-bit words of fixed size, zero at first. Indices are checked.
@safe @frozen public struct LookupTable: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): one owner, no copies. SAFETY (access): every index is checked against `count`.
    @usableFromInline let words: UnsafeMutablePointer<UInt32>
    public let count: Int

    public init(count: Int) {
        precondition(count > 0, "a table has words")
        self.count = count
        unsafe words = .allocate(capacity: count)
        unsafe words.initialize(repeating: 0, count: count)
    }

    deinit { unsafe words.deallocate() }

    @inlinable public subscript(_ index: Int) -> UInt32 {
        get {
            precondition(index >= 0 && index < count, "table index out of range")
            return unsafe words[index]
        }
        set {
            precondition(index >= 0 && index < count, "table index out of range")
            unsafe words[index] = newValue
        }
    }
}
