import Foundation

/// One line on standard error that is written over; nothing where that is not a terminal, but for a line per work.
final class ProgressLine {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var lastWork = ""

    func show(_ work: String, _ done: Double) {
        if isTerminal {
            write("\r\u{1B}[K\(work): \(Int(done * 100)) %")
        } else if work != lastWork {
            write("\(work)\n")
        }
        lastWork = work
    }

    func clear() {
        if isTerminal { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
