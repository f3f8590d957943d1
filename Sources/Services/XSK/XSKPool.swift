// The driver's end of a socket: what the kernel's `xsk_buff_pool` is to a driver (include/net/xdp_sock_drv.h).

import Leases
import Synchronization

/// The driver's end of a socket: frames to send, chunks to receive into. One owner thread; a lease on the socket.
///
/// SAFETY (all uses of `unsafe` in its files): the socket keeps rings and umem mapped, and the pool keeps the socket;
/// every address is checked against the umem where it comes in.
@safe @frozen public struct XSKPool: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): handed over by consuming.
    @usableFromInline let socket: XSKSocket
    @usableFromInline let counters: XSKCounters
    @usableFromInline let view: UMEMView

    @usableFromInline var transmit: RingConsumer
    @usableFromInline var completion: RingProducer
    @usableFromInline var fill: RingConsumer
    @usableFromInline var receive: RingProducer

    /// Chunks to hand out again before the fill ring's.
    @usableFromInline let recycled: UnsafeMutablePointer<UInt64>
    @usableFromInline let recycledCapacity: Int
    @usableFromInline var recycledCount: Int
    /// Chunks that the driver has.
    @usableFromInline var chunksHeld: Int
    private let usesNeedWakeup: Bool
    private var transmitWakeup: XSKRingFlags = []
    private var fillWakeup: XSKRingFlags = []
    private let mark: CensusMark

    init(_ socket: XSKSocket, _ state: XSKPositions.Pool) {
        let umem = socket.umem
        self.socket = socket
        counters = socket.counters
        view = UMEMView(umem)
        usesNeedWakeup = socket.bindFlags.contains(.useNeedWakeup)
        let errors = XSKCount.programIndexErrors
        transmit = RingConsumer(socket.ring(.transmit, indexErrors: errors), position: state.transmit)
        completion = RingProducer(
            socket.ring(.completion, indexErrors: errors),
            position: state.completion,
            consumer: state.completionConsumer
        )
        fill = RingConsumer(socket.ring(.fill, indexErrors: errors), position: state.fill)
        receive = RingProducer(
            socket.ring(.receive, indexErrors: errors),
            position: state.receive,
            consumer: state.receiveConsumer
        )
        // An honest program lends each chunk once, so there is never more to recycle.
        recycledCapacity = umem.chunkCount
        unsafe recycled = .allocate(capacity: umem.chunkCount)
        for (index, address) in state.recycled.enumerated() { unsafe recycled[index] = address }
        recycledCount = state.recycled.count
        chunksHeld = 0
        mark = socket.census.mark("XSK pool")
        // What the last driver said holds no more. As `xp_assign_dev`, the first frames must be announced.
        unsafe fill.ring.flags.pointee.store(0, ordering: .relaxed)
        setNeedWakeup(transmit: true)
    }

    deinit {
        completion.publishAtEnd()
        receive.publishAtEnd()
        if completion.outstanding != 0 { counters.add(.lostTransmitFrames, UInt64(completion.outstanding)) }
        if chunksHeld != 0 { counters.add(.lostReceiveChunks, UInt64(chunksHeld)) }
        let state = XSKPositions.Pool(
            transmit: transmit.position,
            completion: completion.written,
            completionConsumer: completion.knownConsumer,
            fill: fill.position,
            receive: receive.written,
            receiveConsumer: receive.knownConsumer,
            recycled: (0..<recycledCount).map { unsafe recycled[$0] }
        )
        unsafe recycled.deallocate()
        socket.giveBackPool(state)
    }

    /// The packet memory: map it for the device before the first frame.
    public var umem: UMEM { socket.umem }

    /// Readable after the program's `kick`.
    public var wakeDescriptor: Int32 { socket.wakeDescriptor }

    /// Whether the program kicked since the last call; clears that.
    public func consumeKick() -> Bool { socket.consumeKick() }

    /// Frames that the driver took and has not completed. 0 before a pool is given back means that all came back.
    public var outstandingTransmitFrames: Int { Int(completion.outstanding) }

    /// Chunks that the driver took and has neither delivered nor recycled.
    public var outstandingReceiveChunks: Int { chunksHeld }

    /// Tells the program whether it must kick after putting frames into the Tx ring. After `true`, look once more.
    /// Without XDP_USE_NEED_WAKEUP the program does not look, and kicks every time.
    public mutating func setNeedWakeup(transmit wanted: Bool) {
        guard usesNeedWakeup else { return }
        Self.set(&transmitWakeup, wanted, transmit.ring)
    }

    /// Tells the program whether it must kick after putting chunks into the fill ring. After `true`, look once more.
    public mutating func setNeedWakeup(fill wanted: Bool) {
        guard usesNeedWakeup else { return }
        Self.set(&fillWakeup, wanted, fill.ring)
    }

    private static func set(_ known: inout XSKRingFlags, _ wanted: Bool, _ ring: SharedRing) {
        let flags: XSKRingFlags = wanted ? .needWakeup : []
        guard flags != known else { return }
        known = flags
        unsafe ring.flags.pointee.store(flags.rawValue, ordering: .releasing)
        // Pairs with `publishBeforeWakeupCheck`: the look at the ring that follows comes after the flag is out.
        if wanted { atomicMemoryFence(ordering: .sequentiallyConsistent) }
    }
}
