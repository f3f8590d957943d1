// The metadata before a frame, from the program's side. Frames with a request are submitted with the option
// `transmitMetadata`; without it the metadata is not looked at.
//
// SAFETY (file): `view.metadata(of:)` gives an address only where all of `metadataLength` lies inside the umem, aligned;
// what lies beyond the shortest metadata is checked against its length first.
//
// SAFETY (all uses of `unsafe`): rings and umem stay mapped as long as the socket, which this end keeps; addresses
// are checked against the umem, and indices are below the bursts' 32.

extension XSKProgram {
    /// Asks for a stamp of the frame at `address`. False, and nothing is written, if there is no metadata there.
    @inlinable public func requestStamp(at address: UInt64) -> Bool {
        guard let metadata = unsafe view.metadata(of: address) else { return false }
        unsafe metadata.storeBytes(of: UInt64(XSKTransmitRequest.timestamp.rawValue), as: UInt64.self)
        unsafe metadata.storeBytes(of: 0, toByteOffset: XSKTransmitMetadataLayout.timestamp, as: UInt64.self)
        if view.metadataLength >= UInt64(XSKTransmitMetadataLayout.lengthWithStatus) {
            unsafe metadata.storeBytes(of: 0, toByteOffset: XSKTransmitMetadataLayout.status, as: UInt64.self)
        }
        return true
    }

    /// Asks for whatever `request` says for the frame at `address`, with the words that checksum and launch time need.
    /// False, and nothing is written, if there is no metadata there, or none long enough for a launch time.
    public func write(_ request: XSKTransmitRequest, _ words: XSKMetadataRequest, at address: UInt64) -> Bool {
        let fits = view.metadataLength >= UInt64(XSKTransmitMetadataLayout.lengthWithLaunchTime)
        guard fits || !request.contains(.launchTime), requestStamp(at: address),
            let metadata = unsafe view.metadata(of: address)
        else { return false }
        unsafe metadata.storeBytes(of: UInt64(request.rawValue), as: UInt64.self)
        if request.contains(.checksum) {
            let start = XSKTransmitMetadataLayout.checksumStart
            let offset = XSKTransmitMetadataLayout.checksumOffset
            unsafe metadata.storeBytes(of: words.checksumStart, toByteOffset: start, as: UInt16.self)
            unsafe metadata.storeBytes(of: words.checksumOffset, toByteOffset: offset, as: UInt16.self)
        }
        if request.contains(.launchTime) {
            let offset = XSKTransmitMetadataLayout.launchTime
            unsafe metadata.storeBytes(of: words.launchTime, toByteOffset: offset, as: UInt64.self)
        }
        return true
    }

    /// How the request of the completed frame at `address` ended. Without a status word a stamp of 0 is the only sign
    /// that there is none, and the reason is not known: then, and where no driver wrote an outcome, nil.
    @inlinable public func stamp(of address: UInt64) -> TransmitStampOutcome? {
        guard let metadata = unsafe view.metadata(of: address) else { return nil }
        let timestamp = unsafe metadata.loadUnaligned(
            fromByteOffset: XSKTransmitMetadataLayout.timestamp,
            as: UInt64.self
        )
        guard view.metadataLength >= UInt64(XSKTransmitMetadataLayout.lengthWithStatus) else {
            return timestamp == 0 ? nil : .stamped(nanoseconds: timestamp)
        }
        let status = unsafe metadata.loadUnaligned(fromByteOffset: XSKTransmitMetadataLayout.status, as: UInt64.self)
        return TransmitStampOutcome(status: status, timestamp: timestamp)
    }
}
