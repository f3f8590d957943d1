// The JSON reader takes what RFC 8259 says, and nothing else.

import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct JSONTests {
    private func parse(_ text: String) throws(JSONError) -> JSONValue {
        let bytes = Array(text.utf8)
        return try JSONValue(parsing: bytes.raw)
    }

    @Test func values() throws {
        #expect(try parse("null") == .null)
        #expect(try parse(" [true,\tfalse]\n") == .array([.bool(true), .bool(false)]))
        #expect(try parse("18446744073709551615") == .integer(.max))
        #expect(try parse("18446744073709551616") == .otherNumber("18446744073709551616"))
        #expect(try parse("-0.5e+3") == .otherNumber("-0.5e+3"))
        #expect(try parse("0") == .integer(0))
        #expect(try parse(#"{"a":{"b":[1,2]},"c":"d"}"#)["a"]?["b"] == .array([.integer(1), .integer(2)]))
        #expect(try parse("{}") == .object([:]))
        #expect(try parse("[]") == .array([]))
    }

    @Test func strings() throws {
        #expect(try parse(#""\"\\\/\b\f\n\r\t""#) == .string("\"\\/\u{8}\u{c}\n\r\t"))
        #expect(try parse(#""\u00e9\ud83d\ude00""#) == .string("é😀"))
        #expect(try parse(#""é""#) == .string("é"))
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1", "[1,", "[1,]", "{\"a\"", "{\"a\":", "{\"a\":1,}", "{a:1}", "{1:1}", "[1 2]", "1 2",
        "01", "-", "-01", "1.", ".5", "1e", "1e+", "+1", "0x10", "NaN", "tru", "True", "nul", "\"", "\"\u{1}\"",
        #""\x""#, #""\u12""#, #""\ud800""#, #""\ud800\u0041""#, #""\udc00""#, "'a'", "{\"a\":1}}", "//", "\u{0}",
        "\u{feff}{}",
    ])
    func malformed(_ text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
    }

    @Test func notUTF8() {
        let bytes: [UInt8] = [0x22, 0xC3, 0x28, 0x22]
        #expect(throws: JSONError.badString(at: 0)) { try JSONValue(parsing: bytes.raw) }
    }

    @Test func aKeyTwice() {
        #expect(throws: JSONError.duplicateKey("a")) { try parse(#"{"a":1,"\u0061":2}"#) }
    }

    @Test func depthIsBounded() throws {
        let most = JSONValue.mostDepth
        _ = try parse(String(repeating: "[", count: most) + String(repeating: "]", count: most))
        #expect(throws: JSONError.tooDeep) {
            try parse(String(repeating: "[", count: most + 1) + String(repeating: "]", count: most + 1))
        }
        #expect(throws: JSONError.tooDeep) { try parse(String(repeating: "[", count: 16000)) }
    }

    @Test func lengthIsBounded() {
        #expect(throws: JSONError.tooLong(JSONValue.mostBytes + 1)) {
            try parse(String(repeating: " ", count: JSONValue.mostBytes + 1))
        }
    }

    /// Whatever the bytes are, there is an answer.
    @Test func everyTruncationOfARealMessageIsRefused() throws {
        let text = #"{"capabilities":{"max_msg_fds":16,"twin_socket":{"supported":true},"x":[1.5,"\u0041"]}}"#
        _ = try parse(text)
        for length in 0..<text.utf8.count {
            #expect(throws: JSONError.self) { try parse(String(text.prefix(length))) }
        }
    }
}
