// A file descriptor as a lease: whoever has it last closes it, and nobody closes it twice.

import CLinux
import Glibc
import Memory

/// An open file descriptor. Its end closes it.
public struct OwnedDescriptor: ~Copyable, Sendable {
    public let raw: Int32

    /// Takes over `raw`, which nobody else closes.
    public init(owning raw: Int32) { self.raw = raw }

    deinit { close(raw) }

    /// Another descriptor of the same open file as `raw`, which stays its owner's.
    public static func duplicate(of raw: Int32) throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(owning: try check("fcntl(F_DUPFD_CLOEXEC)", clinux_duplicate(raw)))
    }

    /// Ends a connection for both sides. To close it is not enough: while this process starts another one, that one has
    /// copies of all descriptors, until it runs its program.
    public borrowing func hangUp() { shutdown(raw, Int32(SHUT_RDWR)) }

    /// Hands the descriptor over to somebody who closes it by other means.
    public consuming func release() -> Int32 {
        let raw = raw
        discard self
        return raw
    }
}

/// The result of a `clinux_` call that returns a negated errno.
func check(_ call: String, _ result: Int32) throws(SystemError) -> Int32 {
    guard result >= 0 else { throw SystemError(call, code: -result) }
    return result
}
