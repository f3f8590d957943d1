// Memory that a client can take away: a temporary file of its own.

import Glibc
import Memory
import VFIOUser

public struct UnsealedFile: ~Copyable {
    public let descriptor: OwnedDescriptor

    public init(byteCount: Int) throws(SystemError) {
        let template = Array("/dev/shm/doorbell-test-XXXXXX".utf8CString)
        var name = template
        // SAFETY: mkstemp fills the X of a local, NUL-terminated copy.
        let raw = unsafe name.withUnsafeMutableBufferPointer { name -> Int32 in
            guard let start = name.baseAddress else { return -1 }
            let raw = unsafe mkstemp(start)
            unsafe unlink(start)
            return raw
        }
        guard raw >= 0 else { throw .last("mkstemp") }
        let descriptor = OwnedDescriptor(owning: raw)
        guard ftruncate(raw, byteCount) == 0 else { throw .last("ftruncate") }
        self.descriptor = descriptor
    }

    /// The word in the file now.
    public func word(_ offset: Int) -> UInt32 {
        var value: UInt32 = 0
        // SAFETY: a local of 4 bytes.
        _ = unsafe pread(descriptor.raw, &value, 4, offset)
        return value
    }
}
