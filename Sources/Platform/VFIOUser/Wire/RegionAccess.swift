// REGION_READ, REGION_WRITE, REGION_WRITE_MULTI. Source of truth: the vfio-user protocol specification.

/// REGION_READ and REGION_WRITE, and their replies: the data of a write, or of a read's reply, follow.
public struct RegionAccess: Equatable, Sendable {
    public static let byteCount = 16
    public var offset: UInt64
    public var region: UInt32
    public var count: UInt32

    public init(offset: UInt64, region: UInt32, count: UInt32) {
        self.offset = offset
        self.region = region
        self.count = count
    }

    @inline(__always)
    public init(_ payload: RawSpan) throws(WireError) {
        try payload.require(Self.byteCount)
        offset = payload.integer(0)
        region = payload.integer(8)
        count = payload.integer(12)
    }

    @inline(__always)
    public func write(to buffer: inout MessageBuffer) {
        buffer.append(offset)
        buffer.append(region)
        buffer.append(count)
    }
}

/// REGION_WRITE_MULTI: a number of writes of at most 8 bytes, in order.
public enum RegionWrites {
    /// Region access, and 8 bytes of which it uses the first `count`.
    public static let entryByteCount = 24
    public static let headerByteCount = 8

    /// How many writes there are: as many as the message has room for.
    public static func count(_ payload: RawSpan) throws(WireError) -> Int {
        try payload.require(headerByteCount)
        let count: UInt64 = payload.integer(0)
        let room = UInt64(payload.byteCount - headerByteCount)
        guard count <= room / UInt64(entryByteCount) else { throw .badCount(count) }
        try payload.requireExactly(headerByteCount + Int(count) * entryByteCount)
        return Int(count)
    }

    /// Write number `index`, and its data.
    public static func entry(_ payload: RawSpan, _ index: Int) throws(WireError) -> (RegionAccess, UInt64) {
        let place = headerByteCount + index * entryByteCount
        try payload.require(place + entryByteCount)
        let access = RegionAccess(
            offset: payload.integer(place),
            region: payload.integer(place + 8),
            count: payload.integer(place + 12)
        )
        guard access.count <= 8 else { throw .badCount(UInt64(access.count)) }
        return (access, payload.integer(place + 16))
    }

    public static func write(_ access: RegionAccess, _ data: UInt64, to buffer: inout MessageBuffer) {
        access.write(to: &buffer)
        buffer.append(data)
    }
}
