// The umem as the data path sees it: four numbers that fit into registers for a burst, and the checks on them.

import Memory

/// Where the umem lies and how it is divided. Good as long as its `UMEM`, which both ends of a socket keep.
///
/// SAFETY (all uses of `unsafe` here): every address is checked to lie inside before it is used.
@safe @frozen @usableFromInline struct UMEMView: @unchecked Sendable {
    // SAFETY (Sendable): the numbers never change; what is in the memory is accessed by rules of its owners.
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let byteCount: UInt64
    @usableFromInline let chunkMask: UInt64
    /// 0 if there is no metadata.
    @usableFromInline let metadataLength: UInt64

    init(_ umem: UMEM) {
        unsafe base = umem.memory.base
        byteCount = umem.byteCount
        chunkMask = UInt64(umem.chunkSize) &- 1
        metadataLength = UInt64(umem.transmitMetadataLength)
    }

    /// Whether a frame of `length` bytes at `address` lies, with its metadata, in one chunk: `xp_aligned_validate_desc`.
    @inlinable func holds(_ address: UInt64, length: UInt64) -> Bool {
        // An address below the metadata length wraps, and is then beyond the umem.
        let start = address &- metadataLength
        return length != 0 && start < byteCount
            && (start & chunkMask) &+ metadataLength &+ length <= chunkMask &+ 1
    }

    /// The metadata before the frame at `address`; nil where there is none.
    @unsafe @inlinable func metadata(of address: UInt64) -> UnsafeMutableRawPointer? {
        let start = address &- metadataLength
        guard metadataLength != 0, start < byteCount, byteCount &- start >= metadataLength else { return nil }
        return unsafe base + Int(truncatingIfNeeded: start)
    }

    /// What the frame at `address` asks for, its flags read once: the program may change them at any time. Nil for
    /// unknown flags, and for a launch time that the metadata is too short for.
    @usableFromInline func request(of address: UInt64) -> XSKTransmitRequest? {
        guard let metadata = unsafe metadata(of: address) else { return [] }
        let flags = unsafe metadata.loadUnaligned(fromByteOffset: XSKTransmitMetadataLayout.flags, as: UInt64.self)
        let known: XSKTransmitRequest = [.timestamp, .checksum, .launchTime]
        guard flags & ~UInt64(known.rawValue) == 0 else { return nil }
        let request = XSKTransmitRequest(rawValue: UInt8(truncatingIfNeeded: flags)).intersection(known)
        let fits = metadataLength >= UInt64(XSKTransmitMetadataLayout.lengthWithLaunchTime)
        return fits || !request.contains(.launchTime) ? request : nil
    }
}
