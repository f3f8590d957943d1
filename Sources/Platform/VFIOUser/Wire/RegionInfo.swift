// DEVICE_GET_REGION_INFO. Source of truth: the vfio-user protocol specification; flags and capability numbers are those of
// linux/vfio.h.

/// A part of a region that the client may map.
public struct MappedRange: Equatable, Sendable {
    public var offset: UInt64
    public var size: UInt64

    public init(offset: UInt64, size: UInt64) {
        self.offset = offset
        self.size = size
    }
}

/// DEVICE_GET_REGION_INFO and its reply.
public struct RegionInfo: Equatable, Sendable {
    /// Without capabilities.
    public static let byteCount = 32
    public static let readable: UInt32 = 1
    public static let writable: UInt32 = 2
    public static let mappable: UInt32 = 4
    public static let hasCapabilities: UInt32 = 8
    /// VFIO_REGION_INFO_CAP_SPARSE_MMAP.
    private static let sparseMapping: UInt16 = 1
    /// Capability header, number of areas, reserved word.
    private static let sparseHeaderByteCount = 16
    private static let rangeByteCount = 16
    /// A reply with more areas than any sensible device has is not believed.
    public static let mostRanges = 256

    /// In a request: the most bytes of payload that the client takes. In a reply: what all of it needs.
    public var argumentSize: UInt32
    public var flags: UInt32
    public var index: UInt32
    public var size: UInt64
    /// Where the region begins in the file that comes with the reply.
    public var fileOffset: UInt64
    /// The parts that may be mapped, if not all of it.
    public var mappedRanges: [MappedRange]

    public init(
        argumentSize: UInt32 = UInt32(byteCount),
        flags: UInt32 = 0,
        index: UInt32,
        size: UInt64 = 0,
        fileOffset: UInt64 = 0,
        mappedRanges: [MappedRange] = []
    ) {
        self.argumentSize = argumentSize
        self.flags = flags
        self.index = index
        self.size = size
        self.fileOffset = fileOffset
        self.mappedRanges = mappedRanges
    }

    /// The bytes of a reply that tells all.
    public var fullByteCount: Int {
        guard !mappedRanges.isEmpty else { return Self.byteCount }
        return Self.byteCount + Self.sparseHeaderByteCount + mappedRanges.count * Self.rangeByteCount
    }

    /// Reads a request or a reply. Of a reply's capabilities it keeps the areas that may be mapped.
    public init(_ payload: RawSpan) throws(WireError) {
        try payload.require(Self.byteCount)
        argumentSize = payload.integer(0)
        flags = payload.integer(4)
        index = payload.integer(8)
        size = payload.integer(16)
        fileOffset = payload.integer(24)
        mappedRanges = []
        guard argumentSize >= UInt32(Self.byteCount) else { throw .badArgumentSize(argumentSize) }
        if flags & Self.hasCapabilities != 0 {
            mappedRanges = try Self.sparseRanges(payload, first: payload.integer(12))
        }
    }

    /// Walks the capabilities from offset `first`; each must lie behind the one before, so that the walk ends.
    private static func sparseRanges(_ payload: RawSpan, first: UInt32) throws(WireError) -> [MappedRange] {
        var ranges: [MappedRange] = []
        var next = Int(first)
        var end = byteCount
        while next != 0 {
            guard next >= end else { throw .badCount(UInt64(next)) }
            end = next + 8
            try payload.require(end)
            let identifier: UInt16 = payload.integer(next)
            if identifier == sparseMapping {
                try payload.require(next + sparseHeaderByteCount)
                let count = Int(payload.integer(next + 8, as: UInt32.self))
                guard count <= mostRanges else { throw .badCount(UInt64(count)) }
                try payload.require(next + sparseHeaderByteCount + count * rangeByteCount)
                for index in 0..<count {
                    let place = next + sparseHeaderByteCount + index * rangeByteCount
                    ranges.append(MappedRange(offset: payload.integer(place), size: payload.integer(place + 8)))
                }
            }
            next = Int(payload.integer(next + 4, as: UInt32.self))
        }
        return ranges
    }

    /// Writes the request: this struct alone.
    public func writeRequest(to buffer: inout MessageBuffer) {
        writeFixedPart(to: &buffer, capabilityOffset: 0)
    }

    /// Writes the reply, with capabilities if they fit what the client takes. The flag for them is set only then: QEMU
    /// fails on the flag with an offset of zero. Whether all was told.
    public func writeReply(to buffer: inout MessageBuffer, room: UInt32) -> Bool {
        var reply = self
        reply.argumentSize = UInt32(fullByteCount)
        let tellsAll = room >= reply.argumentSize
        guard tellsAll, !mappedRanges.isEmpty else {
            reply.flags &= ~Self.hasCapabilities
            reply.writeFixedPart(to: &buffer, capabilityOffset: 0)
            return tellsAll
        }
        reply.flags |= Self.hasCapabilities
        reply.writeFixedPart(to: &buffer, capabilityOffset: UInt32(Self.byteCount))
        writeSparseCapability(to: &buffer)
        return true
    }

    /// Writes the answer of Linux's VFIO_DEVICE_GET_REGION_INFO, of the same struct: where capabilities do not fit, their
    /// flag is set all the same, with an offset of zero; where they fit, `argsz` stays what the caller had there.
    package func writeKernelReply(to buffer: inout MessageBuffer, room: UInt32) {
        var reply = self
        reply.argumentSize = room
        guard !mappedRanges.isEmpty else { return reply.writeFixedPart(to: &buffer, capabilityOffset: 0) }
        reply.flags |= Self.hasCapabilities
        guard room >= UInt32(fullByteCount) else {
            reply.argumentSize = UInt32(fullByteCount)
            return reply.writeFixedPart(to: &buffer, capabilityOffset: 0)
        }
        reply.writeFixedPart(to: &buffer, capabilityOffset: UInt32(Self.byteCount))
        writeSparseCapability(to: &buffer)
    }

    private func writeSparseCapability(to buffer: inout MessageBuffer) {
        buffer.append(Self.sparseMapping)
        buffer.append(UInt16(1))  // version
        buffer.append(UInt32(0))  // no further capability
        buffer.append(UInt32(mappedRanges.count))
        buffer.append(UInt32(0))
        for range in mappedRanges {
            buffer.append(range.offset)
            buffer.append(range.size)
        }
    }

    private func writeFixedPart(to buffer: inout MessageBuffer, capabilityOffset: UInt32) {
        buffer.append(argumentSize)
        buffer.append(flags)
        buffer.append(index)
        buffer.append(capabilityOffset)
        buffer.append(size)
        buffer.append(fileOffset)
    }
}
