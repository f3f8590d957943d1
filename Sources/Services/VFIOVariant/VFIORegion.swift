// A region of a function and the memory behind it. Source of truth: linux/vfio.h (struct vfio_region_info).

import Memory

/// What a caller learns about a region before it uses it.
public struct VFIORegion: Sendable, Equatable {
    /// Region numbers of a PCI function (VFIO_PCI_*_REGION_INDEX).
    public static let rom = 6
    public static let config = 7
    public static let vga = 8
    public static let count = 9

    /// Bytes; 0: the function has no such region.
    public var byteCount: UInt64
    public var isReadable: Bool
    public var isWritable: Bool
    /// The memory of it that can be mapped; nil: reads and writes only.
    public var memory: FileMemory?
    /// For a BAR: its flags in configuration space.
    public var is64Bit: Bool
    public var isPrefetchable: Bool

    /// The part of a region that is memory, in a file that a VM or a program can map.
    public struct FileMemory: Sendable, Equatable {
        /// Open as long as the device.
        public var fileDescriptor: Int32
        /// Where the region's byte 0 is (or would be) in the file.
        public var fileOffset: UInt64
        /// Offsets into the region, whole pages, ascending.
        public var areas: [Range<UInt64>]
        public var caching: MemoryCaching

        public init(fileDescriptor: Int32, fileOffset: UInt64, areas: [Range<UInt64>], caching: MemoryCaching) {
            self.fileDescriptor = fileDescriptor
            self.fileOffset = fileOffset
            self.areas = areas
            self.caching = caching
        }
    }

    public init(
        byteCount: UInt64,
        isReadable: Bool = true,
        isWritable: Bool = true,
        is64Bit: Bool = false,
        isPrefetchable: Bool = false,
        memory: FileMemory? = nil
    ) {
        self.byteCount = byteCount
        self.isReadable = isReadable
        self.isWritable = isWritable
        self.is64Bit = is64Bit
        self.isPrefetchable = isPrefetchable
        self.memory = memory
    }

    /// A region that the function does not have.
    public static let absent = VFIORegion(byteCount: 0, isReadable: false, isWritable: false)
}
