// What the hostile client can send descriptors of. Made once; each run begins with all of it as new.

import CLinux
import Glibc
import Memory

/// Files of the client, and what they must hold in the end.
final class Belongings {
    enum Kind: CaseIterable {
        /// To be written by the device as well.
        case shared
        /// Mapped to be read alone: not one byte of it may change.
        case precious
        case unsealed
        case event, otherEvent
        case readOnly, socket, directory, pathOnly, null, listener
    }

    static let fileBytes = 0x10000
    private static let preciousByte: UInt8 = 0xB5

    let shared: SharedMemory
    private let precious: SharedMemory
    private let unsealed: Int32
    private var descriptors: [Kind: Int32] = [:]

    init(listener: Int32) {
        do {
            shared = try SharedMemory(byteCount: Self.fileBytes, name: "shared")
            precious = try SharedMemory(byteCount: Self.fileBytes, name: "precious")
        } catch {
            fatalError("\(error)")
        }
        // SAFETY: a copy of a literal, which mkstemp changes in place.
        var name = Array("/dev/shm/doorbell-fuzz-XXXXXX".utf8CString)
        unsealed = unsafe name.withUnsafeMutableBufferPointer { name -> Int32 in
            guard let start = name.baseAddress else { return -1 }
            let file = unsafe mkstemp(start)
            unsafe unlink(start)
            return file
        }
        let pathOnlyFlag: Int32 = 0x20_0000
        let path = "/proc/self/fd/\(precious.fileDescriptor)"
        descriptors = [
            .shared: shared.fileDescriptor, .precious: precious.fileDescriptor, .unsealed: unsealed,
            .event: clinux_eventfd(), .otherEvent: clinux_eventfd(), .readOnly: unsafe open(path, O_RDONLY),
            .socket: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0), .directory: unsafe open("/", O_RDONLY),
            .pathOnly: unsafe open(path, pathOnlyFlag), .null: unsafe open("/dev/null", O_RDWR), .listener: listener,
        ]
    }

    func descriptor(_ kind: Kind) -> Int32 { descriptors[kind] ?? -1 }

    /// Everything as at first.
    func renew() {
        // SAFETY: the memory is ours and as long as this says.
        unsafe memset(shared.base, 0, Self.fileBytes)
        unsafe memset(precious.base, Int32(Self.preciousByte), Self.fileBytes)
        ftruncate(unsealed, 0)
        ftruncate(unsealed, Self.fileBytes)
        for kind in [Kind.event, .otherEvent] {
            _ = clinux_drain_eventfd(descriptor(kind))
            _ = clinux_set_nonblocking(descriptor(kind))
        }
    }

    /// Makes the unsealed file shorter, or longer again.
    func resize(_ byteCount: Int) { ftruncate(unsealed, byteCount) }

    /// The eventfd is full, and a write to it waits.
    func block() {
        _ = clinux_set_nonblocking(descriptor(.event))
        var most = UInt64.max - 1
        // SAFETY: a local of 8 bytes.
        _ = unsafe write(descriptor(.event), &most, 8)
        _ = fcntl(descriptor(.event), F_SETFL, 0)
    }

    var preciousIsUntouched: Bool {
        // SAFETY: the memory is ours and as long as this says.
        unsafe UnsafeRawBufferPointer(start: precious.base, count: Self.fileBytes).allSatisfy {
            $0 == Self.preciousByte
        }
    }
}
