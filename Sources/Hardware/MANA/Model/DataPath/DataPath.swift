// All that a burst touches, as one value: queues, ports, the wire.
//
//   wire ─► ReceiveEngine ─► Port: hash, table ─► ReceiveQueue ─► completion ─► event queue ─► vector
//   doorbell ─► TransmitEngine ─► SendQueue ─► offloads ─► wire;   completion ─► event queue ─► vector

import Ethernet
import MANAWire
import Memory

/// What the data path is given for good.
package struct DataPathLimits: Sendable {
    /// Ids of send, receive and completion queues are below these.
    package var sendQueues = 64
    package var receiveQueues = 64
    package var completionQueues = 256
    package var ports = 1
    /// Bytes of the longest frame with its Ethernet header, without a tag (adapter_mtu).
    package var longestFrame = 9014
    /// Bytes of frames that wait for receive requests.
    package var packetBufferBytes = 64 * 1024
    /// Frames per queue and direction in one poll: what one queue may hold up the others.
    package var pollBudget = 64

    package init() {}
}

package struct DataPath: ~Copyable {
    package var ports: SlotTable<Port>
    package private(set) var counters = FunctionCounters()
    private var receiver: ReceiveEngine
    private var transmitter: TransmitEngine
    private let budget: Int
    /// Whose each completion queue is.
    private var completionOwners: [CompletionOwner]
    /// Completion queues whose events may wait.
    private var moderated: [Int] = []
    /// What queues that are gone had counted.
    private var retired = QueueCounts()
    /// Doorbells of queues that are not there.
    package private(set) var strayDoorbells: UInt64 = 0

    private enum CompletionOwner {
        case nobody
        case send(Int)
        case receive(Int)
    }

    package init(_ port: consuming WirePort, _ limits: DataPathLimits) {
        ports = SlotTable(count: limits.ports)
        completionOwners = [CompletionOwner](repeating: .nobody, count: limits.completionQueues)
        budget = limits.pollBudget
        transmitter = TransmitEngine(port.transmit, limits)
        receiver = ReceiveEngine(port.receive, limits)
    }

    // MARK: Queues

    /// Takes over a queue that was created. Its id, and its completion queue's, are below the limits and free.
    package mutating func insert(_ queue: consuming SendQueue) {
        let id = Int(queue.id)
        completionOwners[Int(queue.completions.id)] = .send(id)
        note(queue.completions)
        transmitter.queues.insert(queue, at: id)
    }

    /// See `insert`.
    package mutating func insert(_ queue: consuming ReceiveQueue) {
        let id = Int(queue.id)
        completionOwners[Int(queue.completions.id)] = .receive(id)
        note(queue.completions)
        receiver.queues.insert(queue, at: id)
    }

    /// Ends a send queue and its completion queue. What it had not done is never done.
    package mutating func removeSend(_ id: Int) {
        guard transmitter.queues.contains(id) else { return }
        forget(completions: Int(transmitter.queues[id].completions.id))
        retired.add(transmitter.queues[id])
        transmitter.note(id, isWaiting: false)
        transmitter.queues.remove(id)
    }

    /// Ends a receive queue and its completion queue; frames that would go there are dropped.
    package mutating func removeReceive(_ id: Int) {
        guard receiver.queues.contains(id) else { return }
        forget(completions: Int(receiver.queues[id].completions.id))
        retired.add(receiver.queues[id])
        for port in 0..<ports.count where ports.contains(port) { ports[port].forget(queue: id) }
        receiver.queues.remove(id)
    }

    /// No queue is left. Ports, wire and counts stay.
    package mutating func removeAll() {
        for id in 0..<transmitter.queues.count { removeSend(id) }
        for id in 0..<receiver.queues.count { removeReceive(id) }
    }

    /// Says behind all that receive queue `id` has got so far that it has got it (FENCE_RQ).
    package mutating func fence(_ id: Int, _ events: inout EventQueues) {
        guard receiver.queues.contains(id) else { return }
        receiver.queues[id].fence()
        receiver.tell(id, &events)
    }

    // MARK: Doorbells. The ids may be anything.

    package mutating func ring(send id: Int, tail: UInt32) {
        guard transmitter.queues.contains(id) else { return countStray() }
        transmitter.queues[id].work.setTail(tail)
        transmitter.note(id, isWaiting: true)
    }

    package mutating func ring(receive id: Int, tail: UInt32) {
        guard receiver.queues.contains(id) else { return countStray() }
        receiver.queues[id].work.setTail(tail)
        receiver.note(id)
    }

    /// The 32-bit doorbell.
    package mutating func ring(send id: Int, movedBy increment: UInt32) {
        guard transmitter.queues.contains(id) else { return countStray() }
        transmitter.queues[id].work.moveTail(by: increment)
        transmitter.note(id, isWaiting: true)
    }

    /// The 32-bit doorbell.
    package mutating func ring(receive id: Int, movedBy increment: UInt32) {
        guard receiver.queues.contains(id) else { return countStray() }
        receiver.queues[id].work.moveTail(by: increment)
        receiver.note(id)
    }

    /// The driver has read a completion queue up to `tail`.
    package mutating func ring(completion id: Int, tail: UInt32, isArmed: Bool, _ events: inout EventQueues) {
        changeCompletions(id, &events) { $0.ring(tail: tail, isArmed: isArmed) }
    }

    /// The 32-bit doorbell.
    package mutating func ring(
        completion id: Int,
        movedBy increment: UInt32,
        isArmed: Bool,
        _ events: inout EventQueues
    ) {
        changeCompletions(id, &events) { $0.ring(movedBy: increment, isArmed: isArmed) }
    }

    /// - Parameter change: what the doorbell does; whether an event is due.
    private mutating func changeCompletions(
        _ id: Int,
        _ events: inout EventQueues,
        _ change: (inout CompletionQueue) -> Bool
    ) {
        guard id >= 0, id < completionOwners.count else { return countStray() }
        let isDue: Bool
        let parent: Int
        switch completionOwners[id] {
        case .nobody:
            return countStray()
        case .send(let owner):
            isDue = change(&transmitter.queues[owner].completions)
            parent = transmitter.queues[owner].completions.eventQueue
        case .receive(let owner):
            isDue = change(&receiver.queues[owner].completions)
            parent = receiver.queues[owner].completions.eventQueue
        }
        if isDue { events.push(.completion(of: UInt32(id)), to: parent) }
    }

    // MARK: Moderation

    /// The driver says how long a completion queue's events may wait; nil: as it was.
    package mutating func moderate(
        completion id: Int,
        microseconds: UInt16?,
        completions: UInt16?,
        _ events: inout EventQueues
    ) {
        var isModerated = false
        changeCompletions(id, &events) {
            let isDue = $0.moderate(microseconds: microseconds, completions: completions)
            isModerated = $0.moderation.isOn
            return isDue
        }
        moderated.removeAll { $0 == id }
        if isModerated { moderated.append(id) }
    }

    private mutating func note(_ completions: borrowing CompletionQueue) {
        if completions.moderation.isOn { moderated.append(Int(completions.id)) }
    }

    private mutating func forget(completions id: Int) {
        completionOwners[id] = .nobody
        moderated.removeAll { $0 == id }
    }

    /// Tells of completions that have waited long enough; whether there were any.
    package mutating func tellModerated(_ now: UInt64, _ events: inout EventQueues) -> Bool {
        var hasTold = false
        for index in moderated.indices {
            changeCompletions(moderated[index], &events) {
                let isDue = $0.takeModeratedEvent(now)
                if isDue { hasTold = true }
                return isDue
            }
        }
        return hasTold
    }

    /// When the next of them is due, if nothing else happens.
    package func moderationDeadline(_ now: UInt64) -> UInt64? {
        var deadline: UInt64?
        for id in moderated {
            let due: UInt64?
            switch completionOwners[id] {
            case .nobody: due = nil
            case .send(let owner): due = transmitter.queues[owner].completions.moderationDeadline(now)
            case .receive(let owner): due = receiver.queues[owner].completions.moderationDeadline(now)
            }
            if let due { deadline = min(deadline ?? due, due) }
        }
        return deadline
    }

    private mutating func countStray() { strayDoorbells &+= 1 }

    // MARK: Bursts

    /// One burst in, one burst out of each send queue that has requests; whether anything moved.
    package mutating func poll(now: UInt64, _ events: inout EventQueues) -> Bool {
        let frames = receiver.run(budget: budget, ports, &counters, &transmitter.wire.tap)
        if frames > 0 { receiver.endBurst(&events) }
        return transmitter.run(budget: budget, now: now, ports, &counters, &events) || frames > 0
    }

    /// Takes frames off the wire that nobody can receive: the function may not use memory, or has no link.
    package mutating func ignoreArrivals() -> Bool { receiver.drain(budget: budget) > 0 }

    /// A burst stopped because the wire was full: nothing wakes the device when it drains.
    package var isWireFull: Bool { transmitter.isWireFull }

    // MARK: The world outside

    /// Where a copy of every frame goes; see `CaptureTag`.
    package var capture: FrameProducer? {
        _read { yield transmitter.wire.tap.ring }
        _modify { yield &transmitter.wire.tap.ring }
    }

    package var wakeDescriptor: Int32 { receiver.wire.wakeDescriptor }
    package func setSleeping(_ sleeping: Bool) { receiver.setSleeping(sleeping) }

    // MARK: Counts that no request asks for

    package var framesSent: UInt64 { transmitter.wire.frames }
    package var framesReceived: UInt64 { receiver.received }
    package var framesFiltered: UInt64 { receiver.filtered }
    package var framesOfBadLength: UInt64 { receiver.badLength }
    package var framesDropped: UInt64 { receiver.dropped }
    package var framesNotCaptured: UInt64 { transmitter.wire.tap.lostFrames }

    /// Of all queues that there are and were.
    package var queueCounts: QueueCounts {
        var counts = retired
        for id in 0..<transmitter.queues.count where transmitter.queues.contains(id) {
            counts.add(transmitter.queues[id])
        }
        for id in 0..<receiver.queues.count where receiver.queues.contains(id) { counts.add(receiver.queues[id]) }
        return counts
    }

    package var badTails: UInt64 { queueCounts.badTails }
    package var unreachableRings: UInt64 { queueCounts.unreachableRings }
    package var badBuffers: UInt64 { queueCounts.badBuffers }
}

/// What queues count that no request asks for.
package struct QueueCounts: Sendable, Equatable {
    /// Tails that their ring cannot have, ignored.
    package private(set) var badTails: UInt64 = 0
    /// Completions that could not be written, and bursts or frames that found a ring's memory gone.
    package private(set) var unreachableRings: UInt64 = 0
    /// Receive requests whose memory could not be used.
    package private(set) var badBuffers: UInt64 = 0

    mutating func add(_ queue: borrowing SendQueue) {
        badTails &+= queue.work.badTails
        unreachableRings &+= queue.unreachable &+ queue.completions.lost &+ queue.work.refusedFetches
    }

    mutating func add(_ queue: borrowing ReceiveQueue) {
        badTails &+= queue.work.badTails
        unreachableRings &+= queue.unreachable &+ queue.completions.lost &+ queue.work.refusedFetches
        badBuffers &+= queue.malformed
    }
}
