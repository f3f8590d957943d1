// Memory of a caller that is not all there: a page that can be written, and one behind it that cannot be touched.

import Glibc
import VFIOVariant

/// Two pages, of which the second is out of bounds.
@safe struct CallerBuffer: ~Copyable {
    static let pageBytes = 4096
    private let base: UnsafeMutableRawPointer

    init() throws(VFIOError) {
        let length = 2 * Self.pageBytes
        let base = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let base = unsafe base, unsafe base != MAP_FAILED else { throw VFIOError(errno, "caller's pages") }
        unsafe self.base = base
        _ = unsafe mprotect(base + Self.pageBytes, Self.pageBytes, PROT_NONE)
    }

    deinit { unsafe munmap(base, 2 * Self.pageBytes) }

    /// Where `count` bytes can be touched, and no more.
    ///
    /// SAFETY: as long as this lives.
    @unsafe func lastBytes(_ count: Int) -> UnsafeMutableRawPointer { unsafe base + Self.pageBytes - count }

    /// Makes the last bytes that can be touched these.
    func fill(_ bytes: [UInt8]) {
        for (index, byte) in bytes.enumerated() {
            unsafe lastBytes(bytes.count).storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        }
    }

    /// The last `count` bytes that can be touched.
    func contents(_ count: Int) -> [UInt8] {
        (0..<count).map { unsafe lastBytes(count).load(fromByteOffset: $0, as: UInt8.self) }
    }
}
