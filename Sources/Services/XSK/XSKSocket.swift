// A socket of AF_XDP in user space: a umem, four rings, and the two ends that are lent once each: the pool to a driver,
// the program's end to a program of this process. A program of another process maps the rings by file descriptor.

import CLinux
import Glibc
import Leases
import Memory
import Synchronization

/// Why a socket could not be made, or an end not lent.
public enum XSKError: Error, Equatable, CustomStringConvertible {
    case ringSize(XSKRing, UInt32)
    case bindFlags(XSKBindFlags)
    case system(SystemError)
    /// The pool or the program's end is out; it can be taken again when it has been given back.
    case taken(String)

    public var description: String {
        switch self {
        case .ringSize(let ring, let size):
            return "xsk: expected a power of two up to \(XSKSocket.maximumRingSize) for the \(ring) ring, came \(size)"
        case .bindFlags(let flags):
            return "xsk: expected bind flags zero-copy (4) and need-wakeup (8) only, came \(flags.rawValue)"
        case .system(let error): return "xsk: \(error)"
        case .taken(let end): return "xsk: expected the \(end) not to be out on loan, it is"
        }
    }
}

/// One queue's packet channel between a program and a driver.
@safe public final class XSKSocket: Sendable {
    /// The kernel sets no bound of its own; this one keeps every ring below the page offset of the next.
    public static let maximumRingSize: UInt32 = 1 << 26

    public let umem: UMEM
    public let ringSizes: XSKRingSizes
    public let bindFlags: XSKBindFlags
    /// Readable after `kick`: what `sendto` and `poll` are to the kernel.
    public let wakeDescriptor: Int32

    let census: Census
    let counters: XSKCounters
    let positions: Mutex<XSKPositions>
    private let poolTaken = Atomic<Bool>(false)
    private let programTaken = Atomic<Bool>(false)
    private let memory: RingMemory

    /// Makes the rings and binds the socket to nothing yet: a driver takes the pool.
    ///
    /// - Parameters:
    ///   - umem: may be shared with other sockets.
    ///   - rings: entries of each ring.
    ///   - flags: zero-copy, and need-wakeup if the driver may sleep. Copy mode, scatter-gather and a umem named by
    ///     descriptor are refused.
    ///   - census: where the pool and the program's end sign in while they are out.
    public convenience init(
        umem: UMEM,
        rings: XSKRingSizes = XSKRingSizes(),
        flags: XSKBindFlags = [.zeroCopy, .useNeedWakeup],
        census: Census = Census()
    ) throws(XSKError) {
        try self.init(umem: umem, rings: rings, flags: flags, census: census, firstIndex: 0)
    }

    /// Indices start at `firstIndex`: at 0, as in Linux, or shortly before they wrap, in a test.
    package init(
        umem: UMEM,
        rings: XSKRingSizes,
        flags: XSKBindFlags,
        census: Census,
        firstIndex: UInt32
    ) throws(XSKError) {
        for ring in XSKRing.allCases {
            let size = rings[ring]
            guard size.nonzeroBitCount == 1, size <= Self.maximumRingSize else { throw .ringSize(ring, size) }
        }
        guard flags.isSubset(of: [.zeroCopy, .useNeedWakeup]) else { throw .bindFlags(flags) }

        let memory: RingMemory
        do {
            memory = try RingMemory(rings)
        } catch {
            throw .system(error)
        }
        let wake = clinux_eventfd()
        guard wake >= 0 else { throw .system(.last("eventfd")) }

        self.umem = umem
        ringSizes = rings
        bindFlags = flags
        wakeDescriptor = wake
        self.census = census
        memory.start(at: firstIndex)
        positions = Mutex(XSKPositions(all: firstIndex))
        counters = XSKCounters.allocate()
        self.memory = memory
    }

    deinit {
        close(wakeDescriptor)
        counters.deallocate()
    }

    // MARK: What getsockopt and mmap give

    /// XDP_MMAP_OFFSETS
    public var mapOffsets: XSKMapOffsets { XSKMapOffsets(all: .linux) }

    /// XDP_OPTIONS
    public var options: XSKOptions { .zeroCopy }

    /// XDP_STATISTICS
    public var statistics: XSKStatistics {
        var statistics = XSKStatistics()
        statistics.receiveDropped = counters[.receiveDropped]
        statistics.receiveInvalidDescriptors = counters[.receiveInvalidDescriptors]
        statistics.transmitInvalidDescriptors = counters[.transmitInvalidDescriptors]
        statistics.receiveRingFull = counters[.receiveRingFull]
        statistics.fillRingEmpty = counters[.fillRingEmpty]
        statistics.transmitRingEmpty = counters[.transmitRingEmpty]
        return statistics
    }

    /// What the kernel has no counter for.
    public var diagnostics: XSKDiagnostics {
        XSKDiagnostics(
            invalidMetadata: counters[.invalidMetadata],
            programIndexErrors: counters[.programIndexErrors],
            driverIndexErrors: counters[.driverIndexErrors],
            lostTransmitFrames: counters[.lostTransmitFrames],
            lostReceiveChunks: counters[.lostReceiveChunks]
        )
    }

    /// The file to map `ring` from, at `ring.mapOffset`. One file holds all four, as one AF_XDP socket does.
    public func fileDescriptor(of ring: XSKRing) -> Int32 { memory.fileDescriptor }

    /// Bytes to map for `ring`.
    public func byteCount(of ring: XSKRing) -> Int { ringSizes.byteCount(of: ring) }

    // MARK: Wake-ups

    /// Wakes the driver: the program's `sendto`. Any thread, any number of times.
    public func kick() {
        var one: UInt64 = 1
        _ = unsafe write(wakeDescriptor, &one, 8)
    }

    /// Whether the driver was kicked since the last call; clears that.
    public func consumeKick() -> Bool {
        var count: UInt64 = 0
        return unsafe read(wakeDescriptor, &count, 8) == 8
    }

    // MARK: The two ends

    /// The driver's end, until it is given back by the end of the value.
    public func takePool() throws(XSKError) -> XSKPool {
        guard poolTaken.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { throw .taken("pool") }
        return XSKPool(self, positions.withLock { $0.pool })
    }

    /// The program's end, until it is given back by the end of the value.
    public func takeProgram() throws(XSKError) -> XSKProgram {
        guard programTaken.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { throw .taken("program's end") }
        return XSKProgram(self, positions.withLock { $0.program })
    }

    func giveBackPool(_ state: XSKPositions.Pool) {
        positions.withLock { $0.pool = state }
        poolTaken.store(false, ordering: .releasing)
    }

    func giveBackProgram(_ state: XSKPositions.Program) {
        positions.withLock { $0.program = state }
        programTaken.store(false, ordering: .releasing)
    }

    func ring(_ ring: XSKRing, indexErrors: XSKCount) -> SharedRing {
        // SAFETY: mapped as long as the socket, which both ends keep.
        return unsafe SharedRing(
            base: memory.base(of: ring),
            offsets: .linux,
            size: ringSizes[ring],
            indexErrors: counters.address(of: indexErrors)
        )
    }
}

/// Counts that the kernel does not have.
public struct XSKDiagnostics: Equatable, Sendable {
    /// Frames whose metadata was ignored: unknown flags, or a launch time that the metadata is too short for.
    public let invalidMetadata: UInt64
    /// Index words of the program that cannot be true.
    public let programIndexErrors: UInt64
    /// Index words of the driver's side that cannot be true, as the program's end saw them.
    public let driverIndexErrors: UInt64
    /// Frames that a driver took and never completed before it gave the pool back.
    public let lostTransmitFrames: UInt64
    /// Chunks that a driver took and neither delivered nor recycled before it gave the pool back.
    public let lostReceiveChunks: UInt64
}
