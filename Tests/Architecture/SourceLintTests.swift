// The lints find what they name and leave the rest alone.

import Testing

@Suite struct SourceLintTests {
    private func lint(_ text: String) -> [String] { SourceFile("F.swift", text).lintViolations() }

    @Test(arguments: [
        "// What it is for.\n\nimport Glibc\n\nlet a = 1",
        "/// What it is for.\nlet a = 1",
        "import Glibc\n\n/// What it is for.\npublic let a = 1",
        "// Header.\nlet text = \"try! unsafe @unchecked Sendable\" // try! unsafe",
        "// Header.\nlet a = try? b()\nlet c = try !d()",
        "// Header.\nfinal class A: @unchecked Sendable {\n    // SAFETY: immutable.\n}",
        "// Header.\n// SAFETY: immutable.\nfinal class A: @unchecked Sendable {}",
        "// Header.\n// SAFETY: the pointer is the caller's.\nlet a = unsafe b.pointee",
        "// Header.\n@unsafe struct A {\n    /// SAFETY: as long as the ring.\n    let b: Int\n}\nlet c = unsafe A()",
    ])
    func goodFilesPass(_ text: String) {
        #expect(lint(text).isEmpty)
    }

    @Test(arguments: [
        ("let a = 1", "F.swift: does not start with what it is for"),
        ("import Glibc\n\nlet a = 1\n// Too late.", "F.swift: does not start with what it is for"),
        ("// swift-tools-version: 6.2\nlet a = 1", "F.swift: does not start with what it is for"),
        ("// Header.\n\nlet a = try! b()", "F.swift:3: try! ends the program on an error"),
        (
            "// Header. SAFETY far away.\n\n\n\n\n\nfinal class A: @unchecked Sendable {}",
            "F.swift:7: @unchecked Sendable without // SAFETY beside it"
        ),
        ("// Header.\nlet a = unsafe b.pointee", "F.swift:2: unsafe without a // SAFETY reason in the file"),
        ("// Header.\nlet a = \"\\(unsafe b)\"", "F.swift:2: unsafe without a // SAFETY reason in the file"),
    ])
    func badFilesAreNamed(_ text: String, violation: String) {
        #expect(lint(text) == [violation])
    }
}
