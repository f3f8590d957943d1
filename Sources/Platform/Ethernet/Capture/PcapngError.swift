// Why a capture file could not be opened or written.

import Memory

/// A capture file that could not be opened, or could not be written any further.
public enum PcapngError: Error, Equatable, CustomStringConvertible {
    case cannotOpen(path: String, SystemError)
    /// A pipe or a socket: one that nobody reads would hold up the wire, or end the process.
    case isPipe(path: String)
    case cannotWrite(path: String, SystemError)

    public var description: String {
        switch self {
        case .cannotOpen(let path, let cause): return "capture file '\(path)': \(cause)"
        case .isPipe(let path): return "capture file '\(path)' is a pipe: name a file, and read that while it grows"
        case .cannotWrite(let path, let cause): return "capture file '\(path)' ends early: \(cause)"
        }
    }
}
