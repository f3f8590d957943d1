// How a connection comes about. Every socket from here is a non-blocking stream, closed on exec.

import CLinux
import Memory

public enum UnixSocket {
    /// Listens at `path`. A socket that no server answers at any more is replaced.
    public static func listen(path: String, backlog: Int32 = 4) throws(SystemError) -> OwnedDescriptor {
        let result = unsafe path.withCString { unsafe clinux_listen_unix($0, backlog) }
        return OwnedDescriptor(owning: try check("listen at \(path)", result))
    }

    public static func connect(path: String) throws(SystemError) -> OwnedDescriptor {
        let result = unsafe path.withCString { unsafe clinux_connect_unix($0) }
        return OwnedDescriptor(owning: try check("connect to \(path)", result))
    }

    /// Takes over a listening socket that somebody else has made, e.g. a service manager; EINVAL if it is none.
    public static func adopt(listener: Int32) throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(owning: try check("adopt descriptor \(listener)", clinux_adopt_listener(listener)))
    }

    /// The next client that waits at `listener`; EAGAIN if there is none.
    public static func accept(_ listener: borrowing OwnedDescriptor) throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(owning: try check("accept", clinux_accept(listener.raw)))
    }

    /// Both ends of a connection.
    public static func pair() throws(SystemError) -> SocketPair {
        var ends: (Int32, Int32) = (-1, -1)
        // SAFETY: a tuple of two Int32 is laid out as the array of two that the call fills.
        let result = unsafe withUnsafeMutablePointer(to: &ends) { pointer in
            unsafe pointer.withMemoryRebound(to: Int32.self, capacity: 2) { unsafe clinux_socket_pair($0) }
        }
        _ = try check("socketpair", result)
        return SocketPair(first: OwnedDescriptor(owning: ends.0), second: OwnedDescriptor(owning: ends.1))
    }
}

/// Two connected sockets.
@frozen public struct SocketPair: ~Copyable {
    public let first: OwnedDescriptor
    public let second: OwnedDescriptor
}
