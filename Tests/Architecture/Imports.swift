// The modules that a source file imports, in every form that an import can have.

/// One import declaration.
struct Import: Equatable {
    let module: String
    let line: Int
}

extension SwiftText {
    /// Attributes and access modifiers may precede `import`, a kind (`struct`, `func`, …) and a path may follow.
    var imports: [Import] {
        let kinds: Set = ["typealias", "struct", "class", "enum", "protocol", "let", "var", "func"]
        let tokens = tokens
        var imports: [Import] = []
        for (index, token) in tokens.enumerated() where token.text == "import" {
            // A member, a quoted name or an argument label may be spelled like the keyword.
            let before = index > 0 ? tokens[index - 1].text : ""
            guard ![".", "`", "(", ","].contains(before) else { continue }
            var next = index + 1
            if next < tokens.count, kinds.contains(tokens[next].text) { next += 1 }
            guard next < tokens.count, let first = tokens[next].text.first, first.isLetter || first == "_" else {
                continue
            }
            imports.append(Import(module: tokens[next].text, line: token.line))
        }
        return imports
    }
}
