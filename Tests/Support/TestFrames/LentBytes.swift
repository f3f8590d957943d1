// Bytes lent out for change, with guards around them that show a write outside.

/// Some bytes between two guards.
public struct LentBytes {
    private var storage: [UInt8]
    private static var guardBytes: [UInt8] { [UInt8](repeating: 0xA5, count: 64) }

    public init(_ bytes: [UInt8]) { storage = Self.guardBytes + bytes + Self.guardBytes }

    /// The bytes between the guards.
    public var bytes: [UInt8] { [UInt8](storage.dropFirst(64).dropLast(64)) }

    /// Nothing was written outside.
    public var guardsHold: Bool {
        storage.prefix(64).elementsEqual(Self.guardBytes) && storage.suffix(64).elementsEqual(Self.guardBytes)
    }

    /// Lends the bytes between the guards.
    public mutating func lend<Result, Failure: Error>(
        _ body: (inout MutableRawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let end = storage.count - 64
        var span = storage.mutableSpan
        // SAFETY: every bit pattern is a byte, and the guards are not lent.
        var all = unsafe span.mutableBytes
        return try unsafe all.withUnsafeMutableBytes { (all) throws(Failure) in
            var lent = unsafe MutableRawSpan(_unsafeBytes: all[64..<end])
            return try body(&lent)
        }
    }
}
