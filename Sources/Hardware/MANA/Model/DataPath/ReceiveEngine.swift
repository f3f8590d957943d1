// The way into the adapter: from the wire to a port, by hash to a queue.
//
// Frames wait on the wire, which stands for the adapter's packet buffer, while their queue has no requests: up to the size
// that the limits give. Beyond it they are dropped, and counted as discards for want of a request.
// Source: Linux mana_cfg_vport_steering, mana_poll_rx_cq (mana_en.c) of 6.12 and 7.x.

import Ethernet
import MANAWire

@safe struct ReceiveEngine: ~Copyable {
    // SAFETY: a frame is the consumer's until `release`; all accesses stay inside its length, which is 14 at least.
    private(set) var wire: FrameConsumer
    var queues: SlotTable<ReceiveQueue>
    /// Queues that this burst has been at, a bit each.
    private var touched: LookupTable
    /// Queues whose requests are on their way from remote memory, a bit each.
    private var fetching: LookupTable
    private var isFetching = false
    private let longestFrame: Int
    private let packetBufferBytes: Int

    /// For another station, or while no port received.
    private(set) var filtered: UInt64 = 0
    private(set) var badLength: UInt64 = 0
    /// Led to no queue, did not fit their buffer, or found the queue's memory gone.
    private(set) var dropped: UInt64 = 0
    private(set) var received: UInt64 = 0

    init(_ wire: consuming FrameConsumer, _ limits: DataPathLimits) {
        self.wire = wire
        queues = SlotTable(count: limits.receiveQueues)
        touched = LookupTable(count: limits.receiveQueues / 32 + 1)
        fetching = LookupTable(count: limits.receiveQueues / 32 + 1)
        longestFrame = limits.longestFrame
        packetBufferBytes = limits.packetBufferBytes
    }

    func setSleeping(_ sleeping: Bool) { wire.setSleeping(sleeping) }

    /// Takes up to `budget` frames that nobody can receive off the wire; how many.
    mutating func drain(budget: Int) -> Int {
        var frames = 0
        while frames < budget, let frame = unsafe wire.peek() {
            unsafe wire.consume(frame)
            frames &+= 1
        }
        wire.release()
        filtered &+= UInt64(truncatingIfNeeded: frames)
        return frames
    }

    /// Queue `id` was rung.
    mutating func note(_ id: Int) {
        guard queues[id].work.isWaiting else { return }
        fetching[id >> 5] |= 1 &<< UInt32(id & 31)
        isFetching = true
    }

    /// Has requests come from remote memory before there are frames for them.
    @inline(never) private mutating func fetch() {
        isFetching = false
        for word in 0..<fetching.count where fetching[word] != 0 {
            var rest = fetching[word]
            fetching[word] = 0
            while rest != 0 {
                let id = word * 32 + rest.trailingZeroBitCount
                rest &= rest &- 1
                guard queues.contains(id), queues[id].work.refresh() else { continue }
                note(id)
            }
        }
    }

    /// Takes up to `budget` frames off the wire; how many.
    mutating func run(
        budget: Int,
        _ ports: borrowing SlotTable<Port>,
        _ counters: inout FunctionCounters,
        _ tap: inout CaptureTap
    ) -> Int {
        if isFetching { fetch() }
        let isCapturing = tap.isOpen
        var frames = 0
        while frames < budget, let frame = unsafe wire.peek() {
            var queue = 0
            switch unsafe take(frame, ports, &counters) {
            case .waits:
                wire.release()
                tap.publish()
                return frames
            case .gone: break
            case .reached(let id): queue = id
            }
            if isCapturing {
                unsafe tap.add(
                    frame.bytes,
                    length: frame.length,
                    deviceNanoseconds: frame.wireTime,
                    direction: .received,
                    queue: queue
                )
            }
            unsafe wire.consume(frame)
            frames &+= 1
        }
        wire.release()
        tap.publish()
        return frames
    }

    /// Ends the burst: completions in the making are posted, and their event queues hear of them.
    mutating func endBurst(_ events: inout EventQueues) {
        for word in 0..<touched.count where touched[word] != 0 {
            var rest = touched[word]
            touched[word] = 0
            while rest != 0 {
                let id = word * 32 + rest.trailingZeroBitCount
                rest &= rest &- 1
                queues[id].flush()
                tell(id, &events)
            }
        }
    }

    /// The event queue of receive queue `id` hears what was posted, if the completion queue is armed.
    mutating func tell(_ id: Int, _ events: inout EventQueues) {
        guard queues[id].completions.takeEvent() else { return }
        events.push(.completion(of: queues[id].completions.id), to: queues[id].completions.eventQueue)
    }

    /// What became of a frame.
    private enum Disposition {
        /// It stays on the wire until its queue has a request.
        case waits
        /// Nobody got it, and that was counted.
        case gone
        case reached(Int)
    }

    @inline(__always) private mutating func take(
        _ frame: FrameView,
        _ ports: borrowing SlotTable<Port>,
        _ counters: inout FunctionCounters
    ) -> Disposition {
        let length = unsafe frame.length
        guard length >= MANA.headerBytes, length <= longestFrame &+ VLANTag.byteCount else {
            badLength &+= 1
            return .gone
        }
        let destination = unsafe frame.bytes.loadUnaligned(as: UInt64.self)
        let isGroup = destination & 1 != 0
        if isGroup, ports.count > 1 { return unsafe takeForAll(frame, destination, ports, &counters) }
        let address = destination & 0xFFFF_FFFF_FFFF
        for port in 0..<ports.count where ports.contains(port) && (isGroup || ports[port].address == address) {
            return unsafe deliver(frame, destination, to: port, ports, &counters, mayWait: true)
        }
        filtered &+= 1
        return .gone
    }

    /// A frame to a group goes to every port. It does not wait for one of them: the others would get it twice.
    @inline(never) private mutating func takeForAll(
        _ frame: FrameView,
        _ destination: UInt64,
        _ ports: borrowing SlotTable<Port>,
        _ counters: inout FunctionCounters
    ) -> Disposition {
        var found = Disposition.gone
        for port in 0..<ports.count where ports.contains(port) {
            let one = unsafe deliver(frame, destination, to: port, ports, &counters, mayWait: false)
            if case .reached = one { found = one }
        }
        return found
    }

    @inline(__always) private mutating func deliver(
        _ frame: FrameView,
        _ destination: UInt64,
        to port: Int,
        _ ports: borrowing SlotTable<Port>,
        _ counters: inout FunctionCounters,
        mayWait: Bool
    ) -> Disposition {
        guard ports[port].receives else {
            counters.add(.receivePortDisabled)
            return .gone
        }
        let span = unsafe RawSpan(_unsafeStart: frame.bytes, byteCount: frame.length)
        let findings = ReceiveFindings(span, for: ports[port])
        guard let queue = ports[port].queue(for: findings.hash), queues.contains(queue) else {
            dropped &+= 1
            return .gone
        }
        let outcome = unsafe queues[queue].deliver(
            frame.bytes,
            length: frame.length,
            gap: findings.gap,
            verdict: findings.verdict,
            hash: findings.hash.value,
            most: ports[port].coalescing
        )
        switch outcome {
        case .delivered:
            unsafe counters.addReceived(frame.length, destination: destination)
            received &+= 1
            touch(queue)
            return .reached(queue)
        case .noRequest:
            if mayWait, wire.backlogBytes() <= packetBufferBytes { return .waits }
            counters.add(.receiveNoRequest)
            return .gone
        case .dropped:
            dropped &+= 1
            // The driver hears of a request that was used up all the same.
            touch(queue)
            return .gone
        }
    }

    @inline(__always) private mutating func touch(_ queue: Int) {
        touched[queue &>> 5] |= 1 &<< UInt32(truncatingIfNeeded: queue & 31)
    }
}
