// Memory that a driver, a device in another process and a VM can all map: a memfd and our mapping of it.

import CLinux
import Glibc

/// A mapped memfd. Its end unmaps it and closes the descriptor.
@safe public struct SharedMemory: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): address and descriptor never change; what is in the memory is accessed by rules of its owners.
    public let base: UnsafeMutableRawPointer
    /// A multiple of the page size.
    public let byteCount: Int
    public let fileDescriptor: Int32

    /// At least `byteCount` bytes of zeroed memory. `name` shows up in /proc/self/maps.
    public init(byteCount: Int, name: String) throws(SystemError) {
        let pageSize = 4096
        guard byteCount > 0, byteCount <= Int.max - pageSize else { throw SystemError("ftruncate", code: EINVAL) }
        let rounded = (byteCount + pageSize - 1) / pageSize * pageSize
        let descriptor = unsafe name.withCString { unsafe clinux_memfd($0, Int64(rounded)) }
        guard descriptor >= 0 else { throw .last("memfd_create") }
        let address = unsafe mmap(nil, rounded, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            let error = SystemError.last("mmap")
            close(descriptor)
            throw error
        }
        unsafe self.base = address
        self.byteCount = rounded
        self.fileDescriptor = descriptor
    }

    deinit {
        unsafe munmap(base, byteCount)
        close(fileDescriptor)
    }

    /// The whole memory, to read.
    @_lifetime(borrow self)
    @inlinable public func bytes() -> RawSpan {
        unsafe _overrideLifetime(RawSpan(_unsafeStart: base, byteCount: byteCount), borrowing: self)
    }

    /// The whole memory, to write.
    @_lifetime(&self)
    @inlinable public mutating func mutableBytes() -> MutableRawSpan {
        unsafe _overrideLifetime(MutableRawSpan(_unsafeStart: base, byteCount: byteCount), mutating: &self)
    }
}
