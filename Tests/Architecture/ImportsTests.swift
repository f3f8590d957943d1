// No form of an import is overlooked, and nothing else is taken for one.

import Testing

@Suite struct ImportsTests {
    @Test(arguments: [
        "import Registers",
        "  import Registers // why",
        "@testable import Registers",
        "@_spi(Testing) import Registers",
        "@_exported public import Registers",
        "package import Registers",
        "private import struct Registers.Field",
        "import func Registers.make",
        "import Registers.Inner",
        "@preconcurrency @_implementationOnly import Registers",
        "/* a */ import /* b */ Registers",
        "#if os(Linux)\nimport Registers\n#endif",
        "import\n    Registers",
        "let a = 1; import Registers",
    ])
    func everyFormIsSeen(_ text: String) {
        #expect(SwiftText(text).imports.map(\.module) == ["Registers"])
    }

    @Test(arguments: [
        "// import Registers",
        "/* import Registers */",
        "let text = \"import Registers\"",
        "let text = \"\"\"\nimport Registers\n\"\"\"",
        "let text = #\"\"\"\nimport Registers\n\"\"\"#",
        "#if canImport(Registers)\n#endif",
        "value.import(Registers)",
        "func load(import registers: Int) {}",
        "func load(_ a: Int, import registers: Int) {}",
        "let `import` = Registers()",
        "important(Registers)",
    ])
    func nothingElseIs(_ text: String) {
        #expect(SwiftText(text).imports.isEmpty)
    }

    @Test func linesAreThoseOfTheFile() {
        let text = SwiftText("// header\n\nimport Clock\nimport Memory\n")
        #expect(text.imports == [Import(module: "Clock", line: 3), Import(module: "Memory", line: 4)])
    }
}
