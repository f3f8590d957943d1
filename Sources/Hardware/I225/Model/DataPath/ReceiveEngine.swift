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
    var queues: InlineArray<4, ReceiveQueue>
    var filter = AddressFilter()
    var steering = QueueSteering()
    var scaling = ReceiveSideScaling()
    var settings = ReceiveSettings()

    private(set) var tally = FrameTally()
    /// Whether the frame at the head of the wire has been counted as one that came without a descriptor.
    private var headHasWaited = false
    /// The tag that was taken out of the frame at the head.
    private var strippedTag: UInt16?

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

    init(_ wire: consuming FrameConsumer, _ memory: IOVASpace) {
        self.wire = wire
        queues = InlineArray { _ in ReceiveQueue(memory) }
    }

    mutating func reset() {
        for index in 0..<4 { queues[index].reset() }
        headHasWaited = false
        tally = FrameTally()
        missed = 0
        withoutBuffer = 0
        undersize = 0
        oversize = 0
    }

    /// What a burst came to.
    struct Progress {
        var frames = 0
        /// Queues that got a frame, as bits.
        var queues: UInt32 = 0
    }

    /// Takes up to `budget` frames that nobody can receive off the wire; how many.
    mutating func drain(budget: Int) -> Int {
        var frames = 0
        while frames < budget, let frame = unsafe wire.peek() {
            unsafe wire.consume(frame)
            frames &+= 1
        }
        wire.release()
        headHasWaited = false
        ignored &+= UInt64(truncatingIfNeeded: frames)
        return frames
    }

    /// Takes up to `budget` frames off the wire; the queues have begun their bursts.
    mutating func run(
        budget: Int,
        latency: UInt64,
        time: borrowing TimeSync,
        tap: inout CaptureTap
    ) -> Progress {
        var progress = Progress()
        let isCapturing = tap.isOpen
        while progress.frames < budget {
            if !isCapturing { takePlain(budget, &progress) }
            guard progress.frames < budget, let frame = unsafe wire.peek() else { break }
            var queue = 0
            switch unsafe receive(frame, latency: latency, time: time) {
            case .waits:
                wire.release()
                tap.publish()
                return progress
            case .gone: break
            case .reached(let number):
                queue = number
                progress.queues |= 1 &<< UInt32(truncatingIfNeeded: number)
            }
            if isCapturing {
                unsafe restoreTag(frame)
                unsafe tap.add(
                    frame.bytes,
                    length: frame.length,
                    deviceNanoseconds: time.timer0.nanoseconds(at: frame.wireTime),
                    direction: .received,
                    queue: queue
                )
            }
            unsafe wire.consume(frame)
            headHasWaited = false
            progress.frames &+= 1
        }
        wire.release()
        tap.publish()
        return progress
    }

    /// Takes frames that need nothing but a buffer, up to the first that needs more.
    private mutating func takePlain(_ budget: Int, _ progress: inout Progress) {
        guard !settings.looksInside, !settings.stripsVLAN, let station = filter.plainAddress else { return }
        let queue = scaling.defaultQueue
        let taken = queues[queue].takePlain(
            from: &wire,
            to: station,
            longest: settings.longestFrame &- I225.crcBytes,
            findings: ReceiveWriteBack(low: 0, high: UInt64(ReceiveChecksumVerdict.ignoredBit)),
            budget: budget &- progress.frames,
            tally: &tally
        )
        guard taken > 0 else { return }
        headHasWaited = false
        received &+= UInt64(truncatingIfNeeded: taken)
        progress.frames &+= taken
        progress.queues |= 1 &<< UInt32(truncatingIfNeeded: queue)
    }

    /// What became of a frame.
    private enum Disposition {
        /// It stays on the wire until its queue has descriptors.
        case waits
        /// Filtered or dropped, and counted.
        case gone
        /// The queue has a new write-back.
        case reached(Int)
    }

    /// VP, in the write-back's upper quadword.
    private static var vlanStripped: UInt64 { 1 << 3 }

    @inline(__always)
    private mutating func receive(
        _ frame: FrameView,
        latency: UInt64,
        time: borrowing TimeSync
    ) -> Disposition {
        let bytes = unsafe frame.bytes
        let length = unsafe frame.length
        strippedTag = nil
        guard hasGoodLength(length) else { return .gone }
        let span = unsafe RawSpan(_unsafeStart: bytes, byteCount: length)
        guard let match = filter.match(span) else {
            filtered &+= 1
            return .gone
        }

        var findings = ReceiveWriteBack(low: 0, high: 0)
        var queue = match.queue ?? scaling.defaultQueue
        if settings.looksInside {
            let headers = FrameHeaders(span)
            let hash = scaling.hash(span, headers)
            let steered = settings.steers ? steering.queue(for: headers, addressQueue: match.queue) : match.queue
            queue = steered ?? scaling.queue(for: hash)
            if settings.reportsHash { findings.low = UInt64(hash.type.writeBackCode) | UInt64(hash.value) << 32 }
            findings.high = UInt64(ReceiveChecksum.verdict(span, headers, settings.checksum).writeBackBits)
        } else {
            findings.high = UInt64(ReceiveChecksumVerdict.ignoredBit)
        }

        switch queues[queue].outcome(ofLength: length) {
        case .delivered: break
        case .noDescriptors: return mayWait(queue) ? .waits : .gone
        case .dropped:
            dropped &+= 1
            return .gone
        }

        let destination = unsafe bytes.loadUnaligned(as: UInt64.self)
        var start = 0
        if settings.stripsVLAN {
            var whole = unsafe MutableRawSpan(_unsafeStart: bytes, byteCount: length)
            if let tag = VLANTag.strip(type: settings.vlanType, from: &whole) {
                findings.high |= Self.vlanStripped | UInt64(tag) << 48
                strippedTag = tag
                start = VLANTag.byteCount
            }
        }
        var header = ReceiveStampHeader(first: 0, second: 0)
        if queues[queue].putsStamps { header = unsafe stamp(frame.wireTime, queues[queue].control, latency, time) }
        switch unsafe queues[queue].deliver(bytes + start, length: length &- start, findings, header) {
        case .delivered:
            tally.add(length: length, destination: destination)
            received &+= 1
        case .noDescriptors, .dropped:
            dropped &+= 1
        }
        // A refused descriptor went back too, and the driver must hear of it.
        return .reached(queue)
    }

    /// A capture shows frames as they were on the wire.
    @inline(never)
    private mutating func restoreTag(_ frame: FrameView) {
        guard let tag = strippedTag else { return }
        var whole = unsafe MutableRawSpan(_unsafeStart: frame.bytes, byteCount: frame.length)
        // A frame that a tag was taken out of has room for it.
        try? VLANTag.insert(tag, type: settings.vlanType, into: &whole)
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
    private mutating func mayWait(_ queue: Int) -> Bool {
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
