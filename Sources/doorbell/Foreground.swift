// Commands that run until a signal ends them: what they say meanwhile, and at the end.

import ArgumentParser
import Doorbell
import Foundation

/// A command in the foreground.
struct Foreground: Sendable {
    /// As it is typed.
    let command: String
    private let signals = StopSignals()

    init(_ command: String) { self.command = command }

    var shouldStop: Bool { signals.hasCome }

    /// Not `print`: whoever waits for a line reads a pipe, which standard output buffers.
    func say(_ lines: String...) {
        FileHandle.standardOutput.write(Data((lines + [""]).joined(separator: "\n").utf8))
    }

    /// A line for the log.
    func log(_ event: String) { FileHandle.standardError.write(Data("\(event)\n".utf8)) }

    /// Prints what `work` sums up. What this machine lacks for it is said, and ends the command with 77.
    func run(json: Bool, _ work: () throws -> some JSONDocument) throws {
        do {
            let summary = try work()
            print(json ? try summary.json() : summary.text)
        } catch let error as CannotRun {
            log("doorbell \(command): \(error)")
            throw ExitCode(77)
        }
    }
}
