// Arrays as the bytes of a call.

import VFIOVariant

extension VFIODevice {
    /// The bytes that a read gave.
    func read(_ region: Int, _ offset: UInt64, _ count: Int) throws(VFIOError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xA5, count: count)
        let done: Int
        do {
            var span = bytes.mutableSpan
            // SAFETY: any byte is a valid UInt8.
            var raw = unsafe span.mutableBytes
            done = try read(region: region, at: offset, into: &raw)
        }
        return Array(bytes[..<done])
    }

    /// How many bytes a write took.
    @discardableResult
    func write(_ region: Int, _ offset: UInt64, _ bytes: [UInt8]) throws(VFIOError) -> Int {
        // SAFETY: bytes have no padding.
        try unsafe write(region: region, at: offset, from: bytes.span.bytes)
    }

    /// A little-endian number in configuration space.
    func config(_ offset: UInt64, _ count: Int) throws(VFIOError) -> UInt64 {
        try read(VFIORegion.config, offset, count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    func setConfig(_ offset: UInt64, _ count: Int, _ value: UInt64) throws(VFIOError) {
        try write(VFIORegion.config, offset, littleEndian(value, count))
    }
}

/// The low bytes of a number, lowest first.
func littleEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
}

/// The errno of what `body` throws; 0: it succeeded.
func code(_ body: () throws(VFIOError) -> Void) -> Int32 {
    do throws(VFIOError) {
        try body()
        return 0
    } catch {
        return error.code
    }
}
