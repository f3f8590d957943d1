// What `--json` prints, for every command alike.

import Foundation

/// A report that programs read.
public protocol JSONDocument: Encodable {
    /// The same as people read it.
    var text: String { get }
}

extension JSONDocument {
    /// One valid JSON document, keys sorted.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
