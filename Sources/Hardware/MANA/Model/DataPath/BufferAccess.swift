// The way to the frames' memory: what a request names by address and key. What was looked up holds until the memory map
// changes. Source: Linux struct gdma_sge, gpa_mkey (gdma.h) of 6.12 and 7.x.

import MANAWire
import Memory

/// Looks up buffers, and remembers the stretch of memory that held the last one.
@safe struct BufferAccess: ~Copyable {
    // SAFETY: `window` points into the IOVA space at `generation`; `refresh` forgets it when that has changed, and within a
    // burst it cannot, because mapping and bursts share the owner's thread.
    let memory: IOVASpace
    /// The key that all pieces must carry.
    let key: UInt32
    private var window: IOVAWindow?
    private var generation: UInt64 = 0

    init(_ memory: IOVASpace, key: UInt32) {
        self.memory = memory
        self.key = key
    }

    /// To be called before each burst.
    @inline(__always) mutating func refresh() {
        guard generation != memory.generation else { return }
        generation = memory.generation
        unsafe window = nil
    }

    /// Whether a piece lies in memory that is reached by transfers alone.
    func isRemote(_ piece: MemoryPiece, _ access: DMAPermissions) -> Bool {
        piece.key == key && memory.isRemote(piece.address, length: Int(piece.length), access)
    }

    /// The memory of a piece; nil where its key is another or the device may not go there, or not directly.
    ///
    /// SAFETY: good for the piece's bytes within the burst. The driver may change them at any time.
    @unsafe @inline(__always) mutating func address(
        _ piece: MemoryPiece,
        _ access: DMAPermissions
    ) -> UnsafeMutableRawPointer? {
        guard piece.key == key else { return nil }
        let length = Int(truncatingIfNeeded: piece.length)
        if let known = unsafe window?.address(piece.address, length: length, access) { return unsafe known }
        return unsafe lookUp(piece.address, length, access)
    }

    @unsafe @inline(never) private mutating func lookUp(
        _ address: UInt64,
        _ length: Int,
        _ access: DMAPermissions
    ) -> UnsafeMutableRawPointer? {
        guard !memory.isRemote(address, length: length, access) else { return nil }
        unsafe window = memory.window(address, length: length, access)
        return unsafe window?.address(address, length: length, access)
    }
}
