// Bytes of a buffer by index, for tests.

import Memory

extension SharedMemory {
    /// SAFETY (all): the bounds are checked by the precondition or by the loop, a byte has no alignment.
    func byte(at index: Int) -> UInt8 {
        precondition(index >= 0 && index < byteCount)
        return unsafe bytes().unsafeLoad(fromByteOffset: index, as: UInt8.self)
    }

    /// Sets every byte through a pointer, as a program does that the lease's owner lent its buffer to.
    borrowing func fill(_ value: UInt8) {
        unsafe base.initializeMemory(as: UInt8.self, repeating: value, count: byteCount)
    }

    /// Whether every byte is `value`.
    borrowing func isAll(_ value: UInt8) -> Bool {
        (0..<byteCount).allSatisfy { byte(at: $0) == value }
    }
}
