// The syscall edge: which call failed, and the errno verbatim.

import Glibc

/// A failed system call.
public struct SystemError: Error, Equatable, CustomStringConvertible {
    public let call: String
    public let code: Int32

    public init(_ call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    /// The error of the call that has just returned -1.
    public static func last(_ call: String) -> SystemError { SystemError(call, code: errno) }

    // SAFETY: strerror's text stays until the thread asks for the next one; it is copied at once.
    public var description: String { "\(call): \(unsafe String(cString: strerror(code))) (errno \(code))" }
}
