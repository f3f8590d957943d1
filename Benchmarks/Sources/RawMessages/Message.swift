// Messages as a client sends them that shares no code with the server.

/// Commands of the vfio-user protocol specification as bytes, written independently of the library's own codec.
public enum Message {
    public static let headerBytes = 16
    public static let accessHeaderBytes = headerBytes + 16
    /// The configuration space's region.
    public static let configRegion: UInt32 = 7

    public static func read(region: UInt32, offset: UInt64, count: Int) -> [UInt8] {
        finish(command: 9, access(region, offset, count))
    }

    public static func write(region: UInt32, offset: UInt64, _ value: UInt32, posted: Bool, count: Int = 4) -> [UInt8] {
        write(region: region, offset: offset, Array(bytes(value).prefix(count)), posted: posted)
    }

    public static func write(region: UInt32, offset: UInt64, _ data: [UInt8], posted: Bool = false) -> [UInt8] {
        finish(command: 10, posted: posted, access(region, offset, data.count) + data)
    }

    /// Asks what a region is; the answer has room for one mappable part.
    public static func regionInfo(_ region: UInt32) -> [UInt8] {
        finish(
            command: 5,
            bytes(UInt32(regionInfoBytes)) + bytes(UInt32(0)) + bytes(region) + bytes(UInt32(0))
                + bytes(UInt64(0)) + bytes(UInt64(0))
        )
    }

    public static let regionInfoBytes = 64

    public static func writes(region: UInt32, offset: UInt64, _ value: UInt32, times: Int) -> [UInt8] {
        let one = access(region, offset, 4) + bytes(UInt64(value))
        return finish(command: 15, posted: true, bytes(UInt64(times)) + (0..<times).flatMap { _ in one })
    }

    private static func access(_ region: UInt32, _ offset: UInt64, _ count: Int) -> [UInt8] {
        bytes(offset) + bytes(region) + bytes(UInt32(count))
    }

    private static func finish(command: UInt16, posted: Bool = false, _ payload: [UInt8]) -> [UInt8] {
        let identifier: UInt16 = 7
        let size = UInt32(headerBytes + payload.count)
        return bytes(identifier) + bytes(command) + bytes(size) + bytes(UInt32(posted ? 0x10 : 0)) + bytes(UInt32(0))
            + payload
    }

    private static func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Value(8 * $0)) }
    }
}
