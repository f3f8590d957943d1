// A queue pair for an XSK socket: the program's frames go to the card and come from it without a copy. The card knows no
// stamps; a request for one is answered with a word that says so.

import Backing
import Memory
import Netdev
import Rings
import XSK

/// A send and a receive queue bound to a socket's pool. One owner thread, which calls `poll` again and again. Its end
/// ends the queues on the card and gives every frame and chunk back to the program.
@safe public struct MANAXSKQueue<Backing: PCIeBacking>: ~Copyable {
    // SAFETY: `state` is one initialised value that this one owns. On the heap, because a `deinit` cannot change the
    // fields of a struct, and because a queue is handed over: that moves eight bytes instead of a kilobyte.
    private let state: UnsafeMutablePointer<XSKQueueState<Backing>>
    /// Keeps the value from being a bare pointer: Swift 6.3 may skip the `deinit` of a generic struct that is trivial.
    private let hardware: MANAHardware<Backing>

    init(_ initial: consuming XSKQueueState<Backing>) {
        hardware = initial.hardware
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: initial)
    }

    deinit {
        unsafe state.pointee.windDown()
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    /// One round: completions, frames to send, frames received. Whether there was anything to do.
    public mutating func poll() -> Bool { unsafe state.pointee.poll() }

    /// Frames of the program that are with the driver or the card.
    public var outstandingFrames: Int { unsafe state.pointee.pool.outstandingTransmitFrames }

    /// Readable when the program has kicked.
    public var wakeDescriptor: Int32 { unsafe state.pointee.pool.wakeDescriptor }

    /// Readable when the card has something; nil where the queue is polled.
    public var eventDescriptor: Int32? { unsafe state.pointee.eventDescriptor }

    /// Says whether the owner is about to sleep: the program must then kick. Poll once more after `true`.
    public mutating func setSleeping(_ sleeping: Bool) { unsafe state.pointee.setSleeping(sleeping) }

    /// Lets this queue's vector fire again; poll once more afterwards.
    public mutating func rearm() { unsafe state.pointee.rearm() }
}

/// What a queue works on.
struct XSKQueueState<Backing: PCIeBacking>: ~Copyable {
    private var queues: QueueSet<Backing>
    // After the queues have ended: the card loses the umem, then the pool goes back to its socket.
    private let mapping: DMAMapping
    var pool: XSKPool
    let hardware: MANAHardware<Backing>
    private let statistics: QueueStatistics
    private let umemBase: UInt64

    /// Frames taken from the program and not yet in the ring.
    private var burst = XSKTransmitBurst()
    private var buffers = Burst(repeating: NetdevBuffer())
    private var frames = Burst(repeating: ReceivedFrame())
    private var burstNext = 0
    private var burstCount = 0

    init(
        _ queues: consuming QueueSet<Backing>,
        pool: consuming XSKPool,
        mapping: consuming DMAMapping,
        hardware: MANAHardware<Backing>
    ) {
        umemBase = mapping.iova
        statistics = queues.statistics
        self.queues = queues
        self.pool = pool
        self.mapping = mapping
        self.hardware = hardware
    }

    var eventDescriptor: Int32? { queues.eventDescriptor }

    mutating func poll() -> Bool {
        let reaped = reap()
        let sent = send()
        let received = receiveFrames()
        pool.publishCompletions()
        return reaped > 0 || sent > 0 || received
    }

    mutating func setSleeping(_ sleeping: Bool) {
        pool.setNeedWakeup(transmit: sleeping)
        pool.setNeedWakeup(fill: sleeping)
        if !sleeping { _ = pool.consumeKick() }
    }

    mutating func rearm() { queues.arm() }

    private mutating func reap() -> Int {
        var cookies = InlineArray<32, UInt64>(repeating: 0)
        let count = queues.transmit.reap(&cookies)
        for index in 0..<count { pool.complete(cookies[index]) }
        return count
    }

    // MARK: sending

    /// Gives the card what the program has to send; how many frames.
    private mutating func send() -> Int {
        // Two units per frame at the most.
        guard queues.transmit.ring.room >= TransmitWork.mostUnits else { return 0 }
        if burstNext == burstCount {
            burstCount = pool.peekTransmit(&burst, limit: XSKTransmitBurst.capacity)
            burstNext = 0
            guard burstCount > 0 else { return 0 }
        }
        var sent = 0
        while burstNext < burstCount, queues.transmit.ring.room >= TransmitWork.mostUnits {
            let frame = burst[burstNext]
            burstNext &+= 1
            let buffer = NetdevBuffer(iova: umemBase &+ frame.address, cookie: frame.address, length: frame.length)
            var offload = TransmitOffload()
            if !frame.request.isEmpty { offload = answer(frame) }
            if queues.transmit.isPlain(buffer, offload) {
                let unit = queues.transmit.format.plain(iova: buffer.iova, length: buffer.length)
                queues.transmit.ring.submit(unit, cookie: frame.address)
                queues.transmit.count(buffer, offload)
                sent &+= 1
                continue
            }
            guard
                let work = queues.transmit.work(for: buffer, offload)
                    ?? queues.transmit.work(for: buffer, TransmitOffload())
            else {
                // Longer than any frame of the card, or empty: the kernel's driver drops it and completes it too.
                pool.complete(frame.address)
                statistics.xskDropped.add()
                continue
            }
            queues.transmit.ring.submit(work, cookie: frame.address)
            queues.transmit.count(buffer, offload)
            sent &+= 1
        }
        if burstNext < burstCount { queues.transmit.stopForRoom() }
        guard sent > 0 else { return 0 }
        statistics.xskTransmitted.add(UInt64(sent))
        queues.transmit.ringTail()
        return sent
    }

    /// Answers what the card cannot do; what it can do for the frame.
    @inline(never) private mutating func answer(_ frame: XSKTransmitFrame) -> TransmitOffload {
        if frame.request.contains(.timestamp) { pool.writeStamp(.disabled, for: frame.address) }
        guard frame.request.contains(.checksum) else { return TransmitOffload() }
        let words = pool.metadataRequest(of: frame)
        // The version is the frame's own to tell: of IPv4 the first byte behind the Ethernet header begins with 4.
        let isIPv4 = pool.umem.read(at: frame.address &+ 14, length: 1).map { $0[0] >> 4 == 4 } ?? false
        return TransmitOffload(
            checksumStart: words.checksumStart,
            checksumOffset: words.checksumOffset,
            isIPv4: isIPv4
        )
    }

    // MARK: receiving

    private mutating func receiveFrames() -> Bool {
        let refilled = refill()
        let count = queues.receive.reap(&frames)
        guard count > 0 else { return refilled }
        for index in 0..<count { deliver(frames[index]) }
        pool.publishReceived()
        queues.receive.ringTail()
        return true
    }

    /// An undamaged frame goes to the program; all else is dropped and its chunk used again.
    private mutating func deliver(_ frame: ReceivedFrame) {
        // The length is the card's word: the ring has found it no longer than the chunk has room.
        guard !frame.isDamaged, frame.length <= UInt32(truncatingIfNeeded: pool.umem.receiveCapacity) else {
            statistics.xskDropped.add()
            return pool.drop(frame.cookie)
        }
        let start = frame.cookie &+ UInt64(pool.umem.receiveOffset)
        if pool.deliver(address: start, length: frame.length) {
            statistics.xskReceived.add()
        } else {
            statistics.xskDropped.add()
        }
    }

    /// Gives the card chunks, in batches: a doorbell for each would cost more than they are worth.
    private mutating func refill() -> Bool {
        guard queues.receive.ring.room >= 32 else { return false }
        var chunks = InlineArray<32, UInt64>(repeating: 0)
        let count = pool.takeFill(&chunks, limit: 32)
        guard count > 0 else { return false }
        let offset = UInt64(pool.umem.receiveOffset)
        for index in 0..<count {
            buffers[index].iova = umemBase &+ chunks[index] &+ offset
            buffers[index].cookie = chunks[index]
        }
        _ = queues.receive.ring.provide(buffers, limit: count)
        queues.receive.ringTail()
        return true
    }

    // MARK: tear-down

    /// Ends the queue on the card and gives everything back: sent frames as sent, others too.
    mutating func windDown() {
        queues.receive.stop()
        queues.transmit.stop()
        while reap() > 0 {}
        while let cookie = queues.transmit.ring.takeBack() { pool.complete(cookie) }
        while burstNext < burstCount {
            pool.complete(burst[burstNext].address)
            burstNext += 1
        }
        pool.publishCompletions()
        while let chunk = queues.receive.ring.takeBack() { pool.recycle(chunk) }
        pool.publishReceived()
    }
}
