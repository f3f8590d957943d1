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
    /// Whether TCP segments that belong together may be handed over as one packet. Then every frame has a header.
    let takesTrains: Bool

    /// Bytes of struct virtio_net_hdr, which stands before every frame if the device takes trains.
    static var headerBytes: Int { 10 }

    /// Opens the device, and makes it if there is none. It is down until somebody brings it up.
    ///
    /// - Parameter takesTrains: TCP segments that belong together reach the host's stack as one packet, which spares most
    ///   of its work; whoever captures on the device sees that packet.
    public init(_ name: String, takesTrains: Bool = false) throws(TAPError) {
        guard isInterfaceName(name) else { throw .notAName(name) }
        // SAFETY: the C string lives as long as the call.
        let descriptor = unsafe name.withCString { unsafe clinux_open_tap($0, takesTrains ? 1 : 0) }
        guard descriptor >= 0 else { throw TAPError(opening: name, code: -descriptor) }
        self.name = name
        fileDescriptor = descriptor
        self.takesTrains = takesTrains
    }

    deinit { close(fileDescriptor) }

    /// Reads a frame; its length, or negative with `errno` set.
    ///
    /// SAFETY: `room` has `capacity` bytes.
    @unsafe func read(into room: UnsafeMutableRawPointer, _ capacity: Int) -> Int {
        guard takesTrains else { return unsafe Glibc.read(fileDescriptor, room, capacity) }
        // Nobody told the kernel that we could cut or check anything, so its header says nothing.
        var header: InlineArray<10, UInt8> = .init(repeating: 0)
        let length = unsafe withUnsafeMutableBytes(of: &header) { header in
            var parts: InlineArray<2, iovec> = unsafe [
                iovec(iov_base: header.baseAddress, iov_len: header.count), iovec(iov_base: room, iov_len: capacity),
            ]
            return unsafe withUnsafeBytes(of: &parts) { parts in
                unsafe readv(fileDescriptor, parts.assumingMemoryBound(to: iovec.self).baseAddress, 2)
            }
        }
        return length < 0 ? length : max(0, length - Self.headerBytes)
    }

    /// Writes a frame; false with `errno` set if the device did not take it.
    ///
    /// SAFETY: `frame` has `length` bytes.
    @unsafe func write(_ frame: UnsafeMutableRawPointer, _ length: Int) -> Bool {
        guard takesTrains else { return unsafe Glibc.write(fileDescriptor, frame, length) >= 0 }
        var header: InlineArray<10, UInt8> = .init(repeating: 0)
        return unsafe withUnsafeMutableBytes(of: &header) { header in
            var parts: InlineArray<2, iovec> = unsafe [
                iovec(iov_base: header.baseAddress, iov_len: header.count), iovec(iov_base: frame, iov_len: length),
            ]
            return unsafe withUnsafeBytes(of: &parts) { parts in
                unsafe writev(fileDescriptor, parts.assumingMemoryBound(to: iovec.self).baseAddress, 2) >= 0
            }
        }
    }
}

/// The rules of `dev_valid_name` in net/core/dev.c, Linux 6.12. And no `%`: the kernel would put a number for it, and
/// the device would have another name than its user thinks.
private func isInterfaceName(_ name: String) -> Bool {
    guard (1...15).contains(name.utf8.count), name != ".", name != ".." else { return false }
    return name.utf8.allSatisfy { byte in
        byte > UInt8(ascii: " ") && byte != UInt8(ascii: "/") && byte != UInt8(ascii: ":") && byte != UInt8(ascii: "%")
    }
}
