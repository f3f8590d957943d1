// DEVICE_GET_INFO, DEVICE_GET_IRQ_INFO. Source of truth: the vfio-user protocol specification; flags and numbers are those
// of linux/vfio.h.

/// DEVICE_GET_INFO and its reply.
public struct DeviceInfo: Equatable, Sendable {
    public static let byteCount = 16
    /// DEVICE_RESET works.
    public static let resettable: UInt32 = 1
    /// The regions and interrupts are those of a PCI function.
    public static let isPCI: UInt32 = 2

    public var argumentSize: UInt32
    public var flags: UInt32
    public var regionCount: UInt32
    public var interruptCount: UInt32

    public init(flags: UInt32, regionCount: UInt32, interruptCount: UInt32) {
        self.argumentSize = UInt32(Self.byteCount)
        self.flags = flags
        self.regionCount = regionCount
        self.interruptCount = interruptCount
    }

    public init(_ payload: RawSpan) throws(WireError) {
        (argumentSize, flags, regionCount, interruptCount) = try payload.question()
    }

    public func write(to buffer: inout MessageBuffer) {
        buffer.append(argumentSize, flags, regionCount, interruptCount)
    }
}

/// The regions of a PCI function. 0 to 5 are the BARs.
public enum Region {
    public static let rom = 6
    public static let config = 7
    public static let vga = 8
    public static let count = 9
}

/// The kinds of interrupts of a PCI function.
public enum InterruptKind: UInt32, CaseIterable, Sendable {
    case line = 0
    case msi = 1
    case msix = 2
    case error = 3
    case request = 4
}

/// DEVICE_GET_IRQ_INFO and its reply.
public struct InterruptInfo: Equatable, Sendable {
    public static let byteCount = 16
    public static let eventDescriptor: UInt32 = 1
    public static let maskable: UInt32 = 2
    public static let automasked: UInt32 = 4
    /// Vectors cannot be added while others are in use.
    public static let noResize: UInt32 = 8

    public var argumentSize: UInt32
    public var flags: UInt32
    public var index: UInt32
    public var count: UInt32

    public init(flags: UInt32, index: UInt32, count: UInt32) {
        self.argumentSize = UInt32(Self.byteCount)
        self.flags = flags
        self.index = index
        self.count = count
    }

    public init(_ payload: RawSpan) throws(WireError) {
        (argumentSize, flags, index, count) = try payload.question()
    }

    public func write(to buffer: inout MessageBuffer) {
        buffer.append(argumentSize, flags, index, count)
    }
}
