// The data path on a bench: memory in scattered pages, rings as the simplest possible driver keeps them.

import Ethernet
import MANAModel
import MANAWire
import Memory
import Registers
import TestFrames
import Testing

/// A ring as the driver sees it: pages in the device's order.
struct BenchRing {
    let pages: [UInt64]
    var byteCount: Int { pages.count * 4096 }
}

/// A frame that a completion told of.
struct Arrival: Equatable {
    var queue: Int
    var bytes: [UInt8]
    var verdict: UInt32
    var hash: UInt32
}

final class PathRig {
    let memory = IOVASpace()
    var path: DataPath
    var events = EventQueues(count: 4, vectorCount: 8)
    var farEnd: WirePort
    let limits: DataPathLimits
    static let key: UInt32 = 0x55
    static let station: [UInt8] = [0x02, 0x15, 0x5D, 0x00, 0x00, 0x01]

    let bench: BenchMemory
    private static let arenaBytes = 4 << 20

    /// - Parameter wireCapacity: bytes in flight.
    init(
        wireCapacity: Int = 256 * 1024,
        indirectionEntries: Int = 64,
        _ change: (inout DataPathLimits) -> Void = { _ in }
    ) throws {
        var limits = DataPathLimits()
        limits.sendQueues = 4
        limits.receiveQueues = 8
        limits.completionQueues = 32
        change(&limits)
        self.limits = limits
        let pair = WirePair(capacity: wireCapacity)
        path = DataPath(pair.first, limits)
        farEnd = pair.second
        bench = try BenchMemory(memory, byteCount: Self.arenaBytes)
        path.ports.insert(
            Port(address: MACAddress(bytes: InlineArray { Self.station[$0] }), indirectionEntries: indirectionEntries),
            at: 0
        )
        path.ports[0].transmitOffset = 0
        path.ports[0].receives = true
        let ring = takeRing(pages: 1)
        events.queues.insert(EventQueue(vector: 3, deviceRing(ring)), at: 0)
        eventRing = ring
    }

    private(set) var eventRing = BenchRing(pages: [])
    private var eventsRead: UInt32 = 256

    // MARK: Memory

    func takePage() -> UInt64 { bench.takePage() }

    /// Pages that were taken for buffers since the last call may be taken again: nothing is posted.
    func reusePages() { bench.reuseBuffers() }

    func takeRing(pages: Int) -> BenchRing { BenchRing(pages: (0..<pages).map { _ in takePage() }) }

    func deviceRing(_ ring: BenchRing) -> RingMemory {
        guard let memory = RingMemory(memory, pages: ring.pages, byteCount: ring.byteCount, .both) else {
            preconditionFailure("the rig's rings are rings")
        }
        return memory
    }

    func write(_ bytes: [UInt8], at iova: UInt64) { bench.write(bytes, at: iova) }

    /// What a driver reads, once all that is on its way has come.
    func read(_ iova: UInt64, count: Int) -> [UInt8] {
        while bench.transfer() {}
        return bench.read(iova, count: count)
    }

    private func place(_ ring: BenchRing, _ offset: Int) -> UInt64 {
        let offset = offset % ring.byteCount
        return ring.pages[offset / 4096] + UInt64(offset % 4096)
    }

    /// Takes a page away from the device, until `map`.
    func unmap(_ iova: UInt64) throws { try bench.unmap(iova) }

    /// - Parameter way: nil: as the bench lends all its memory.
    func map(_ iova: UInt64, as way: MemoryWay? = nil) throws { try bench.map(iova, as: way) }

    func word(_ ring: BenchRing, _ offset: Int) -> UInt32 {
        let bytes = read(place(ring, offset), count: 4)
        return bytes.number32(at: 0).byteSwapped
    }

    func setWord(_ ring: BenchRing, _ offset: Int, _ value: UInt32) {
        write(big(value.byteSwapped), at: place(ring, offset))
    }

    /// A buffer of its own, inside one page.
    func buffer(_ bytes: [UInt8]) -> MemoryPiece {
        precondition(bytes.count <= 4096)
        let page = bench.takeBuffer()
        write(bytes, at: page)
        return MemoryPiece(address: page, key: Self.key, length: UInt32(bytes.count))
    }

    // MARK: Queues

    /// A send queue with one page for requests and `completionPages` for completions.
    func makeSend(_ id: Int = 0, pages: Int = 1, completionPages: Int = 1) -> BenchSend {
        let work = takeRing(pages: pages)
        let completions = takeRing(pages: completionPages)
        path.insert(
            SendQueue(
                id: UInt32(id),
                port: 0,
                work: deviceRing(work),
                completions: CompletionQueue(id: UInt32(1 + id), eventQueue: 0, deviceRing(completions)),
                memory: memory,
                memoryKey: Self.key
            )
        )
        return BenchSend(rig: self, id: id, work: work, completions: BenchCompletions(self, completions))
    }

    func makeReceive(_ id: Int = 0, pages: Int = 1, completionPages: Int = 1) -> BenchReceive {
        let work = takeRing(pages: pages)
        let completions = takeRing(pages: completionPages)
        path.insert(
            ReceiveQueue(
                id: UInt32(id),
                work: deviceRing(work),
                completions: CompletionQueue(id: UInt32(16 + id), eventQueue: 0, deviceRing(completions)),
                memory: memory,
                memoryKey: Self.key
            )
        )
        return BenchReceive(rig: self, id: id, work: work, completions: BenchCompletions(self, completions))
    }

    // What the noncopyable path says: a test's expectations cannot hold it.

    func count(_ statistic: FunctionStatistic) -> UInt64 { path.counters[statistic] }
    var isWireFull: Bool { path.isWireFull }
    var framesSent: UInt64 { path.framesSent }
    var framesReceived: UInt64 { path.framesReceived }
    var framesFiltered: UInt64 { path.framesFiltered }
    var framesDropped: UInt64 { path.framesDropped }
    var framesOfBadLength: UInt64 { path.framesOfBadLength }
    var badTails: UInt64 { path.badTails }
    var badBuffers: UInt64 { path.badBuffers }
    var unreachableRings: UInt64 { path.unreachableRings }
    var queueCounts: QueueCounts { path.queueCounts }
    var strayDoorbells: UInt64 { path.strayDoorbells }

    func pollOnce() -> Bool {
        let worked = path.poll(now: 0, &events)
        return bench.transfer() || worked
    }

    /// Polls until there is nothing to do.
    func poll(limit: Int = 10_000) {
        for _ in 0..<limit where !pollOnce() { return }
    }

    // MARK: Events

    /// Events since the last call: the completion queues that they name.
    func takeEvents() -> [UInt32] {
        let owner = OwnerBits(entryCount: 256)
        var found: [UInt32] = []
        while true {
            let offset = owner.slot(eventsRead) * 16
            let tail = EventTail(raw: word(eventRing, offset + 12))
            guard owner.state(tail.owner, at: eventsRead) == .valid else { return found }
            #expect(tail.type == .completion)
            found.append(word(eventRing, offset) & 0xFF_FFFF)
            eventsRead += 1
        }
    }

    func armEvents() {
        events.ring(0, tail: OwnerBits(entryCount: 256).tail(eventsRead), isArmed: true)
    }

    func takeVectors() -> [Int] {
        var vectors: [Int] = []
        while let vector = events.takeVector() { vectors.append(vector) }
        return vectors
    }

    // MARK: The wire

    func sent() -> [[UInt8]] {
        var frames: [[UInt8]] = []
        while let frame = farEnd.receive.receive() { frames.append(frame) }
        return frames
    }

    func arrive(_ frame: [UInt8]) {
        let fits = farEnd.transmit.send(frame.raw, wireTime: 0)
        precondition(fits, "the test fills the wire")
    }
}

/// The driver's end of a completion ring.
final class BenchCompletions {
    private unowned let rig: PathRig
    let ring: BenchRing
    private let owner: OwnerBits
    private var read: UInt32

    init(_ rig: PathRig, _ ring: BenchRing) {
        self.rig = rig
        self.ring = ring
        owner = OwnerBits(entryCount: UInt32(ring.byteCount / 64))
        read = owner.first
    }

    /// The next completion; nil if there is none yet.
    func take() -> (data: CompletionData, tail: CompletionTail)? {
        let offset = owner.slot(read) * 64
        let tail = CompletionTail(raw: rig.word(ring, offset + 60))
        let state = owner.state(tail.owner, at: read)
        #expect(state != .overflow)
        guard state == .valid else { return nil }
        read += 1
        return (CompletionData(InlineArray { rig.word(ring, offset + 4 * $0) }), tail)
    }

    var tail: UInt32 { owner.tail(read) }
}

/// A send queue as its driver uses it.
final class BenchSend {
    let rig: PathRig
    let id: Int
    let work: BenchRing
    let completions: BenchCompletions
    private(set) var tail: UInt32 = 0

    init(rig: PathRig, id: Int, work: BenchRing, completions: BenchCompletions) {
        self.rig = rig
        self.id = id
        self.work = work
        self.completions = completions
    }

    /// What a request says; the default is a plain frame's.
    struct Request {
        var pieces: [MemoryPiece] = []
        var request = TransmitRequest(raw: 0)
        var place = TransmitPlace(raw: 0)
        /// The long format's two words; nil: the short format.
        var long: (tag: TransmitTag, inner: TransmitInner)?
        /// Bytes of payload per segment; with it the first piece is the headers.
        var segmentBytes: UInt32?
        /// Overrides.
        var inlineBytes: Int?
        var pieceCount: Int?
        var lastBytes: UInt8?
    }

    /// Writes a request; `ring` tells the device.
    func post(_ request: Request) {
        var words: [UInt32] = []
        let inlineBytes = request.inlineBytes ?? (request.long == nil ? 8 : 24)
        var control = WorkRequestControl(
            pieceCount: request.pieceCount ?? request.pieces.count,
            inlineBytes: inlineBytes
        )
        var lastBytes = request.lastBytes ?? 0
        if let segmentBytes = request.segmentBytes {
            control[.segments] = true
            control[.segmentBytes] = segmentBytes
            lastBytes = request.lastBytes ?? UInt8(request.pieces[0].length)
        }
        let header = WorkRequestHeader(lastBytes: lastBytes, control: control)
        words += [header.low, header.high]
        var first = request.request
        if request.long != nil { first[.format] = 1 }
        words += [first.raw, request.place.raw]
        if let long = request.long { words += [long.tag.raw, long.inner.raw, 0, 0] }
        for piece in request.pieces {
            words += [
                UInt32(truncatingIfNeeded: piece.address), UInt32(truncatingIfNeeded: piece.address >> 32), piece.key,
                piece.length,
            ]
        }
        post(words: words, span: control.spanBytes)
    }

    func post(words: [UInt32], span: Int) {
        for (index, word) in words.enumerated() { rig.setWord(work, Int(tail) + index * 4, word) }
        tail &+= UInt32(span)
    }

    func ring() { rig.path.ring(send: id, tail: tail) }

    /// Out-of-band words that a driver would write: its completion queue, its own id.
    var usual: TransmitRequest {
        var request = TransmitRequest(raw: 0)
        request[.completionQueue] = UInt32(1 + id)
        return request
    }

    /// A plain frame in one piece.
    func plain(_ frame: [UInt8]) -> Request { Request(pieces: [rig.buffer(frame)], request: usual) }

    func arm() {
        rig.path.ring(completion: 1 + id, tail: completions.tail, isArmed: true, &rig.events)
    }

    /// Completions since the last call.
    func take() -> [SendCompletion] {
        var found: [SendCompletion] = []
        while let (data, tail) = completions.take() {
            #expect(tail.isSend)
            #expect(tail.queue == id)
            #expect(data.head.client == 1)
            found.append(SendCompletion(data))
        }
        return found
    }
}

/// A receive queue as its driver uses it.
final class BenchReceive {
    let rig: PathRig
    let id: Int
    let work: BenchRing
    let completions: BenchCompletions
    private(set) var tail: UInt32 = 0
    /// Requests that are out: their pieces, in order.
    private var posted: [[MemoryPiece]] = []

    init(rig: PathRig, id: Int, work: BenchRing, completions: BenchCompletions) {
        self.rig = rig
        self.id = id
        self.work = work
        self.completions = completions
    }

    func post(_ pieces: [MemoryPiece]) {
        let control = WorkRequestControl(pieceCount: pieces.count, inlineBytes: 8)
        var words: [UInt32] = [0, control.raw, 0, 0]
        for piece in pieces {
            words += [
                UInt32(truncatingIfNeeded: piece.address), UInt32(truncatingIfNeeded: piece.address >> 32), piece.key,
                piece.length,
            ]
        }
        for (index, word) in words.enumerated() { rig.setWord(work, Int(tail) + index * 4, word) }
        tail &+= UInt32(control.spanBytes)
        posted.append(pieces)
    }

    /// Posts `count` buffers of `bytes` each, and rings.
    func provide(_ count: Int, bytes: Int = 1514) {
        for _ in 0..<count { post([rig.buffer([UInt8](repeating: 0xEE, count: bytes))]) }
        ring()
    }

    func ring() { rig.path.ring(receive: id, tail: tail) }

    func arm() {
        rig.path.ring(completion: 16 + id, tail: completions.tail, isArmed: true, &rig.events)
    }

    /// The next completion as it is.
    func takeRaw() -> ReceiveCompletion? {
        guard let (data, tail) = completions.take() else { return nil }
        #expect(!tail.isSend)
        #expect(tail.queue == id)
        #expect(data.head.client == 1)
        return ReceiveCompletion(data)
    }

    /// Frames since the last call, read from their buffers in the order in which those were posted.
    func take() -> [Arrival] {
        var found: [Arrival] = []
        while let completion = takeRaw() {
            for index in 0..<completion.capacity {
                let item = completion[index]
                if index > 0, item.length == 0 { break }
                guard !posted.isEmpty else {
                    Issue.record("a completion without a request")
                    return found
                }
                let pieces = posted.removeFirst()
                guard completion.type != .truncated else { continue }
                var bytes: [UInt8] = []
                for piece in pieces where bytes.count < Int(item.length) {
                    bytes += rig.read(piece.address, count: min(Int(piece.length), Int(item.length) - bytes.count))
                }
                found.append(
                    Arrival(queue: id, bytes: bytes, verdict: completion.verdict.raw, hash: item.hash)
                )
            }
        }
        return found
    }

    /// Requests that the device has not told of.
    var outstanding: Int { posted.count }
}
