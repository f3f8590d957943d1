// The packet memory of a program: chunks of equal size that the program, the driver and the device share.

import Memory

/// Packet memory that has passed the kernel's checks. Several sockets, for several queues, may share one.
@safe public final class UMEM: Sendable {
    /// XDP_PACKET_HEADROOM: the kernel keeps these bytes before a received frame, for XDP programs that prepend headers.
    @inlinable public static var packetHeadroom: Int { 256 }
    /// XDP_UMEM_MIN_CHUNK_SIZE
    @inlinable public static var minimumChunkSize: UInt32 { 2048 }
    /// The kernel's bound is its page.
    @inlinable public static var maximumChunkSize: UInt32 { 4096 }

    public let memory: SharedMemory
    /// Bytes of the memory that belong to the umem: addresses are below it.
    public let byteCount: UInt64
    public let chunkSize: Int
    /// Bytes that the program keeps for itself before a received frame.
    public let headroom: Int
    /// Bytes before each transmitted frame; 0 if there is no metadata.
    public let transmitMetadataLength: Int

    /// Takes `memory` for packets.
    ///
    /// - Throws: `UMEMError` for everything that the kernel refuses, and for unaligned chunks.
    public init(memory: consuming SharedMemory, _ registration: UMEMRegistration) throws(UMEMError) {
        let chunkSize = registration.chunkSize
        guard chunkSize >= Self.minimumChunkSize, chunkSize <= Self.maximumChunkSize, chunkSize.nonzeroBitCount == 1
        else { throw .chunkSize(chunkSize) }

        let known: UMEMFlags = [.unalignedChunks, .softwareChecksum, .transmitMetadataLength]
        let flags = UMEMFlags(rawValue: registration.flags)
        guard flags.isSubset(of: known) else { throw .unknownFlags(registration.flags) }
        guard !flags.contains(.unalignedChunks) else { throw .unalignedChunks }

        let byteCount = registration.byteCount
        guard byteCount >= UInt64(chunkSize) else { throw .noChunks(byteCount: byteCount, chunkSize: chunkSize) }
        guard byteCount % UInt64(chunkSize) == 0 else {
            throw .partialChunk(byteCount: byteCount, chunkSize: chunkSize)
        }
        guard byteCount <= UInt64(memory.byteCount) else {
            throw .beyondMemory(byteCount: byteCount, memory: memory.byteCount)
        }
        guard registration.headroom < chunkSize - UInt32(Self.packetHeadroom) else {
            throw .headroom(registration.headroom, chunkSize: chunkSize)
        }

        var metadataLength: UInt32 = 0
        if flags.contains(.transmitMetadataLength) {
            metadataLength = registration.transmitMetadataLength
            guard metadataLength >= UInt32(XSKTransmitMetadataLayout.minimumLength), metadataLength < 256,
                metadataLength % 8 == 0
            else { throw .transmitMetadataLength(metadataLength) }
        }

        self.memory = memory
        self.byteCount = byteCount
        self.chunkSize = Int(chunkSize)
        self.headroom = Int(registration.headroom)
        self.transmitMetadataLength = Int(metadataLength)
    }

    public var chunkCount: Int { Int(byteCount) / chunkSize }

    /// Where the card writes a received frame, from the start of its chunk.
    public var receiveOffset: Int { headroom + Self.packetHeadroom }

    /// The longest frame, and whatever the card writes before it, that fits a chunk.
    public var receiveCapacity: Int { chunkSize - receiveOffset }

    /// Copies `frame` to `address`; false, and nothing written, if it does not fit the umem.
    public func write(_ frame: RawSpan, at address: UInt64) -> Bool {
        guard holds(address, frame.byteCount) else { return false }
        unsafe frame.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            // SAFETY: inside the umem, which lies inside the memory.
            unsafe (memory.base + Int(address)).copyMemory(from: start, byteCount: bytes.count)
        }
        return true
    }

    /// A copy of `[address, address + length)`; nil if that is not inside the umem.
    public func read(at address: UInt64, length: Int) -> [UInt8]? {
        guard holds(address, length) else { return nil }
        // SAFETY: as in `write`.
        return unsafe [UInt8](UnsafeRawBufferPointer(start: memory.base + Int(address), count: length))
    }

    private func holds(_ address: UInt64, _ length: Int) -> Bool {
        length >= 0 && address <= byteCount && UInt64(length) <= byteCount - address
    }
}
