// The blocks of a capture file, in memory. Source of truth: draft-ietf-opsawg-pcapng, sections 3 (blocks, options) and 4
// (section header, interface description, enhanced packet).

/// Whole blocks that wait to be written. Numbers are little-endian.
@safe struct PcapngBuffer: ~Copyable {
    // SAFETY: every byte is written by `put`, which checks that it fits; `patch` writes inside the open block.
    /// What is to be written; the first `count` bytes are.
    let bytes: UnsafeMutableRawPointer
    private(set) var count = 0
    private var blockStart = 0

    /// Some twenty of the longest blocks, some thousand of the usual ones: a write call for every thousand frames.
    static var capacity: Int { 256 * 1024 }
    /// Longer texts are cut: a block stays well below the capacity.
    static var maximumTextBytes: Int { 4096 }

    init() { unsafe bytes = .allocate(byteCount: Self.capacity, alignment: 16) }

    deinit { unsafe bytes.deallocate() }

    var room: Int { Self.capacity - count }

    mutating func removeAll() { count = 0 }

    /// Starts a block; its length is filled in by `endBlock`.
    mutating func beginBlock(_ type: UInt32) {
        blockStart = count
        put(type)
        put(UInt32(0))
    }

    /// Ends a block: its length once more, and at its start, so that readers go through a file both ways.
    mutating func endBlock() {
        let length = UInt32(truncatingIfNeeded: count &+ 4 &- blockStart)
        put(length)
        unsafe (bytes + blockStart + 4).storeBytes(of: length.littleEndian, as: UInt32.self)
    }

    mutating func put<Number: FixedWidthInteger & BitwiseCopyable>(_ value: Number) {
        let size = MemoryLayout<Number>.size
        precondition(size <= room, "pcapng block beyond its buffer")
        unsafe (bytes + count).storeBytes(of: value.littleEndian, as: Number.self)
        count &+= size
    }

    /// Data, and zeros up to a multiple of four.
    mutating func put(_ data: RawSpan) {
        let length = data.byteCount
        precondition(Self.padded(length) <= room, "pcapng block beyond its buffer")
        let start = unsafe bytes + count
        // The last four first: what the data does not cover of them stays zero.
        if length > 0 { unsafe start.storeBytes(of: 0, toByteOffset: Self.padded(length) &- 4, as: UInt32.self) }
        unsafe data.withUnsafeBytes { source in
            if let address = source.baseAddress { unsafe start.copyMemory(from: address, byteCount: length) }
        }
        count &+= Self.padded(length)
    }

    mutating func putOption(_ code: PcapngOption, _ value: UInt32) {
        put(code.rawValue)
        put(UInt16(4))
        put(value)
    }

    mutating func putOption(_ code: PcapngOption, _ value: UInt8) {
        put(code.rawValue)
        put(UInt16(1))
        put(UInt32(value))
    }

    mutating func putOption(_ code: PcapngOption, _ text: String) {
        var utf8 = Array(text.utf8.prefix(Self.maximumTextBytes))
        if utf8.count < text.utf8.count {
            // A character that was cut in two goes: its bytes after the first are 10xxxxxx.
            while let last = utf8.popLast(), last & 0xC0 == 0x80 {}
        }
        put(code.rawValue)
        put(UInt16(utf8.count))
        put(unsafe utf8.span.bytes)
    }

    mutating func putEndOfOptions() { put(UInt32(0)) }

    static func padded(_ length: Int) -> Int { (length &+ 3) & ~3 }
}

/// Option codes; what they mean depends on the block.
enum PcapngOption: UInt16 {
    /// opt_comment, in every block.
    case comment = 1
    /// shb_hardware in a section header, if_name in an interface description, epb_flags in a packet.
    case hardwareOrNameOrFlags = 2
    /// shb_userappl in a section header.
    case application = 4
    /// if_tsresol in an interface description.
    case timeResolution = 9
    /// if_fcslen in an interface description.
    case checkSequenceLength = 13
}
