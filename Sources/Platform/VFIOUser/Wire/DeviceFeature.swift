// DEVICE_FEATURE. Source of truth: the vfio-user protocol specification; the flags are VFIO_DEVICE_FEATURE_* of
// linux/vfio.h. No device here can migrate, so it is read to be refused.

/// DEVICE_FEATURE.
public struct DeviceFeatureRequest: Equatable, Sendable {
    public static let byteCount = 8
    public static let indexMask: UInt32 = 0xFFFF
    public static let get: UInt32 = 0x1_0000
    public static let set: UInt32 = 0x2_0000
    public static let probe: UInt32 = 0x4_0000

    public var argumentSize: UInt32
    public var flags: UInt32

    public init(argumentSize: UInt32, flags: UInt32) {
        self.argumentSize = argumentSize
        self.flags = flags
    }

    public init(_ payload: RawSpan) throws(WireError) {
        try payload.require(Self.byteCount)
        argumentSize = payload.integer(0)
        flags = payload.integer(4)
        guard argumentSize >= UInt32(Self.byteCount) else { throw .badArgumentSize(argumentSize) }
        guard flags & ~(Self.indexMask | Self.get | Self.set | Self.probe) == 0 else { throw .badFlags(flags) }
    }

    public func write(to buffer: inout MessageBuffer) {
        buffer.append(argumentSize)
        buffer.append(flags)
    }
}
