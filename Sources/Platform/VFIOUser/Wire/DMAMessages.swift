// DMA_MAP, DMA_UNMAP, DMA_READ and DMA_WRITE. Source of truth: the vfio-user protocol specification.

/// DMA_MAP: a stretch of the client's memory that the device may reach from now on; its file comes as a descriptor.
public struct MapDMARequest: Equatable, Sendable {
    public static let byteCount = 32
    public static let readable: UInt32 = 1
    public static let writable: UInt32 = 2
    /// Of newer drafts: by mmap. It is what we do anyway.
    public static let byMapping: UInt32 = 4

    public var flags: UInt32
    public var fileOffset: UInt64
    public var iova: UInt64
    public var size: UInt64

    public init(flags: UInt32, fileOffset: UInt64, iova: UInt64, size: UInt64) {
        self.flags = flags
        self.fileOffset = fileOffset
        self.iova = iova
        self.size = size
    }

    public init(_ payload: RawSpan) throws(WireError) {
        try payload.requireExactly(Self.byteCount)
        let argumentSize: UInt32 = payload.integer(0)
        guard argumentSize >= UInt32(Self.byteCount) else { throw .badArgumentSize(argumentSize) }
        flags = payload.integer(4)
        fileOffset = payload.integer(8)
        iova = payload.integer(16)
        size = payload.integer(24)
        let known = Self.readable | Self.writable | Self.byMapping
        guard flags & ~known == 0 else { throw .badFlags(flags) }
    }

    public func write(to buffer: inout MessageBuffer) {
        buffer.append(UInt32(Self.byteCount))
        buffer.append(flags)
        buffer.append(fileOffset)
        buffer.append(iova)
        buffer.append(size)
    }
}

/// DMA_UNMAP, and its reply, which repeats it.
public struct UnmapDMARequest: Equatable, Sendable {
    public static let byteCount = 24
    /// A dirty bitmap is asked for; its 16-byte header follows.
    public static let getDirtyBitmap: UInt32 = 1
    /// All there is; address and size are zero.
    public static let all: UInt32 = 2

    public var argumentSize: UInt32
    public var flags: UInt32
    public var iova: UInt64
    public var size: UInt64

    public init(flags: UInt32, iova: UInt64, size: UInt64) {
        self.argumentSize = UInt32(Self.byteCount)
        self.flags = flags
        self.iova = iova
        self.size = size
    }

    public init(_ payload: RawSpan) throws(WireError) {
        try payload.require(Self.byteCount)
        argumentSize = payload.integer(0)
        flags = payload.integer(4)
        iova = payload.integer(8)
        size = payload.integer(16)
        guard argumentSize >= UInt32(Self.byteCount) else { throw .badArgumentSize(argumentSize) }
        guard flags & ~(Self.getDirtyBitmap | Self.all) == 0 else { throw .badFlags(flags) }
        if flags & Self.getDirtyBitmap == 0 { try payload.requireExactly(Self.byteCount) }
        if flags & Self.all != 0, iova != 0 || size != 0 { throw .badFlags(flags) }
    }

    public func write(to buffer: inout MessageBuffer) {
        buffer.append(argumentSize)
        buffer.append(flags)
        buffer.append(iova)
        buffer.append(size)
    }
}

/// DMA_READ and DMA_WRITE, and their replies: the data of a write, or of a read's reply, follow.
public struct DMAAccess: Equatable, Sendable {
    public static let byteCount = 16
    public var iova: UInt64
    public var count: UInt64

    public init(iova: UInt64, count: UInt64) {
        self.iova = iova
        self.count = count
    }

    public init(_ payload: RawSpan) throws(WireError) {
        try payload.require(Self.byteCount)
        iova = payload.integer(0)
        count = payload.integer(8)
    }

    public func write(to buffer: inout MessageBuffer) {
        buffer.append(iova)
        buffer.append(count)
    }
}
