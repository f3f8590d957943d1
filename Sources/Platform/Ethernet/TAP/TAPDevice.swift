// A TAP device of Linux: a network interface whose cable ends in this process.
// Source of truth: Documentation/networking/tuntap.rst, Linux 6.12.

import CLinux
import Glibc

/// An open TAP device. If it was not there before it goes away with this value. The interface may be moved to another
/// network namespace meanwhile; the cable stays plugged in.
public struct TAPDevice: ~Copyable, Sendable {
    public let name: String
    /// Reads and writes one Ethernet frame without CRC per call; non-blocking.
    let fileDescriptor: Int32

    /// Opens the device, and makes it if there is none. It is down until somebody brings it up.
    public init(_ name: String) throws(TAPError) {
        guard isInterfaceName(name) else { throw .notAName(name) }
        // SAFETY: the C string lives as long as the call.
        let descriptor = unsafe name.withCString { unsafe clinux_open_tap($0) }
        guard descriptor >= 0 else { throw TAPError(opening: name, code: -descriptor) }
        self.name = name
        fileDescriptor = descriptor
    }

    deinit { close(fileDescriptor) }
}

/// The rules of `dev_valid_name` in net/core/dev.c, Linux 6.12. And no `%`: the kernel would put a number for it, and
/// the device would have another name than its user thinks.
private func isInterfaceName(_ name: String) -> Bool {
    guard (1...15).contains(name.utf8.count), name != ".", name != ".." else { return false }
    return name.utf8.allSatisfy { byte in
        byte > UInt8(ascii: " ") && byte != UInt8(ascii: "/") && byte != UInt8(ascii: ":") && byte != UInt8(ascii: "%")
    }
}
