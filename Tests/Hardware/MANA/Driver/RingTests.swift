// The rings against a device in the test's hands, which writes what it likes: laps, owner bits, false queues.
//
// SAFETY (all uses of `unsafe`): the memory is the bench's, which ends after the ring over it.

import MANADriver
import MANAWire
import Netdev
import Rings
import Simulation
import Testing

/// The memory of a completion ring, and its producer.
@safe private final class Producer {
    let base: UnsafeMutableRawPointer
    let work: UnsafeMutableRawPointer
    let count: Int
    private let owner: OwnerBits
    private var index: UInt32

    init(count: Int) {
        self.count = count
        owner = OwnerBits(entryCount: UInt32(count))
        index = owner.first
        unsafe base = .allocate(byteCount: count * 64, alignment: 64)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: count * 64)
        unsafe work = .allocate(byteCount: 4096, alignment: 64)
        unsafe work.initializeMemory(as: UInt8.self, repeating: 0, count: 4096)
    }

    deinit {
        unsafe base.deallocate()
        unsafe work.deallocate()
    }

    /// Writes the next completion; `lapError` moves its owner bits to another lap.
    func write(_ data: CompletionData, queue: UInt32, isSend: Bool, lapError: UInt32 = 0) {
        let place = unsafe base + owner.slot(index) * 64
        for word in 0..<15 { unsafe place.storeBytes(of: data.words[word], toByteOffset: word * 4, as: UInt32.self) }
        let tail = CompletionTail(queue: queue, isSend: isSend, owner: owner.bits(index) &+ lapError)
        unsafe place.storeBytes(of: tail.raw, toByteOffset: 60, as: UInt32.self)
        index &+= 1
    }

    func sent(_ type: CompletionType = .sent, queue: UInt32 = 7) {
        write(SendCompletion(type, requestOffset: 0).data, queue: queue, isSend: true)
    }

    func received(_ lengths: [UInt16], _ type: CompletionType = .received, queue: UInt32 = 9) {
        var completion = ReceiveCompletion(type, verdict: ReceiveVerdict(raw: 0), requestOffset: 0)
        for (item, length) in lengths.enumerated() {
            completion[item] = ReceivedItem(length: length, hash: UInt32(length) * 3)
        }
        write(completion.data, queue: queue, isSend: false)
    }

    func transmitRing() -> TransmitRing {
        unsafe TransmitRing(
            work: WorkRing(base: work, byteCount: 4096),
            completions: CompletionRing(base: base, entryCount: count),
            queue: 7
        )
    }

    func receiveRing() -> ReceiveRing {
        unsafe ReceiveRing(
            work: WorkRing(base: work, byteCount: 4096),
            completions: CompletionRing(base: base, entryCount: count),
            queue: 9,
            memoryKey: 0x55,
            bufferBytes: 2048
        )
    }
}

private func reaped(_ ring: inout TransmitRing) -> [UInt64] {
    var cookies = InlineArray<32, UInt64>(repeating: 0)
    let count = ring.reap(&cookies)
    return (0..<count).map { cookies[$0] }
}

private func reaped(_ ring: inout ReceiveRing) -> [ReceivedFrame] {
    var frames = Burst(repeating: ReceivedFrame())
    let count = ring.reap(&frames)
    return (0..<count).map { frames[$0] }
}

private func provide(_ ring: inout ReceiveRing, _ cookies: Range<UInt64>) -> Int {
    var buffers = Burst(repeating: NetdevBuffer())
    for (index, cookie) in cookies.enumerated() {
        buffers[index] = NetdevBuffer(iova: cookie << 12, cookie: cookie, length: 0)
    }
    return ring.provide(buffers, limit: cookies.count)
}

@Suite("MANA: rings")
struct RingTests {
    @Test("Cookies come back in order over 100 laps, of requests of one and of two units", arguments: [1, 2, 31])
    func laps(batch: Int) {
        let device = Producer(count: 128)
        var ring = device.transmitRing()
        var random = SeededRandom(seed: UInt64(batch))
        var next: UInt64 = 0
        var expected: [UInt64] = []
        for _ in 0..<(100 * 128 / batch) {
            for _ in 0..<batch {
                var work = TransmitWork()
                work.units = UInt32.random(in: 1...2, using: &random)
                guard ring.room >= Int(work.units) else { break }
                ring.submit(work, cookie: next)
                expected.append(next)
                next += 1
            }
            for _ in expected { device.sent() }
            let got = reaped(&ring)
            #expect(got == Array(expected.prefix(32)))
            expected.removeFirst(got.count)
        }
        let isHealthy = !ring.isBroken && !ring.hasTally
        #expect(isHealthy)
    }

    @Test(
        "Owner bits of any other lap than this or the last break the queue, and nothing is believed",
        arguments: 1...6
    )
    func wrongLap(_ error: UInt32) {
        let device = Producer(count: 64)
        var ring = device.transmitRing()
        ring.submit(TransmitWork(), cookie: 1)
        device.write(SendCompletion(.sent, requestOffset: 0).data, queue: 7, isSend: true, lapError: error)
        #expect(reaped(&ring).isEmpty)
        let tally = ring.takeTally()
        #expect(tally.overflowed)
        let isBroken = ring.isBroken
        #expect(isBroken)
        device.sent()
        #expect(reaped(&ring).isEmpty)
        #expect(ring.takeBack() == 1)
        #expect(ring.takeBack() == nil)
    }

    @Test("The last lap's bits are an empty slot")
    func emptySlot() {
        let device = Producer(count: 64)
        var ring = device.transmitRing()
        ring.submit(TransmitWork(), cookie: 1)
        device.write(SendCompletion(.sent, requestOffset: 0).data, queue: 7, isSend: true, lapError: 7)
        #expect(reaped(&ring).isEmpty)
        let isBroken = ring.isBroken
        #expect(!isBroken)
    }

    @Test("Completions of other queues, clients and of no request are counted and end nothing")
    func falseCompletions() {
        let device = Producer(count: 64)
        var ring = device.transmitRing()
        device.sent()
        #expect(reaped(&ring).isEmpty)
        #expect(ring.takeTally().unexpected == 1)
        for cookie: UInt64 in 1...4 { ring.submit(TransmitWork(), cookie: cookie) }
        device.sent(queue: 8)
        device.write(SendCompletion(.sent, requestOffset: 0).data, queue: 7, isSend: false)
        var foreign = SendCompletion(.sent, requestOffset: 0).data
        foreign.words[0] = 32
        device.write(foreign, queue: 7, isSend: true)
        #expect(reaped(&ring).isEmpty)
        let tally = ring.takeTally()
        #expect(tally.wrongQueue == 2 && tally.unknown == 1)
        device.sent(.lengthDrop)
        device.sent(CompletionType(rawValue: 63))
        device.sent()
        #expect(reaped(&ring) == [1, 2, 3], "an error ends its request all the same")
        let second = ring.takeTally()
        #expect(second.errors == 1 && second.unknown == 1)
    }

    @Test("A device that writes useless completions without end does not hold the owner up")
    func uselessCompletions() {
        let device = Producer(count: 256)
        var ring = device.transmitRing()
        for _ in 0..<256 { device.sent(queue: 8) }
        #expect(reaped(&ring).isEmpty)
        #expect(ring.takeTally().wrongQueue == 64)
        var receive = device.receiveRing()
        #expect(reaped(&receive).isEmpty)
        #expect(receive.takeTally().wrongQueue == 64)
    }

    @Test("Frames take buffers in the order in which they were given, one to eight of them per completion")
    func frames() {
        let device = Producer(count: 64)
        var ring = device.receiveRing()
        #expect(provide(&ring, 0..<30) == 30)
        device.received([60])
        device.received([61, 62, 63], .receivedFour)
        device.received([64, 65, 66, 67, 68, 69, 70, 71], .receivedEight)
        device.received([2000], .truncated)
        let frames = reaped(&ring)
        #expect(frames.map(\.cookie) == Array(0..<13))
        #expect(frames.map(\.length) == (60..<72).map { UInt32($0) } + [2000])
        #expect(frames.map(\.isDamaged) == [Bool](repeating: false, count: 12) + [true])
    }

    @Test("More frames than a burst holds stay for the next one, whole completions of them")
    func bursts() {
        let device = Producer(count: 64)
        var ring = device.receiveRing()
        #expect(provide(&ring, 0..<32) == 32)
        #expect(provide(&ring, 32..<64) == 32)
        for _ in 0..<5 { device.received([60, 61, 62, 63, 64, 65, 66], .receivedEight) }
        #expect(reaped(&ring).count == 28)
        #expect(reaped(&ring).count == 7)
        #expect(reaped(&ring).isEmpty)
    }

    @Test("Lies about frames: no length, too long, no buffer, no such type")
    func lies() {
        let device = Producer(count: 64)
        var ring = device.receiveRing()
        #expect(provide(&ring, 0..<3) == 3)
        device.received([0])
        device.received([2049])
        device.received([60], CompletionType(rawValue: 62))
        device.received([60])
        device.received([60])
        device.received([60, 61], .receivedFour)
        let frames = reaped(&ring)
        #expect(frames.map(\.isDamaged) == [true, true, false])
        let tally = ring.takeTally()
        #expect(tally.empty == 1 && tally.damaged == 1 && tally.unknown == 1 && tally.unexpected == 2)
        let room = ring.room
        #expect(room == 128)
    }

    @Test("A fence is found among frames that nobody has read, and takes no buffer")
    func fence() {
        let device = Producer(count: 64)
        var ring = device.receiveRing()
        #expect(provide(&ring, 0..<3) == 3)
        device.received([60])
        device.write(CompletionData(head: CompletionHead(.fence)), queue: 9, isSend: false)
        device.received([61])
        #expect(reaped(&ring).map(\.cookie) == [0, 1])
        #expect(ring.takeTally().fences == 1)
    }

    @Test("The card hears of the completions that were read once in four laps")
    func overdue() {
        let device = Producer(count: 64)
        var ring = device.transmitRing()
        for step in 0..<256 {
            let isOverdue = ring.completions.isOverdue
            #expect(!isOverdue, "\(step)")
            ring.submit(TransmitWork(), cookie: 0)
            device.sent()
            _ = reaped(&ring)
        }
        let isOverdue = ring.completions.isOverdue
        #expect(isOverdue)
        ring.completions.wasTold()
        let isStill = ring.completions.isOverdue
        #expect(!isStill)
    }
}
