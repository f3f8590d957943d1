// The way into the device: from the wire through the filters to a queue.
//
// Frames wait on the wire, which stands for the packet buffer, while their queue has no descriptors: up to the size that
// RXPBS gives, and for ever with flow control. Beyond it they are dropped, as on hardware.
// Source: I225 contract, sections 2.4 and 4.1; I210 data sheet §7.1.

import Backing
import Ethernet
import I225Wire
import Memory
import Registers

@safe struct ReceiveEngine: ~Copyable {
    // SAFETY: a frame is the consumer's, also to change, until `release`; all accesses stay inside its length.
    var wire: FrameConsumer
    var queues = InlineArray<4, ReceiveQueue> { _ in ReceiveQueue() }
    var filter = AddressFilter()
    var steering = QueueSteering()
    var scaling = ReceiveSideScaling()
    var settings = ReceiveSettings()

    private(set) var tally = FrameTally()
    /// Whether the frame at the head of the wire has been counted as one that came without a descriptor.
    private var headHasWaited = false

    // Counts since the registers took them, and for ever.
    private var missed: UInt32 = 0
    private var withoutBuffer: UInt32 = 0
    private var undersize: UInt32 = 0
    private var oversize: UInt32 = 0
    private(set) var received: UInt64 = 0
    private(set) var ignored: UInt64 = 0
    private(set) var filtered: UInt64 = 0
    private(set) var badLength: UInt64 = 0
    private(set) var dropped: UInt64 = 0

    init(_ wire: consuming FrameConsumer) { self.wire = wire }

    mutating func reset() {
        for index in 0..<4 { queues[index].reset() }
        headHasWaited = false
        tally = FrameTally()
        missed = 0
        withoutBuffer = 0
        undersize = 0
        oversize = 0
    }

    /// Looks at the doorbells for a burst.
    mutating func begin(_ host: DeviceHost) {
        for index in 0..<4 { queues[index].begin(host.doorbells.load(I225.queueCount &+ index), host.memory) }
    }

    /// What a burst came to.
    struct Progress {
        var frames = 0
        /// Queues that got a frame, as bits.
        var queues: UInt32 = 0
    }

    /// Takes frames that nobody can receive off the wire.
    mutating func drain(budget: Int) -> Progress {
        var progress = Progress()
        while progress.frames < budget, let frame = unsafe wire.peek() {
            unsafe wire.consume(frame)
            ignored &+= 1
            progress.frames += 1
        }
        wire.release()
        return progress
    }

    /// Takes up to `budget` frames off the wire. The tails were given by `begin`.
    mutating func run(
        budget: Int,
        receiveLatency: UInt64,
        time: borrowing TimeSync,
        capture: inout CaptureTap,
        memory: IOVASpace
    ) -> Progress {
        var progress = Progress()
        let isCapturing = capture.isOpen
        while progress.frames < budget, let frame = unsafe wire.peek() {
            guard let queue = unsafe receive(frame, receiveLatency: receiveLatency, time: time, memory: memory) else {
                break
            }
            if isCapturing {
                let nanoseconds = unsafe time.timer0.nanoseconds(at: frame.wireTime)
                unsafe capture.add(
                    frame.bytes,
                    length: frame.length,
                    deviceNanoseconds: nanoseconds,
                    direction: .received,
                    queue: max(queue, 0)
                )
            }
            if queue >= 0 { progress.queues |= 1 &<< UInt32(truncatingIfNeeded: queue) }
            unsafe wire.consume(frame)
            headHasWaited = false
            progress.frames &+= 1
        }
        wire.release()
        return progress
    }

    /// No queue: the frame was filtered or dropped.
    private static var nowhere: Int { -1 }

    /// VP, in the write-back's upper quadword.
    private static var vlanStripped: UInt64 { 1 << 3 }

    /// Handles one frame; its queue, `nowhere`, or nil where it must wait on the wire.
    @inline(__always)
    private mutating func receive(
        _ frame: FrameView,
        receiveLatency: UInt64,
        time: borrowing TimeSync,
        memory: IOVASpace
    ) -> Int? {
        let bytes = unsafe frame.bytes
        let length = unsafe frame.length
        guard hasGoodLength(length) else { return Self.nowhere }
        let span = unsafe RawSpan(_unsafeStart: bytes, byteCount: length)
        guard let match = filter.match(span) else {
            filtered &+= 1
            return Self.nowhere
        }

        var findings = ReceiveWriteBack(low: 0, high: 0)
        var queue = match.queue ?? scaling.defaultQueue
        if settings.looksInside {
            let headers = FrameHeaders(span)
            let hash = scaling.hash(span, headers)
            queue = steering.queue(for: headers, addressQueue: match.queue) ?? scaling.queue(for: hash)
            if settings.reportsHash { findings.low = UInt64(hash.type.rawValue) | UInt64(hash.value) << 32 }
            findings.high = UInt64(ReceiveChecksum.verdict(span, headers, settings.checksum).rawValue)
        } else {
            findings.high = UInt64(ReceiveChecksumVerdict.ignored.rawValue)
        }

        switch queues[queue].outcome(ofLength: length) {
        case .delivered: break
        case .noDescriptors: return wait(queue) ? nil : Self.nowhere
        case .dropped:
            dropped &+= 1
            return Self.nowhere
        }

        let destination = unsafe bytes.loadUnaligned(as: UInt64.self)
        var start = 0
        if settings.stripsVLAN {
            var whole = unsafe MutableRawSpan(_unsafeStart: bytes, byteCount: length)
            if let tag = VLANTag.strip(type: settings.vlanType, from: &whole) {
                findings.high |= Self.vlanStripped | UInt64(tag) << 48
                start = VLANTag.byteCount
            }
        }
        var header = ReceiveStampHeader(first: 0, second: 0)
        if queues[queue].putsStamps {
            header = unsafe stamp(frame.wireTime, queues[queue].control, receiveLatency, time)
        }
        switch unsafe queues[queue].deliver(bytes + start, length: length &- start, findings, header, memory) {
        case .delivered:
            tally.add(length: length, destination: destination)
            received &+= 1
        case .noDescriptors, .dropped:
            dropped &+= 1
        }
        // A refused descriptor went back too, and the driver must hear of it.
        return queue
    }

    private mutating func hasGoodLength(_ length: Int) -> Bool {
        if length < 14 {
            undersize &+= 1
        } else if length &+ I225.crcBytes > settings.longestFrame {
            oversize &+= 1
        } else {
            return true
        }
        badLength &+= 1
        return false
    }

    /// The queue has no descriptors: whether the frame waits, or is dropped because the packet buffer is full.
    private mutating func wait(_ queue: Int) -> Bool {
        if !headHasWaited {
            headHasWaited = true
            withoutBuffer &+= 1
        }
        guard !settings.sendsPauses, wire.backlogBytes() > settings.packetBufferBytes else { return true }
        missed &+= 1
        dropped &+= 1
        queues[queue].countDrop()
        return false
    }

    /// Software subtracts the latency again.
    private func stamp(
        _ wireTime: UInt64,
        _ control: SplitReceiveControl,
        _ latency: UInt64,
        _ time: borrowing TimeSync
    ) -> ReceiveStampHeader {
        let raw0 = time.timer0.nanoseconds(at: wireTime) &+ latency
        let raw1 = time.timer1.nanoseconds(at: wireTime) &+ latency
        return ReceiveStampHeader(
            timer1: DeviceTime(totalNanoseconds: control[.timer1] == 1 ? raw1 : raw0),
            timer0: DeviceTime(totalNanoseconds: control[.timer0] == 1 ? raw1 : raw0)
        )
    }

    mutating func moveTally(to registers: inout RegisterFile) {
        tally.moveReceived(to: &registers)
        registers[I225Register.missedPackets].raw &+= missed
        registers[I225Register.receivedWithoutBuffer].raw &+= withoutBuffer
        registers[I225Register.undersizeReceived].raw &+= undersize
        registers[I225Register.oversizeReceived].raw &+= oversize
        missed = 0
        withoutBuffer = 0
        undersize = 0
        oversize = 0
        for queue in 0..<4 { registers[I225Register.receiveQueueDrops[queue]].raw &+= queues[queue].takeDrops() }
    }
}
