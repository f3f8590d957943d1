// Bytes as commented hex, and back.

import VFIOUser

/// The bytes of a golden: hex digits, spaces, and comments from `//` to the end of the line.
public func golden(_ text: String) -> [UInt8] {
    var digits: [UInt8] = []
    for line in text.split(separator: "\n") {
        let code = line.split(separator: "//", omittingEmptySubsequences: false).first ?? ""
        digits += code.compactMap { $0.hexDigitValue.map { UInt8($0) } }
    }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// What `write` puts into a message.
public func bytes(_ write: (inout MessageBuffer) -> Void) -> [UInt8] {
    var buffer = MessageBuffer(capacity: 64)
    write(&buffer)
    let span = buffer.bytes()
    // SAFETY: the offsets are the span's own.
    return span.byteOffsets.map { unsafe span.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
}

extension [UInt8] {
    /// The bytes as a codec reads them.
    public var raw: RawSpan {
        // SAFETY: bytes have no padding.
        @_lifetime(borrow self) get { unsafe span.bytes }
    }
}
