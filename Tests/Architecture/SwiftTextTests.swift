// Code is told from comments and strings; a checker that is fooled here would let anything through.

import Testing

@Suite struct SwiftTextTests {
    @Test(arguments: [
        ("a // b", "a     "),
        ("a /* b */ c", "a         c"),
        ("a /* b /* c */ d */ e", "a                   e"),
        ("let a = \"b // c\"", "let a =         "),
        ("\"a \\\" b\" c", "         c"),
        ("\"\\\\\" c", "     c"),
        ("\"a\\(b)c\" d", "    b    d"),
        ("\"a\\(f(\"x\", g(1)))c\" d", "    f(   , g(1))    d"),
        ("#\"a\" \\(b)\"# c", "            c"),
        ("#\"a\\#(b)c\"# d", "      b     d"),
        ("\"unclosed", "         "),
    ])
    func onlyCodeStays(_ text: String, code: String) {
        #expect(SwiftText(text).codeLines == [code])
    }

    @Test func linesKeepTheirNumbers() {
        let text = SwiftText("a\n\"\"\"\nimport B\n  \" \"\" \n\"\"\"\n/* c\nd */ e\n\"open\nf")
        #expect(text.codeLines.map { $0.filter { $0 != " " } } == ["a", "", "", "", "", "", "e", "", "f"])
        #expect(text.lines.count == text.codeLines.count)
    }

    @Test func wordsAndMarksAreTokens() {
        let tokens = SwiftText("@testable import A.B // c\nfoo_1(x)").tokens
        #expect(tokens.map(\.text) == ["@", "testable", "import", "A", ".", "B", "foo_1", "(", "x", ")"])
        #expect(tokens.map(\.line) == [1, 1, 1, 1, 1, 1, 2, 2, 2, 2])
    }
}
