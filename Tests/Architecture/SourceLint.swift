// House rules for the text of a source file that neither the compiler nor swift-format checks.

extension SourceFile {
    /// Every breach, one line each.
    func lintViolations() -> [String] {
        purposeViolations() + forcedTryViolations() + sendableViolations() + unsafeViolations()
    }

    /// A reader learns what a file is for before its first declaration.
    private func purposeViolations() -> [String] {
        let first = text.lines.first { line in
            let trimmed = line.drop { $0 == " " }
            return !trimmed.isEmpty && SwiftText(line).imports.isEmpty
        }
        guard let first, !first.hasPrefix("//") || first.hasPrefix("// swift-tools-version") else { return [] }
        return ["\(path): does not start with what it is for"]
    }

    private func forcedTryViolations() -> [String] {
        text.codeLines.enumerated()
            .filter { $0.element.contains("try!") }
            .map { "\(path):\($0.offset + 1): try! ends the program on an error" }
    }

    /// The invariant that makes a type `Sendable` stands at the type.
    private func sendableViolations() -> [String] {
        let tokens = text.tokens
        return tokens.indices.dropLast()
            .filter { tokens[$0].text == "unchecked" && tokens[$0 + 1].text == "Sendable" }
            .map { tokens[$0].line }
            .filter { line in
                let near = text.lines[max(0, line - 4)..<min(text.lines.count, line + 4)]
                return !near.contains { $0.contains("// SAFETY") || $0.contains("/// SAFETY") }
            }
            .map { "\(path):\($0): @unchecked Sendable without // SAFETY beside it" }
    }

    /// The reason may be the same for a whole file, but there must be one.
    private func unsafeViolations() -> [String] {
        guard let use = text.tokens.first(where: { $0.text == "unsafe" }),
            !text.lines.contains(where: { $0.contains("SAFETY") })
        else { return [] }
        return ["\(path):\(use.line): unsafe without a // SAFETY reason in the file"]
    }
}
