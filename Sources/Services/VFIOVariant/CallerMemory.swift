// The memory that a caller names in a call: an address that may be wrong. What the kernel does with copy_from_user and
// copy_to_user.

import CLinux
import Glibc

/// Copies from and to addresses that nobody vouches for.
enum CallerMemory {
    /// Fills `bytes` from `address`; `EFAULT` if not all of it can be read.
    ///
    /// SAFETY: the address may be anything. Who reads and writes there at the same time is the caller's business.
    @unsafe static func read(_ address: UnsafeRawPointer, into bytes: inout MutableRawSpan) throws(VFIOError) {
        let wanted = bytes.byteCount
        let got = unsafe readable(address, into: &bytes)
        guard got == wanted else { throw VFIOError(EFAULT, "\(got) of the caller's \(wanted) bytes can be read") }
    }

    /// Fills as much of `bytes` as there is at `address`.
    ///
    /// SAFETY: as above.
    @unsafe static func readable(_ address: UnsafeRawPointer, into bytes: inout MutableRawSpan) -> Int {
        let copied = unsafe bytes.withUnsafeMutableBytes { own -> Int in
            guard let start = own.baseAddress else { return 0 }
            return unsafe clinux_copy_from_caller(start, address, UInt(own.count))
        }
        return max(copied, 0)
    }

    /// Copies `bytes` to `address`; `EFAULT` if not all of it can be written.
    ///
    /// SAFETY: as above.
    @unsafe static func write(_ bytes: RawSpan, to address: UnsafeMutableRawPointer) throws(VFIOError) {
        let copied = unsafe bytes.withUnsafeBytes { own -> Int in
            guard let start = own.baseAddress else { return 0 }
            return unsafe clinux_copy_to_caller(address, start, UInt(own.count))
        }
        guard copied == bytes.byteCount else {
            throw VFIOError(EFAULT, "\(max(copied, 0)) of the caller's \(bytes.byteCount) bytes can be written")
        }
    }
}
