// The counts behind a socket's statistics: written by the owner of one side, read by anybody. Each count has one writer,
// so adding needs no locked instruction.

import Synchronization

/// What is counted. The first six are the kernel's, see `XSKStatistics`.
@frozen @usableFromInline enum XSKCount: Int, CaseIterable {
    case receiveDropped, receiveInvalidDescriptors, transmitInvalidDescriptors
    case receiveRingFull, fillRingEmpty, transmitRingEmpty
    /// Metadata with unknown flags, or with a launch time that it has no room for.
    case invalidMetadata
    /// Index words of the program that cannot be true.
    case programIndexErrors
    /// The same of the driver, as the program sees it.
    case driverIndexErrors
    /// Frames that the driver had when it gave the pool back without completing them.
    case lostTransmitFrames
    /// Chunks that the driver had when it gave the pool back, neither delivered nor recycled.
    case lostReceiveChunks
}

/// The addresses of the counts.
///
/// SAFETY: the socket keeps the memory, and whoever holds this keeps the socket.
@safe @frozen @usableFromInline struct XSKCounters: @unchecked Sendable {
    @usableFromInline let counts: UnsafeMutablePointer<Atomic<UInt64>>

    static func allocate() -> XSKCounters {
        let byteCount = XSKCount.allCases.count * MemoryLayout<Atomic<UInt64>>.stride
        // 128: lines of its own, and none of a neighbour that another thread writes.
        let memory = UnsafeMutableRawPointer.allocate(byteCount: (byteCount + 127) & ~127, alignment: 128)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: (byteCount + 127) & ~127)
        return unsafe XSKCounters(counts: memory.assumingMemoryBound(to: Atomic<UInt64>.self))
    }

    private init(counts: UnsafeMutablePointer<Atomic<UInt64>>) { unsafe self.counts = counts }

    func deallocate() { unsafe UnsafeMutableRawPointer(counts).deallocate() }

    func address(of count: XSKCount) -> UnsafeMutablePointer<Atomic<UInt64>> { unsafe counts + count.rawValue }

    @usableFromInline subscript(count: XSKCount) -> UInt64 {
        unsafe counts[count.rawValue].load(ordering: .relaxed)
    }

    /// Adds, as the count's only writer.
    @inlinable func add(_ count: XSKCount, _ amount: UInt64 = 1) {
        let value = unsafe counts[count.rawValue].load(ordering: .relaxed)
        unsafe counts[count.rawValue].store(value &+ amount, ordering: .relaxed)
    }
}
