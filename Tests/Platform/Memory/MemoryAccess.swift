// Bytes of a shared memory by index, for tests.

import Memory

extension SharedMemory {
    /// SAFETY (both): the span is bounds-checked by the precondition of its own accessor, a byte has no alignment.
    func byte(at index: Int) -> UInt8 {
        precondition(index >= 0 && index < byteCount)
        return unsafe bytes().unsafeLoad(fromByteOffset: index, as: UInt8.self)
    }

    mutating func setByte(at index: Int, to value: UInt8) {
        precondition(index >= 0 && index < byteCount)
        var all = mutableBytes()
        all.storeBytes(of: value, toByteOffset: index, as: UInt8.self)
    }
}
