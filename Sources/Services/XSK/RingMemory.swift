// The memory of the four rings: one sparse file that holds each ring at the page offset that linux/if_xdp.h gives it, so
// that a program maps them with the very calls it makes on an AF_XDP socket.

import CLinux
import Glibc
import Memory

/// How many entries each ring has: powers of two.
public struct XSKRingSizes: Equatable, Sendable {
    public var receive: UInt32
    public var transmit: UInt32
    public var fill: UInt32
    public var completion: UInt32

    /// The defaults are libxdp's.
    public init(receive: UInt32 = 2048, transmit: UInt32 = 2048, fill: UInt32 = 2048, completion: UInt32 = 2048) {
        self.receive = receive
        self.transmit = transmit
        self.fill = fill
        self.completion = completion
    }

    public subscript(ring: XSKRing) -> UInt32 {
        switch ring {
        case .receive: return receive
        case .transmit: return transmit
        case .fill: return fill
        case .completion: return completion
        }
    }

    /// Bytes of a ring's mapping, as a program computes them: where the entries start, and the entries.
    public func byteCount(of ring: XSKRing) -> Int {
        Int(XSKRingOffset.linux.entries) + Int(self[ring]) * ring.entryBytes
    }
}

/// The four rings. Their end unmaps them and closes the file.
struct RingMemory: ~Copyable, Sendable {
    private let receive: RingMapping
    private let transmit: RingMapping
    private let fill: RingMapping
    private let completion: RingMapping
    private let file: RingFile

    init(_ sizes: XSKRingSizes) throws(SystemError) {
        let file = try RingFile(sizes)
        let receive = try RingMapping(.receive, sizes, in: file)
        let transmit = try RingMapping(.transmit, sizes, in: file)
        let fill = try RingMapping(.fill, sizes, in: file)
        let completion = try RingMapping(.completion, sizes, in: file)
        self.receive = receive
        self.transmit = transmit
        self.fill = fill
        self.completion = completion
        self.file = file
    }

    var fileDescriptor: Int32 { file.descriptor }

    /// Sets all indices, before anybody else sees the rings.
    func start(at index: UInt32) {
        for ring in XSKRing.allCases {
            let base = unsafe base(of: ring)
            let offsets = XSKRingOffset.linux
            unsafe base.storeBytes(of: index, toByteOffset: Int(offsets.producer), as: UInt32.self)
            unsafe base.storeBytes(of: index, toByteOffset: Int(offsets.consumer), as: UInt32.self)
        }
    }

    /// SAFETY: good as long as the rings.
    @unsafe func base(of ring: XSKRing) -> UnsafeMutableRawPointer {
        switch ring {
        case .receive: return unsafe receive.base
        case .transmit: return unsafe transmit.base
        case .fill: return unsafe fill.base
        case .completion: return unsafe completion.base
        }
    }
}

/// The sparse file behind the rings. Its size is sealed: a program that has it cannot take pages away.
private struct RingFile: ~Copyable {
    let descriptor: Int32

    init(_ sizes: XSKRingSizes) throws(SystemError) {
        let last = XSKRing.completion
        let end = Int64(last.mapOffset) + Int64(sizes.byteCount(of: last))
        let descriptor = unsafe "doorbell-xsk-rings".withCString { unsafe clinux_memfd($0, (end + 4095) & ~4095) }
        guard descriptor >= 0 else { throw .last("memfd_create") }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }
}

/// One ring's part of the file, mapped.
@safe private struct RingMapping: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): the address never changes; the words there are atomics.
    let base: UnsafeMutableRawPointer
    private let byteCount: Int

    init(_ ring: XSKRing, _ sizes: XSKRingSizes, in file: borrowing RingFile) throws(SystemError) {
        let byteCount = sizes.byteCount(of: ring)
        let protection = PROT_READ | PROT_WRITE
        let address = unsafe mmap(nil, byteCount, protection, MAP_SHARED, file.descriptor, Int(ring.mapOffset))
        guard let address = unsafe address, unsafe address != MAP_FAILED else { throw .last("mmap") }
        unsafe base = address
        self.byteCount = byteCount
    }

    // SAFETY: the only one to unmap it; whoever has views of it keeps it.
    deinit { unsafe munmap(base, byteCount) }
}
