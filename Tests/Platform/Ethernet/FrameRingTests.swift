// The ring between two ends of a wire, against a plain queue of arrays; then with a thread at each end.

import Ethernet
import Glibc
import Simulation
import Synchronization
import TestFrames
import Testing

/// The smallest ring there is: 64 KiB holds four of the longest frames.
private let capacity = 64 * 1024

/// What a frame takes in a ring: a header of 16 bytes, all in steps of 16.
private func recordBytes(_ frame: [UInt8]) -> Int { (frame.count + 16 + 15) / 16 * 16 }

/// Every frame is a stretch of it.
private let pattern = payload(maximumFrameBytes + 257)

private struct Frame: Equatable {
    var bytes: [UInt8]
    var wireTime: UInt64
    var tag: UInt32

    /// A frame whose content, time and tag all come from its number.
    init(number: Int, count: Int) {
        let start = number % 256
        bytes = [UInt8](pattern[start..<start + count])
        wireTime = UInt64(number) << 32 | 0x1234
        tag = ~UInt32(number)
    }

    /// SAFETY: `view` was not released yet.
    @unsafe init(_ view: FrameView) {
        bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: view.bytes, count: view.length))
        wireTime = unsafe view.wireTime
        tag = unsafe view.tag
    }
}

/// One end of a wire, or both of a loopback. A class, because `#expect` cannot hold noncopyable values.
private final class End {
    private var port: WirePort

    init(_ port: consuming WirePort) { self.port = port }

    static func loopback() -> End { End(.loopback(capacity: capacity)) }

    func send(_ frame: Frame) -> Bool {
        port.transmit.send(frame.bytes.raw, wireTime: frame.wireTime, tag: frame.tag)
    }

    /// Makes a frame in room for `reserved` bytes, without showing it to the consumer.
    func commitUnpublished(_ frame: Frame, reserved: Int) -> Bool {
        // SAFETY: what is copied fits what was reserved.
        guard let room = unsafe port.transmit.reserve(reserved) else { return false }
        unsafe frame.bytes.withUnsafeBytes { bytes in
            unsafe UnsafeMutableRawBufferPointer(start: room, count: bytes.count).copyMemory(from: bytes)
        }
        port.transmit.commit(frame.bytes.count, wireTime: frame.wireTime, tag: frame.tag)
        return true
    }

    func publish() { port.transmit.publish() }

    /// The oldest frame, which stays.
    func look() -> Frame? {
        guard let view = unsafe port.receive.peek() else { return nil }
        return unsafe Frame(view)
    }

    /// The oldest frame, whose room is not given back yet.
    func takeUnreleased() -> Frame? {
        guard let view = unsafe port.receive.peek() else { return nil }
        let frame = unsafe Frame(view)
        unsafe port.receive.consume(view)
        return frame
    }

    func release() { port.receive.release() }

    func take() -> Frame? {
        let frame = takeUnreleased()
        release()
        return frame
    }

    func backlogBytes() -> Int { port.receive.backlogBytes() }

    func setSleeping(_ sleeping: Bool) { port.receive.setSleeping(sleeping) }

    /// Whether the wake-up descriptor is readable.
    var isWoken: Bool {
        var wait = pollfd(fd: port.receive.wakeDescriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&wait, 1, 0) == 1
    }

    var isFarEndGone: Bool { port.receive.isClosed && port.transmit.isClosed }
}

@Suite struct FrameRingTests {
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func framesComeOutAsTheyWentIn(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let ring = End.loopback()
        var waiting: [Frame] = []
        var refused = 0
        // The balance between the ends swings, so that the ring runs full and empty in turn.
        for number in 0..<6_000 {
            let isFilling = number / 300 % 2 == 0
            if Int.random(in: 0..<4, using: &random) < (isFilling ? 3 : 1) {
                let longest = [64, 1_514, maximumFrameBytes][Int.random(in: 0..<3, using: &random)]
                let frame = Frame(number: number, count: Int.random(in: 0...longest, using: &random))
                if ring.send(frame) {
                    waiting.append(frame)
                } else {
                    refused += 1
                    // Less than the longest frame's room may be lost before the end of the ring, where it did not fit.
                    let used = waiting.map { recordBytes($0.bytes) }.reduce(0, +)
                    #expect(used + recordBytes(frame.bytes) + 16 > capacity - (16 + maximumFrameBytes))
                }
            } else {
                let frame = ring.take()
                let expected = waiting.isEmpty ? nil : waiting.removeFirst()
                if frame != expected { Issue.record("frame \(number)") }
            }
        }
        while let frame = ring.take() {
            if frame != waiting.removeFirst() { Issue.record("a frame at the end") }
        }
        #expect(waiting.isEmpty)
        #expect(refused > 10, "the ring must have been full")
    }

    @Test func anEmptyRingTakesTheLongestFrameWhereverItStands() {
        let longest = Frame(number: 1, count: maximumFrameBytes)
        for place in stride(from: 0, to: capacity, by: 16) {
            let ring = End.loopback()
            // Frames that were there before bring the ring to `place`.
            var rest = place
            while rest > 0 {
                let record = min(rest, 16 + maximumFrameBytes)
                if !ring.send(Frame(number: 0, count: record - 16)) || ring.take() == nil { break }
                rest -= record
            }
            if rest > 0 || !ring.send(longest) || ring.take() != longest { Issue.record("at \(place)") }
        }
    }

    @Test func aFrameLongerThanARingCarriesIsRefused() {
        let ring = End.loopback()
        #expect(!ring.send(Frame(number: 1, count: maximumFrameBytes + 1)))
        #expect(ring.take() == nil)
    }

    @Test func aFullRingLosesNothing() {
        let ring = End.loopback()
        var sent: [Frame] = []
        while true {
            let frame = Frame(number: sent.count, count: 65)
            guard ring.send(frame) else { break }
            sent.append(frame)
        }
        // A header and 65 bytes take 96, in steps of 16; the room of one header stays free.
        #expect(sent.count == (capacity - 16) / 96)
        #expect(ring.backlogBytes() == sent.count * 96)
        for frame in sent where ring.take() != frame { Issue.record("out of order") }
        #expect(ring.take() == nil)
        #expect(ring.backlogBytes() == 0)
    }

    @Test func framesAreSeenOncePublished() {
        let ring = End.loopback()
        #expect(ring.commitUnpublished(Frame(number: 1, count: 60), reserved: 60))
        #expect(ring.commitUnpublished(Frame(number: 2, count: 61), reserved: 61))
        #expect(ring.take() == nil)
        ring.publish()
        #expect(ring.take() == Frame(number: 1, count: 60))
        #expect(ring.take() == Frame(number: 2, count: 61))
    }

    @Test func aFrameStaysUntilItIsConsumed() {
        let ring = End.loopback()
        #expect(ring.send(Frame(number: 1, count: 60)))
        #expect(ring.send(Frame(number: 2, count: 60)))
        #expect(ring.look() == Frame(number: 1, count: 60))
        #expect(ring.look() == Frame(number: 1, count: 60))
        #expect(ring.take() == Frame(number: 1, count: 60))
        #expect(ring.look() == Frame(number: 2, count: 60))
    }

    @Test func roomComesBackOnceReleased() {
        let ring = End.loopback()
        var count = 0
        while ring.send(Frame(number: count, count: 1_500)) { count += 1 }
        for number in 0..<count { #expect(ring.takeUnreleased() == Frame(number: number, count: 1_500)) }
        #expect(!ring.send(Frame(number: count, count: 1_500)))
        ring.release()
        #expect(ring.send(Frame(number: count, count: 1_500)))
        #expect(ring.take() == Frame(number: count, count: 1_500))
    }

    @Test func aFrameMayEndShorterThanItsRoom() {
        let ring = End.loopback()
        #expect(ring.commitUnpublished(Frame(number: 1, count: 10), reserved: 1_000))
        #expect(ring.send(Frame(number: 2, count: 60)))
        #expect(ring.backlogBytes() == 32 + 80)
        #expect(ring.take() == Frame(number: 1, count: 10))
        #expect(ring.take() == Frame(number: 2, count: 60))
    }

    // MARK: Ends that are gone or asleep

    @Test func whatWasSentIsReadAfterTheProducerIsGone() {
        let wire = WirePair(capacity: capacity)
        var near: End? = End(wire.first)
        let far = End(wire.second)
        #expect(near?.send(Frame(number: 1, count: 60)) == true)
        #expect(!far.isFarEndGone)
        near = nil
        #expect(far.isFarEndGone)
        #expect(far.take() == Frame(number: 1, count: 60))
        #expect(far.take() == nil)
        #expect(far.send(Frame(number: 2, count: 60)), "a frame to nobody has room like any other")
    }

    @Test func onlyASleeperIsWoken() {
        let ring = End.loopback()
        #expect(ring.send(Frame(number: 1, count: 60)))
        #expect(!ring.isWoken)
        ring.setSleeping(true)
        #expect(!ring.isWoken)
        #expect(ring.send(Frame(number: 2, count: 60)))
        #expect(ring.isWoken)
        ring.setSleeping(false)
        #expect(!ring.isWoken, "the next sleep starts afresh")
    }

    @Test func publishingNothingWakesNobody() {
        let ring = End.loopback()
        ring.setSleeping(true)
        ring.publish()
        #expect(!ring.isWoken)
    }

    @Test func aProducerThatGoesWakesASleeper() {
        let wire = WirePair(capacity: capacity)
        var near: End? = End(wire.first)
        let far = End(wire.second)
        far.setSleeping(true)
        #expect(near?.isFarEndGone == false)
        #expect(!far.isWoken)
        near = nil
        #expect(far.isWoken)
    }

    // MARK: Two threads

    @Test func aThreadAtEachEnd() async {
        let frames = 60_000
        let wire = WirePair(capacity: capacity)
        let near = Handover(wire.first)
        let far = Handover(wire.second)
        async let sent: Void = {
            guard let end = near.take() else { return }
            var random = SeededRandom(seed: 10)
            for number in 0..<frames {
                let frame = Frame(number: number, count: Int.random(in: 0...200, using: &random))
                while !end.send(frame) { await Task.yield() }
            }
        }()
        async let wrong: Int? = {
            guard let end = far.take() else { return 0 }
            var random = SeededRandom(seed: 10)
            for number in 0..<frames {
                let expected = Frame(number: number, count: Int.random(in: 0...200, using: &random))
                var frame = end.take()
                while frame == nil {
                    await Task.yield()
                    frame = end.take()
                }
                if frame != expected { return number }
            }
            return end.take() == nil ? nil : frames
        }()
        await sent
        #expect(await wrong == nil, "the number of the first frame that came otherwise than it went")
    }
}

/// Carries a port to the task that will own it.
private final class Handover: Sendable {
    private let port: Mutex<WirePort?>

    init(_ port: consuming WirePort) { self.port = Mutex(consume port) }

    func take() -> End? {
        port.withLock { port in
            guard let taken = port.take() else { return nil }
            return End(taken)
        }
    }
}
