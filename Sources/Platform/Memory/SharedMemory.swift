// Memory that a driver, a device in another process and a VM can all map: a memfd and our mapping of it.

import CLinux
import Glibc

/// A mapped memfd. Its end unmaps it and closes the descriptor.
@safe public struct SharedMemory: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): address and descriptor never change; what is in the memory is accessed by rules of its owners.
    public let base: UnsafeMutableRawPointer
    /// A multiple of the page size, of huge pages where it is made of them.
    public let byteCount: Int
    public let fileDescriptor: Int32

    private static let pageBytes = 4096
    /// Of the smaller kind of huge pages, on x86-64 and on arm64 with 4 KiB pages.
    public static let hugePageBytes = 2 * 1024 * 1024

    /// At least `byteCount` bytes of zeroed memory. `name` shows up in /proc/self/maps.
    ///
    /// - Parameter prefersHugePages: where it would fill at least half of one, and the machine has huge pages set aside;
    ///   else the memory is of plain pages. Less of them are looked up by the CPU, and by an IOMMU.
    public init(byteCount: Int, name: String, prefersHugePages: Bool = false) throws(SystemError) {
        if prefersHugePages, byteCount >= Self.hugePageBytes / 2 {
            do {
                try self.init(byteCount: byteCount, name: name, pageBytes: Self.hugePageBytes)
                return
            } catch {
                // None set aside, all in use, or a limit of the group that the process runs in: plain pages do.
            }
        }
        try self.init(byteCount: byteCount, name: name, pageBytes: Self.pageBytes)
    }

    private init(byteCount: Int, name: String, pageBytes: Int) throws(SystemError) {
        guard byteCount > 0, byteCount <= Int.max - pageBytes else { throw SystemError("ftruncate", code: EINVAL) }
        let rounded = (byteCount + pageBytes - 1) / pageBytes * pageBytes
        let descriptor = unsafe name.withCString { name in
            pageBytes == Self.pageBytes
                ? unsafe clinux_memfd(name, Int64(rounded)) : unsafe clinux_memfd_of_huge_pages(name, Int64(rounded))
        }
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
