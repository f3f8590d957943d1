// What VFIO appends to its answers: a chain of capabilities, linked by offsets from the start of the answer.
// Source: linux/vfio.h (struct vfio_info_cap_header and what embeds it).

/// An answer of the kernel, read field by field. It is the kernel's word, and still every offset in it is checked.
package struct CapabilityChain: Sendable {
    private let bytes: [UInt8]
    private let first: Int

    /// - Parameter first: offset of the first capability; 0: there is none.
    package init(_ bytes: [UInt8], first: UInt32) {
        self.bytes = bytes
        self.first = Int(first)
    }

    /// Where the capability `id` begins in the answer; nil if there is none, or if the chain is broken before it.
    package func find(_ id: UInt16) -> Int? {
        var offset = first
        // 8 bytes each: a chain that is longer than the answer is a loop.
        for _ in 0...(bytes.count / 8) {
            guard offset != 0, let header = bytes.word(at: offset), let next = bytes.word(at: offset + 4) else {
                return nil
            }
            if UInt16(truncatingIfNeeded: header) == id { return offset }
            offset = Int(next)
        }
        return nil
    }
}

extension [UInt8] {
    /// 32 bits in the host's byte order, which is little-endian here; nil outside.
    package func word(at offset: Int) -> UInt32? {
        guard offset >= 0, offset <= count - 4 else { return nil }
        return (0..<4).reduce(0) { $0 | UInt32(self[offset + $1]) << UInt32(8 * $1) }
    }

    /// 64 bits; nil outside.
    package func quadWord(at offset: Int) -> UInt64? {
        guard let low = word(at: offset), let high = word(at: offset + 4) else { return nil }
        return UInt64(low) | UInt64(high) << 32
    }
}
