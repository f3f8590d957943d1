// What a program says of its packet memory, and the kernel's checks of it. Sources of truth: `struct xdp_umem_reg` of
// linux/if_xdp.h; `xdp_umem_reg` in net/xdp/xdp_umem.c (Linux 6.12.105).

/// `xdp_umem_reg.flags`.
@frozen public struct UMEMFlags: OptionSet, Sendable {
    public let rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// XDP_UMEM_UNALIGNED_CHUNK_FLAG
    @inlinable public static var unalignedChunks: UMEMFlags { .init(rawValue: 1) }
    /// XDP_UMEM_TX_SW_CSUM: of use in copy mode only; Linux accepts and ignores it in zero-copy mode, and so do we.
    @inlinable public static var softwareChecksum: UMEMFlags { .init(rawValue: 2) }
    /// XDP_UMEM_TX_METADATA_LEN: without it the metadata length is ignored.
    @inlinable public static var transmitMetadataLength: UMEMFlags { .init(rawValue: 4) }
}

/// What a program registers: `struct xdp_umem_reg`.
@frozen public struct UMEMRegistration: Equatable, Sendable {
    /// addr: where the memory lies in the program; means nothing to anybody else.
    public var address: UInt64
    /// len: bytes.
    public var byteCount: UInt64
    /// chunk_size
    public var chunkSize: UInt32
    /// headroom: bytes that the program keeps for itself before a received frame.
    public var headroom: UInt32
    /// flags
    public var flags: UInt32
    /// tx_metadata_len
    public var transmitMetadataLength: UInt32

    @inlinable public init(
        byteCount: UInt64,
        chunkSize: UInt32 = 4096,
        headroom: UInt32 = 0,
        flags: UMEMFlags = [],
        transmitMetadataLength: UInt32 = 0
    ) {
        address = 0
        self.byteCount = byteCount
        self.chunkSize = chunkSize
        self.headroom = headroom
        self.flags = flags.rawValue
        self.transmitMetadataLength = transmitMetadataLength
    }
}

/// Why a registration was refused. Where the kernel only says EINVAL, this says which number it did not like.
public enum UMEMError: Error, Equatable, CustomStringConvertible {
    case chunkSize(UInt32)
    case unknownFlags(UInt32)
    case unalignedChunks
    case noChunks(byteCount: UInt64, chunkSize: UInt32)
    case partialChunk(byteCount: UInt64, chunkSize: UInt32)
    case beyondMemory(byteCount: UInt64, memory: Int)
    case headroom(UInt32, chunkSize: UInt32)
    case transmitMetadataLength(UInt32)

    public var description: String {
        switch self {
        case .chunkSize(let size):
            return "umem: expected a chunk size of 2048 or 4096, came \(size)"
        case .unknownFlags(let flags):
            return "umem: expected flags 0x1, 0x2 and 0x4 only, came 0x\(String(flags, radix: 16))"
        case .unalignedChunks:
            return "umem: expected aligned chunks, came the unaligned chunk flag"
        case .noChunks(let byteCount, let chunkSize):
            return "umem: expected at least one chunk of \(chunkSize) bytes, came \(byteCount) bytes"
        case .partialChunk(let byteCount, let chunkSize):
            return "umem: expected a multiple of \(chunkSize) bytes, came \(byteCount)"
        case .beyondMemory(let byteCount, let memory):
            return "umem: expected at most the \(memory) bytes of its memory, came \(byteCount)"
        case .headroom(let headroom, let chunkSize):
            let limit = Int(chunkSize) - UMEM.packetHeadroom
            return "umem: expected a headroom below \(limit) bytes, came \(headroom)"
        case .transmitMetadataLength(let length):
            return "umem: expected a metadata length of 16 to 248 bytes, a multiple of 8, came \(length)"
        }
    }
}
