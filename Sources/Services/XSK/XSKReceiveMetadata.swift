// What a driver knows of a received frame beyond its bytes. The kernel leaves the format to the XDP program that runs in
// front of the socket (bpf_xdp_metadata_rx_timestamp and _rx_hash; the layout of xdp_hw_metadata begins the same way).

import Memory

/// The 16 bytes right before a received frame, where the driver stamps frames.
@frozen public struct XSKReceiveMetadata: Equatable, Sendable {
    @inlinable public static var byteCount: Int { 16 }
    /// Nanoseconds by the card's clock, when the frame's first bit was on the wire.
    public var timestamp: UInt64
    /// RSS hash, 0 if none was computed.
    public var hash: UInt32
    /// What the hash covers, as the device numbers it.
    public var hashType: UInt32

    @inlinable public init(timestamp: UInt64, hash: UInt32, hashType: UInt32) {
        self.timestamp = timestamp
        self.hash = hash
        self.hashType = hashType
    }

    /// From its two little-endian words.
    @inlinable public init(first: UInt64, second: UInt64) {
        timestamp = first
        hash = UInt32(truncatingIfNeeded: second)
        hashType = UInt32(truncatingIfNeeded: second &>> 32)
    }
}

extension XSKPool {
    /// The two words that a device put at `address`; nil if that is not inside the umem.
    public func readReceiveHeader(at address: UInt64) -> (first: UInt64, second: UInt64)? {
        guard let place = unsafe receivePlace(address) else { return nil }
        let first = unsafe place.loadUnaligned(as: UInt64.self)
        let second = unsafe place.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        return (first, second)
    }

    /// Puts `metadata` at `address`, for the program to read; nothing if that is not inside the umem.
    public func writeReceiveMetadata(_ metadata: XSKReceiveMetadata, at address: UInt64) {
        guard let place = unsafe receivePlace(address) else { return }
        unsafe place.storeBytes(of: metadata.timestamp, as: UInt64.self)
        unsafe place.storeBytes(of: metadata.hash, toByteOffset: 8, as: UInt32.self)
        unsafe place.storeBytes(of: metadata.hashType, toByteOffset: 12, as: UInt32.self)
    }

    // SAFETY: bounds are checked against the umem, which the pool keeps mapped.
    @unsafe private func receivePlace(_ address: UInt64) -> UnsafeMutableRawPointer? {
        guard address < view.byteCount, view.byteCount - address >= UInt64(XSKReceiveMetadata.byteCount) else {
            return nil
        }
        return unsafe view.base + Int(address)
    }
}

extension UMEM {
    /// What the driver wrote before the received frame at `address`; nil if that is not inside the umem.
    public func receiveMetadata(before address: UInt64) -> XSKReceiveMetadata? {
        let length = UInt64(XSKReceiveMetadata.byteCount)
        guard address >= length, address <= byteCount else { return nil }
        // SAFETY: 16 bytes inside the umem, as checked.
        let place = unsafe memory.base + Int(address - length)
        return unsafe XSKReceiveMetadata(
            first: place.loadUnaligned(as: UInt64.self),
            second: place.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        )
    }
}
