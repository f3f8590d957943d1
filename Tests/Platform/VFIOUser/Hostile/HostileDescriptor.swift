// Descriptors that a client should not send, and how to find out who still has one: other tests open and close theirs
// meanwhile, so counting those of the whole process would tell nothing.

import CLinux
import Glibc
import Memory
import VFIOUser
import VFIOUserTestClient

/// A descriptor to send.
final class HostileDescriptor {
    enum Kind: String, Sendable, CaseIterable {
        case event, memory, readOnlyMemory, pathOnly, emptyMemory, unsealed
        case socket, pipe, directory, epoll, null, diskFile

        /// Nobody else has the same file open.
        var isOurs: Bool {
            switch self {
            case .event, .memory, .readOnlyMemory, .pathOnly, .emptyMemory, .unsealed, .socket, .pipe: true
            case .directory, .epoll, .null, .diskFile: false
            }
        }

        /// Descriptors that the attacker itself has of the file.
        var ownCount: Int {
            switch self {
            case .readOnlyMemory, .pathOnly, .pipe: 2
            default: 1
            }
        }
    }

    let kind: Kind
    private let descriptor: OwnedDescriptor
    /// What else must stay open for it.
    private let other: OwnedDescriptor?
    /// Who it is, whatever number it has.
    let identity: FileIdentity

    /// Bytes of those kinds that have any.
    static let byteCount = 0x4000

    init(_ kind: Kind) {
        self.kind = kind
        let made = Self.make(kind)
        identity = FileIdentity(made.first)
        descriptor = OwnedDescriptor(owning: made.first)
        if let second = made.second { other = OwnedDescriptor(owning: second) } else { other = nil }
    }

    var raw: Int32 { descriptor.raw }

    private static func make(_ kind: Kind) -> (first: Int32, second: Int32?) {
        // SAFETY (all of them): names are literals, buffers locals of the size that the call is told.
        switch kind {
        case .event: return (clinux_eventfd(), nil)
        case .memory: return (unsafe clinux_memfd("hostile", Int64(byteCount)), nil)
        case .readOnlyMemory: return reopened(O_RDONLY)
        case .pathOnly: return reopened(pathOnlyFlag)
        case .emptyMemory: return (unsealed(0), nil)
        case .unsealed: return (unsealed(byteCount), nil)
        case .socket: return (socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0), nil)
        case .pipe:
            var ends: [Int32] = [-1, -1]
            unsafe ends.withUnsafeMutableBufferPointer { _ = unsafe Glibc.pipe($0.baseAddress) }
            return (ends[0], ends[1])
        case .directory: return (unsafe open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), nil)
        case .epoll: return (makeEpoll(0), nil)
        case .null: return (unsafe open("/dev/null", O_RDWR | O_CLOEXEC), nil)
        case .diskFile: return (unsafe open("/etc/passwd", O_RDONLY | O_CLOEXEC), nil)
        }
    }

    /// O_PATH, which Glibc shows to those alone who ask for GNU's extensions.
    private static let pathOnlyFlag: Int32 = 0x20_0000

    /// Memory, and a second open file of it.
    private static func reopened(_ flags: Int32) -> (first: Int32, second: Int32?) {
        let memory = unsafe clinux_memfd("hostile", Int64(byteCount))
        return (unsafe open("/proc/self/fd/\(memory)", flags | O_CLOEXEC), memory)
    }

    /// epoll_create1(2), whose header is not in Swift's Glibc.
    @_silgen_name("epoll_create1") private static func makeEpoll(_ flags: Int32) -> Int32

    private static func unsealed(_ byteCount: Int) -> Int32 {
        guard let file = try? UnsealedFile(byteCount: byteCount), let copy = try? file.descriptor.copy() else {
            return -1
        }
        return copy
    }
}

extension OwnedDescriptor {
    fileprivate borrowing func copy() throws -> Int32 { try Self.duplicate(of: raw).release() }
}

/// Tells an open file from others.
struct FileIdentity: Hashable {
    private let device: UInt64
    private let inode: UInt64
    /// Of an eventfd: all of them share an inode.
    private let event: String?

    init(_ descriptor: Int32) {
        var status = stat()
        // SAFETY: a local.
        _ = unsafe fstat(descriptor, &status)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        event = Self.lines("/proc/self/fdinfo/\(descriptor)").first { $0.hasPrefix("eventfd-id:") }
    }

    /// How many descriptors of this process are of this file, at most `most` looked at.
    func openCount(most: Int32 = 2048) -> Int {
        (0..<most).count { descriptor in
            var status = stat()
            // SAFETY: a local. A number that is no descriptor fails.
            guard unsafe fstat(descriptor, &status) == 0, UInt64(status.st_ino) == inode,
                UInt64(status.st_dev) == device
            else { return false }
            return event == nil || FileIdentity(descriptor) == self
        }
    }

    /// Whether a mapping of the file is in this process.
    var isMapped: Bool {
        Self.lines("/proc/self/maps").contains { line in
            let parts = line.split(separator: " ", omittingEmptySubsequences: true)
            return parts.count > 4 && UInt64(parts[4]) == inode && parts[3] == deviceText
        }
    }

    /// Major and minor as the kernel prints them there (new_decode_dev).
    private var deviceText: String {
        func hex(_ value: UInt64) -> String { value < 16 ? "0" + String(value, radix: 16) : String(value, radix: 16) }
        return hex(device >> 8 & 0xFFF) + ":" + hex(device & 0xFF | device >> 12 & 0xFFF00)
    }

    private static func lines(_ path: String) -> [String] {
        // SAFETY: strings and buffers of this call.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            text += piece[0..<count]
        }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
