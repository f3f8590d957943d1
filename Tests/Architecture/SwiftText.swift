// Swift source with its comments and string contents blanked, so that a search for code finds only code.
// The Swift Programming Language 6, "Lexical Structure". Regex literals are not known here: the house has none.

/// A source file as text and as code: the same lines, the same places.
struct SwiftText {
    let lines: [String]
    /// The lines without comments and without what stands in string literals; interpolations are code and stay.
    let codeLines: [String]

    init(_ text: String) {
        var scanner = Scanner(text)
        scanner.scanCode(untilParenthesis: false)
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        codeLines = String(decoding: scanner.code, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// Words and single punctuation marks of the code, with their line numbers from 1.
    var tokens: [(text: String, line: Int)] {
        var tokens: [(text: String, line: Int)] = []
        for (index, line) in codeLines.enumerated() {
            var word = ""
            for character in line + " " {
                if character.isLetter || character.isNumber || character == "_" {
                    word.append(character)
                    continue
                }
                if !word.isEmpty { tokens.append((word, index + 1)) }
                word = ""
                if !character.isWhitespace { tokens.append((String(character), index + 1)) }
            }
        }
        return tokens
    }
}

/// Walks over the text once and copies what is code.
private struct Scanner {
    private let bytes: [UInt8]
    private var place = 0
    private(set) var code: [UInt8] = []

    init(_ text: String) {
        bytes = Array(text.utf8)
        code.reserveCapacity(bytes.count)
    }

    private func sees(_ text: StaticString) -> Bool {
        let wanted = "\(text)".utf8
        return bytes[place...].starts(with: wanted)
    }

    private mutating func keep() {
        code.append(bytes[place])
        place += 1
    }

    /// A line's end stays a line's end, all else becomes a blank.
    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where place < bytes.count {
            code.append(bytes[place] == UInt8(ascii: "\n") ? bytes[place] : UInt8(ascii: " "))
            place += 1
        }
    }

    /// Scans to the end, or to the parenthesis that closes an interpolation.
    mutating func scanCode(untilParenthesis: Bool) {
        var depth = 0
        while place < bytes.count {
            if sees("//") {
                while place < bytes.count, bytes[place] != UInt8(ascii: "\n") { blank() }
            } else if sees("/*") {
                scanBlockComment()
            } else if let pounds = poundsOfString() {
                scanString(pounds: pounds)
            } else {
                if bytes[place] == UInt8(ascii: "(") { depth += 1 }
                if bytes[place] == UInt8(ascii: ")") {
                    if untilParenthesis, depth == 0 { return blank() }
                    depth -= 1
                }
                keep()
            }
        }
    }

    private mutating func scanBlockComment() {
        var depth = 0
        repeat {
            if sees("/*") {
                depth += 1
                blank(2)
            } else if sees("*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && place < bytes.count
    }

    /// How many `#` stand in front of the quotation mark here; nil if no string literal starts here.
    private func poundsOfString() -> Int? {
        var index = place
        while index < bytes.count, bytes[index] == UInt8(ascii: "#") { index += 1 }
        return index < bytes.count && bytes[index] == UInt8(ascii: "\"") ? index - place : nil
    }

    private mutating func scanString(pounds: Int) {
        blank(pounds)
        let isMultiline = sees("\"\"\"")
        let quotes = isMultiline ? 3 : 1
        blank(quotes)
        let closing = [UInt8](repeating: UInt8(ascii: "\""), count: quotes) + poundBytes(pounds)
        let escape = [UInt8(ascii: "\\")] + poundBytes(pounds)
        while place < bytes.count {
            if bytes[place...].starts(with: closing) { return blank(closing.count) }
            // A single-line literal that is not closed ends with its line, as the compiler has it.
            if !isMultiline, bytes[place] == UInt8(ascii: "\n") { return }
            guard bytes[place...].starts(with: escape) else {
                blank()
                continue
            }
            blank(escape.count)
            if place < bytes.count, bytes[place] == UInt8(ascii: "(") {
                blank()
                scanCode(untilParenthesis: true)
            } else {
                blank()
            }
        }
    }

    private func poundBytes(_ count: Int) -> [UInt8] { [UInt8](repeating: UInt8(ascii: "#"), count: count) }
}
