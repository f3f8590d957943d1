// The memory behind a BAR, mapped by the local caller and by the client of a socket, beside plain memory of the same kind: a
// shared mapping of a memfd. What a program reads and writes there passes nobody.

import Foundation
import Measure
import Memory
import VFIOUser
import VFIOVariant

/// The mappings that are compared.
enum Way: String, CaseIterable {
    case plain, file, socket

    var title: String {
        switch self {
        case .plain: "plain memory"
        case .file: "the BAR, mapped by a caller"
        case .socket: "the BAR, mapped by a client"
        }
    }
}

/// What is done to them.
enum Stream: String, CaseIterable {
    case read, write
}

/// A stretch of memory each, larger than any cache, all touched.
@safe final class MappedMemory {
    static let byteCount = 128 << 20
    /// Where in the usable memory each begins.
    private static let places: (file: Int64, socket: Int64) = (8 << 30, 16 << 30)
    private let plain: SharedMemory
    private let own: RegionMapping
    private let clients: UnsafeMutableRawPointer
    private let far: UnsafeMutableRawPointer

    // SAFETY (all): every mapping, and the far end, have `byteCount` bytes.
    init(_ file: borrowing VFIOFile, _ descriptor: borrowing OwnedDescriptor) throws {
        plain = try SharedMemory(byteCount: Self.byteCount, name: "plain memory")
        own = try file.map(byteCount: Self.byteCount, at: 4 << 40 | Self.places.file)
        unsafe clients = try Self.map(descriptor.raw, at: Self.places.socket)
        unsafe far = .allocate(byteCount: Self.byteCount, alignment: 4096)
        unsafe memset(far, 1, Self.byteCount)
        for way in Way.allCases { unsafe memset(base(way), 2, Self.byteCount) }
    }

    deinit {
        unsafe munmap(clients, Self.byteCount)
        unsafe far.deallocate()
    }

    @unsafe private static func map(_ descriptor: Int32, at place: Int64) throws -> UnsafeMutableRawPointer {
        let address = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, off_t(place))
        guard let address = unsafe address, unsafe address != MAP_FAILED else { throw SystemError.last("mmap") }
        return unsafe address
    }

    @unsafe private func base(_ way: Way) -> UnsafeMutableRawPointer {
        switch way {
        case .plain: unsafe plain.base
        case .file: unsafe own.base
        case .socket: unsafe clients
        }
    }

    /// GiB in a second.
    func round(_ way: Way, _ stream: Stream) -> Double {
        let base = unsafe base(way)
        let start = monotonicNanoseconds()
        switch stream {
        case .read: unsafe memcpy(far, base, Self.byteCount)
        case .write: unsafe memcpy(base, far, Self.byteCount)
        }
        let seconds = Double(monotonicNanoseconds() - start) / 1e9
        return Double(Self.byteCount) / Double(1 << 30) / seconds
    }
}
