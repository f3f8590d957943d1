// The caller of a VFIO descriptor: memory of its own, some of which cannot be read or written, and the kernel's structures
// as bytes.

import Glibc
import Leases
import VFIOVariant

/// Pages of a caller: `pages` that are memory, and one behind them that is not.
@safe final class CallerPages {
    let base: UnsafeMutableRawPointer
    private let byteCount: Int

    // SAFETY (all): the mapping is ours from init to deinit, and accesses are inside it.
    init(pages: Int = 4) {
        byteCount = (pages + 1) * 4096
        let address = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else { preconditionFailure("mmap") }
        unsafe base = address
        unsafe mprotect(base + pages * 4096, 4096, PROT_NONE)
    }

    deinit { unsafe munmap(base, byteCount) }

    /// The last `count` bytes that are memory.
    func end(_ count: Int) -> UnsafeMutableRawPointer { unsafe base + byteCount - 4096 - count }

    func protect(_ protection: Int32) { unsafe mprotect(base, byteCount - 4096, protection) }

    subscript(offset: Int) -> UInt8 {
        get { unsafe base.load(fromByteOffset: offset, as: UInt8.self) }
        set { unsafe base.storeBytes(of: newValue, toByteOffset: offset, as: UInt8.self) }
    }

    func fill(_ byte: UInt8) { unsafe memset(base, Int32(byte), byteCount - 4096) }

    func bytes(_ range: Range<Int>) -> [UInt8] { range.map { self[$0] } }
}

/// 32-bit words as bytes.
func words(_ values: UInt32...) -> [UInt8] {
    values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) } }
}

extension [UInt8] {
    func word(_ offset: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(self[offset + $1]) << UInt32(8 * $1) } }
    func quad(_ offset: Int) -> UInt64 { UInt64(word(offset)) | UInt64(word(offset + 4)) << 32 }
}

/// An open file, in a form that closures take.
final class OpenFile: Sendable {
    let file: VFIOFile
    init(_ device: any VFIODevice, census: Census) throws(VFIOError) { file = try VFIOFile(device, census: census) }

    static func position(_ region: Int, _ offset: UInt64 = 0) -> Int64 { Int64(region) << 40 | Int64(offset) }

    // SAFETY (below): the arrays are there for the call; an address that is given is the file's to doubt.

    /// The argument as a request left it; an error's code.
    func request(_ request: DeviceRequest, _ argument: [UInt8]) throws(VFIOError) -> [UInt8] {
        var argument = argument
        let result = unsafe argument.withUnsafeMutableBytes { bytes -> VFIOError? in
            do throws(VFIOError) {
                unsafe try file.ioctl(request.rawValue, bytes.baseAddress)
                return nil
            } catch {
                return error
            }
        }
        if let result { throw result }
        return argument
    }

    func pread(_ count: Int, _ position: Int64) throws(VFIOError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xA5, count: max(count, 1))
        var done = 0
        let failure = unsafe bytes.withUnsafeMutableBytes { bytes -> VFIOError? in
            guard let start = bytes.baseAddress else { return nil }
            do throws(VFIOError) {
                done = unsafe try file.pread(start, count: count, at: position)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        return Array(bytes.prefix(done))
    }

    @discardableResult
    func pwrite(_ bytes: [UInt8], _ position: Int64) throws(VFIOError) -> Int {
        var done = 0
        let failure = unsafe bytes.withUnsafeBytes { bytes -> VFIOError? in
            guard let start = bytes.baseAddress else { return nil }
            do throws(VFIOError) {
                done = unsafe try file.pwrite(start, count: bytes.count, at: position)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        return done
    }
}
