// Limits that a run must keep, from a file under `Thresholds/`: lines of a name, `at-most` or `at-least`, and a number.

import Foundation

/// Named limits, and the verdicts of this run on them.
public struct Thresholds {
    private enum Limit {
        case atMost(Double)
        case atLeast(Double)

        func holds(_ value: Double) -> Bool {
            switch self {
            case .atMost(let limit): value <= limit
            case .atLeast(let limit): value >= limit
            }
        }

        var text: String {
            switch self {
            case .atMost(let limit): "at most \(decimal(limit))"
            case .atLeast(let limit): "at least \(decimal(limit))"
            }
        }
    }

    private var limits: [String: Limit] = [:]
    private var unjudged: Set<String>
    private var missed: [String] = []

    /// Reads `Benchmarks/Thresholds/<name>.txt`; ends the program if it cannot be understood.
    public init(_ name: String, sourceFile: String = #filePath) {
        let folder = URL(fileURLWithPath: sourceFile).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = folder.appendingPathComponent("Thresholds/\(name).txt")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { fail("cannot read \(file.path)") }
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ")
            guard words.count == 3, let number = Double(words[2]) else { fail("\(file.path): cannot read: \(line)") }
            switch words[1] {
            case "at-most": limits[String(words[0])] = .atMost(number)
            case "at-least": limits[String(words[0])] = .atLeast(number)
            default: fail("\(file.path): cannot read: \(line)")
            }
        }
        unjudged = Set(limits.keys)
    }

    /// Says whether `value` keeps the limit `name`; one that nobody has set ends the program.
    public mutating func judge(_ name: String, _ value: Double) -> String {
        guard let limit = limits[name] else { fail("no threshold is called \(name)") }
        unjudged.remove(name)
        guard limit.holds(value) else {
            missed.append(name)
            return "MISSED (\(limit.text))"
        }
        return "held (\(limit.text))"
    }

    /// Ends the program: 0 if all limits held, 1 if one did not, or was not looked at.
    public func finish() -> Never {
        for name in missed { standardError("threshold missed: \(name)") }
        for name in unjudged.sorted() { standardError("threshold not measured: \(name)") }
        exit(missed.isEmpty && unjudged.isEmpty ? 0 : 1)
    }
}

/// Ends the program with 1 and a reason.
public func fail(_ reason: String) -> Never {
    standardError(reason)
    exit(1)
}

/// Ends the program with 77, the code for "cannot run here", and a reason.
public func skip(_ reason: String) -> Never {
    standardError("skipped: \(reason)")
    exit(77)
}

private func standardError(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
