// DEVICE_GET_REGION_IO_FDS. Source of truth: the vfio-user protocol specification for the request; libvfio-user for the
// entries, which have 48 bytes there since it knows shadow memory (the specification's 40 do not).

/// DEVICE_GET_REGION_IO_FDS and the first part of its reply.
public struct IODescriptorsRequest: Equatable, Sendable {
    public static let byteCount = 16
    public var argumentSize: UInt32
    public var flags: UInt32
    public var index: UInt32
    public var count: UInt32

    public init(argumentSize: UInt32, flags: UInt32 = 0, index: UInt32, count: UInt32 = 0) {
        self.argumentSize = argumentSize
        self.flags = flags
        self.index = index
        self.count = count
    }

    public init(_ payload: RawSpan) throws(WireError) {
        (argumentSize, flags, index, count) = try payload.question()
        guard flags == 0 else { throw .badFlags(flags) }
    }

    public func write(to buffer: inout MessageBuffer) {
        buffer.append(argumentSize, flags, index, count)
    }
}

/// A part of a region that is written without a message: the value goes to shared memory, then an eventfd is signalled.
public struct ShadowedSubregion: Equatable, Sendable {
    public static let byteCount = 48
    /// VFIO_USER_IO_FD_TYPE_IOEVENTFD_SHADOW of libvfio-user.
    public static let shadowType: UInt32 = 2

    /// In the region.
    public var offset: UInt64
    public var size: UInt64
    /// Which of the reply's descriptors is the eventfd, and which the memory.
    public var eventIndex: UInt32
    public var type: UInt32
    public var flags: UInt32
    public var memoryIndex: UInt32
    /// In the memory.
    public var memoryOffset: UInt64
    public var dataMatch: UInt64

    public init(offset: UInt64, size: UInt64, eventIndex: UInt32, memoryIndex: UInt32, memoryOffset: UInt64) {
        self.offset = offset
        self.size = size
        self.eventIndex = eventIndex
        self.type = Self.shadowType
        self.flags = 0
        self.memoryIndex = memoryIndex
        self.memoryOffset = memoryOffset
        self.dataMatch = 0
    }

    public init(_ bytes: RawSpan) throws(WireError) {
        try bytes.require(Self.byteCount)
        offset = bytes.integer(0)
        size = bytes.integer(8)
        eventIndex = bytes.integer(16)
        type = bytes.integer(20)
        flags = bytes.integer(24)
        memoryIndex = bytes.integer(28)
        memoryOffset = bytes.integer(32)
        dataMatch = bytes.integer(40)
    }

    public func write(to buffer: inout MessageBuffer) {
        buffer.append(offset)
        buffer.append(size)
        buffer.append(eventIndex)
        buffer.append(type)
        buffer.append(flags)
        buffer.append(memoryIndex)
        buffer.append(memoryOffset)
        buffer.append(dataMatch)
    }
}
