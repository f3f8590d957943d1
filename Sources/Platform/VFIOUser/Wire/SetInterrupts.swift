// DEVICE_SET_IRQS. Source of truth: the vfio-user protocol specification; the flags are VFIO_IRQ_SET_* of linux/vfio.h.

/// DEVICE_SET_IRQS: attaches eventfds, takes them away, masks, unmasks, fires.
public struct SetInterruptsRequest: Equatable, Sendable {
    public static let byteCount = 20

    /// What says which of the vectors are meant.
    public enum Data: UInt32, Sendable {
        /// All of them.
        case none = 1
        /// Those whose byte is not zero.
        case bools = 2
        /// Descriptors, one per vector; none at all takes the vectors' descriptors away.
        case eventDescriptors = 4
    }

    public enum Action: UInt32, Sendable {
        case mask = 8
        case unmask = 16
        case trigger = 32
    }

    public var data: Data
    public var action: Action
    /// An `InterruptKind`, or one that we do not know.
    public var index: UInt32
    public var start: UInt32
    public var count: UInt32

    public init(data: Data, action: Action, index: UInt32, start: UInt32, count: UInt32) {
        self.data = data
        self.action = action
        self.index = index
        self.start = start
        self.count = count
    }

    public init(_ payload: RawSpan) throws(WireError) {
        try payload.require(Self.byteCount)
        let argumentSize: UInt32 = payload.integer(0)
        let flags: UInt32 = payload.integer(4)
        index = payload.integer(8)
        start = payload.integer(12)
        count = payload.integer(16)
        guard argumentSize >= UInt32(Self.byteCount) else { throw .badArgumentSize(argumentSize) }
        guard flags & ~0x3F == 0, let data = Data(rawValue: flags & 7), let action = Action(rawValue: flags & 0x38)
        else { throw .badFlags(flags) }
        guard !start.addingReportingOverflow(count).overflow else { throw .badCount(UInt64(count)) }
        self.data = data
        self.action = action
        let dataSize = data == .bools ? Int(count) : 0
        try payload.requireExactly(Self.byteCount + dataSize)
    }

    /// Writes the request; the bytes of `.bools` are the caller's to append.
    public func write(to buffer: inout MessageBuffer) {
        buffer.append(UInt32(Self.byteCount) + (data == .bools ? count : 0))
        buffer.append(data.rawValue | action.rawValue)
        buffer.append(index)
        buffer.append(start)
        buffer.append(count)
    }
}
