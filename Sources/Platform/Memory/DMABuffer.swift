// Memory as a driver lends it to a device.

import Leases

/// Whoever opened a mapping closes it here. Called once, when the lease ends.
public protocol DMAUnmapper: AnyObject, Sendable {
    func unmapDMA(iova: UInt64, byteCount: Int)
}

/// The device's permission to reach some memory at `iova`. Its end takes the permission back; when that has returned,
/// the device reaches it no more.
public struct DMAMapping: ~Copyable, Sendable {
    public let iova: UInt64
    public let byteCount: Int
    private let unmapper: any DMAUnmapper
    private let mark: CensusMark?

    /// - Parameter mark: counts the lease; nil for one that wraps a lease which is counted already.
    public init(iova: UInt64, byteCount: Int, unmapper: any DMAUnmapper, mark: consuming CensusMark?) {
        self.iova = iova
        self.byteCount = byteCount
        self.unmapper = unmapper
        self.mark = mark
    }

    deinit { unmapper.unmapDMA(iova: iova, byteCount: byteCount) }
}

/// Memory and the device's permission to reach it, as one lease: descriptor rings, packet buffers.
@safe public struct DMABuffer: ~Copyable, Sendable {
    // Fields end in declaration order: the device loses its permission before the memory goes.
    private let mapping: DMAMapping
    public let memory: SharedMemory

    public init(memory: consuming SharedMemory, mapping: consuming DMAMapping) {
        self.mapping = mapping
        self.memory = memory
    }

    /// Where the device sees byte 0.
    public var iova: UInt64 { mapping.iova }
    public var byteCount: Int { memory.byteCount }

    /// Raw memory for a ring that keeps the buffer beside it.
    ///
    /// SAFETY: valid as long as this buffer.
    @unsafe public var base: UnsafeMutableRawPointer { unsafe memory.base }
}
