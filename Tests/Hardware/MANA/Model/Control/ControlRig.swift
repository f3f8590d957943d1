// A virtual MANA on a bench: set up and asked as the simplest possible driver would, on a clock that stands until a test
// moves it.

import Backing
import Clock
import Ethernet
import Interrupts
import Leases
import MANAModel
import MANAWire
import Memory
import PCIe
import Registers
import TestFrames
import Testing

/// The four rings of the hardware channel and a buffer each way.
struct ChannelRings {
    let event: UInt64
    let completion: UInt64
    let receive: UInt64
    let send: UInt64
    let requestBuffer: UInt64
    let answerBuffer: UInt64
}

final class ControlRig {
    let clock = VirtualClock(startNanoseconds: 1_000_000)
    let model: MANAModel
    let device: InProcess<MANAModel>
    let options: MANAOptions
    var farEnd: WirePort
    let bench: BenchMemory
    private static let arenaBytes = 8 << 20

    private(set) var rings: ChannelRings
    private var eventsRead: UInt32 = 256
    private var completionsRead: UInt32 = 64
    private var sendTail: UInt32 = 0
    private var receiveTail: UInt32 = 0
    private var receiveSlots: [UInt32: UInt64] = [:]
    private var nextMessageID: UInt16 = 1

    init(_ change: (inout MANAOptions) -> Void = { _ in }) throws {
        var options = MANAOptions()
        options.limits.tableVectors = 16
        options.limits.vectors = 16
        change(&options)
        self.options = options
        let pair = WirePair(capacity: 256 * 1024)
        model = MANAModel(options: options, port: pair.first, clock: .virtual(clock))
        farEnd = pair.second
        device = InProcess(model, name: "bench", census: Census())
        bench = try BenchMemory(model.host.memory, byteCount: Self.arenaBytes)
        let host = model.host
        bench.onWritten = { host.sendHeldMessages() }
        rings = ChannelRings(event: 0, completion: 0, receive: 0, send: 0, requestBuffer: 0, answerBuffer: 0)
        rings = takeRings()
        allowBus()
    }

    // MARK: Memory

    func takePage() -> UInt64 {
        let page = bench.takePage()
        clear(page)
        return page
    }

    func takePages(_ count: Int) -> [UInt64] { (0..<count).map { _ in takePage() } }

    private func takeRings() -> ChannelRings {
        ChannelRings(
            event: takePage(),
            completion: takePage(),
            receive: takePage(),
            send: takePage(),
            requestBuffer: takePage(),
            answerBuffer: takePage()
        )
    }

    func clear(_ page: UInt64) { write([UInt8](repeating: 0, count: 4096), at: page) }

    func write(_ bytes: [UInt8], at iova: UInt64) { bench.write(bytes, at: iova) }

    /// What a driver reads, once all that is on its way has come.
    func read(_ iova: UInt64, count: Int) -> [UInt8] {
        settle()
        return bench.read(iova, count: count)
    }

    /// Lets transfers and the channel go on until neither has anything to do. Frames move by `poll` alone.
    func settle() {
        for _ in 0..<1000 {
            guard bench.transfer() else { return }
            // Any access moves the channel, as it does with shared memory.
            _ = readWindow(7)
        }
        Issue.record("the device never comes to rest")
    }

    func word(_ iova: UInt64) -> UInt32 { read(iova, count: 4).number32(at: 0).byteSwapped }
    func setWord(_ iova: UInt64, _ value: UInt32) { write(big(value.byteSwapped), at: iova) }

    func setWords(_ iova: UInt64, _ words: [UInt32]) {
        for (index, word) in words.enumerated() { setWord(iova + UInt64(4 * index), word) }
    }

    // MARK: The function

    func allowBus(_ isAllowed: Bool = true) {
        let command = model.readConfig(ConfigSpace.Offset.command, .word)
        model.writeConfig(ConfigSpace.Offset.command, .word, isAllowed ? command | 4 : command & ~4)
    }

    func attach(_ vector: Int) throws -> BenchVector { BenchVector(self, try device.attachVector(vector, cpu: nil)) }

    func readRegister(_ offset: UInt64, _ size: AccessSize = .quadWord) -> UInt64 { model.read(bar: 0, offset, size) }

    /// Polls until there is nothing to do.
    func poll(limit: Int = 10_000) {
        for _ in 0..<limit {
            let worked = model.poll()
            if !bench.transfer() && !worked { return }
        }
    }

    func advance(nanoseconds: UInt64) {
        clock.advance(nanoseconds: nanoseconds)
        poll()
    }

    // MARK: The window

    func readWindow(_ index: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: readRegister(options.layout.windowOffset + UInt64(4 * index), .doubleWord))
    }

    func writeWindow(_ index: Int, _ value: UInt32) {
        model.write(bar: 0, options.layout.windowOffset + UInt64(4 * index), .doubleWord, UInt64(value))
    }

    func writeWindow(_ words: InlineArray<8, UInt32>) {
        for index in 0..<8 { writeWindow(index, words[index]) }
    }

    var setup: ChannelSetup {
        ChannelSetup(
            eventFrame: rings.event >> 12,
            completionFrame: rings.completion >> 12,
            receiveFrame: rings.receive >> 12,
            sendFrame: rings.send >> 12
        )
    }

    /// Sets the channel up in fresh rings; the header that the window has then.
    @discardableResult
    func establish() -> UInt32 {
        for page in [rings.event, rings.completion, rings.receive, rings.send] { clear(page) }
        eventsRead = 256
        completionsRead = 64
        sendTail = 0
        receiveTail = 0
        receiveSlots = [:]
        writeWindow(setup.words)
        return readWindow(7)
    }

    @discardableResult
    func destroy() -> UInt32 {
        writeWindow(7, ChannelHeader.request(.destroy).raw)
        return readWindow(7)
    }

    /// A channel, its events read and its queues armed: what a driver has before its first request.
    static func ready(_ change: (inout MANAOptions) -> Void = { _ in }) throws -> ControlRig {
        let rig = try ControlRig(change)
        try #require(rig.establish() == 0x81)
        _ = rig.takeEvents()
        rig.armEvents()
        return rig
    }

    // MARK: Doorbells

    func ring(_ kind: DoorbellKind, _ doorbell: QueueDoorbell, page: Int) {
        let offset = options.layout.doorbellOffset + UInt64(page) * UInt64(options.layout.doorbellPageBytes)
        model.write(bar: 0, offset + UInt64(kind.offset), .quadWord, doorbell.raw(kind))
        settle()
    }

    /// Sets a completion queue's moderation; nil: as it was.
    func moderate(_ completionQueue: UInt32, page: Int, _ microseconds: UInt16?, _ completions: UInt8?) {
        let doorbell = ModerationDoorbell(
            completionQueue: completionQueue,
            microseconds: microseconds,
            completions: completions
        )
        let offset = options.layout.doorbellOffset + UInt64(page) * UInt64(options.layout.doorbellPageBytes)
        model.write(bar: 0, offset + 0x820, .quadWord, doorbell.raw)
    }

    // MARK: The channel's events and completions

    func takeEvents() -> [Event] {
        let owner = OwnerBits(entryCount: 256)
        var found: [Event] = []
        while true {
            let place = rings.event + UInt64(owner.slot(eventsRead) * 16)
            let tail = EventTail(raw: word(place + 12))
            let state = owner.state(tail.owner, at: eventsRead)
            #expect(state != .overflow)
            guard state == .valid else { return found }
            found.append(Event(tail.type, word(place), word(place + 4), word(place + 8)))
            eventsRead &+= 1
        }
    }

    func armEvents(behind count: UInt32 = 0) {
        let owner = OwnerBits(entryCount: 256)
        ring(.event, QueueDoorbell(id: 0, tail: owner.tail(eventsRead &- count), isArmed: true), page: 0)
    }

    func takeCompletion() -> (data: CompletionData, tail: CompletionTail)? {
        let owner = OwnerBits(entryCount: 64)
        let place = rings.completion + UInt64(owner.slot(completionsRead) * 64)
        let tail = CompletionTail(raw: word(place + 60))
        guard owner.state(tail.owner, at: completionsRead) == .valid else { return nil }
        completionsRead &+= 1
        return (CompletionData(InlineArray { self.word(place + UInt64(4 * $0)) }), tail)
    }

    func armCompletions() {
        let owner = OwnerBits(entryCount: 64)
        ring(.completion, QueueDoorbell(id: 0, tail: owner.tail(completionsRead), isArmed: true), page: 0)
    }

    // MARK: Requests

    /// Posts a buffer for an answer.
    func postAnswerBuffer(length: UInt32 = 4096, key: UInt32 = 0x11, address: UInt64? = nil) {
        let place = rings.receive + UInt64(receiveTail % 4096)
        let control = WorkRequestControl(pieceCount: 1, inlineBytes: 8)
        let piece = MemoryPiece(address: address ?? rings.answerBuffer, key: key, length: length)
        setWords(place, [0, control.raw, 0, 0])
        setPiece(place + 16, piece)
        receiveSlots[receiveTail % 4096] = piece.address
        receiveTail &+= 32
        ring(.receive, QueueDoorbell(id: 0, tail: receiveTail), page: 0)
    }

    private func setPiece(_ place: UInt64, _ piece: MemoryPiece) {
        setWords(
            place,
            [
                UInt32(truncatingIfNeeded: piece.address), UInt32(truncatingIfNeeded: piece.address >> 32), piece.key,
                piece.length,
            ]
        )
    }

    /// Posts a request's bytes and rings; what a hostile driver would say instead can be given.
    func post(
        _ bytes: [UInt8],
        control: WorkRequestControl = WorkRequestControl(pieceCount: 1, inlineBytes: 24),
        key: UInt32 = 0x11,
        length: UInt32? = nil,
        address: UInt64? = nil
    ) {
        write(bytes, at: rings.requestBuffer)
        let place = rings.send + UInt64(sendTail % 4096)
        setWords(place, [0, control.raw, 0, 0, 0, 0, 0, 0])
        setPiece(
            place + 32,
            MemoryPiece(address: address ?? rings.requestBuffer, key: key, length: length ?? UInt32(bytes.count))
        )
        sendTail &+= 64
        ring(.send, QueueDoorbell(id: 0, tail: sendTail), page: 0)
    }

    /// Rings for the request in its buffer, and lets nothing of it be transferred yet.
    func postQuietly() {
        let place = rings.send + UInt64(sendTail % 4096)
        setWords(place, [0, WorkRequestControl(pieceCount: 1, inlineBytes: 24).raw, 0, 0, 0, 0, 0, 0])
        setPiece(place + 32, MemoryPiece(address: rings.requestBuffer, key: 0x11, length: UInt32(AnyRequest.byteCount)))
        sendTail &+= 64
        let doorbell = QueueDoorbell(id: 0, tail: sendTail)
        model.write(bar: 0, options.layout.doorbellOffset, .quadWord, doorbell.raw(.send))
    }

    /// The answer that has come: its bytes out of the buffer that the completion names; nil: none has.
    func takeAnswer() -> [UInt8]? {
        while let (data, tail) = takeCompletion() {
            guard !tail.isSend else { continue }
            let completion = ChannelCompletion(data)
            guard let address = receiveSlots[completion.requestOffset] else { return nil }
            return read(address, count: min(4096, Int(completion.messageBytes)))
        }
        return nil
    }

    func number<Request>(_ request: inout Message<Request>) {
        request[.messageID] = nextMessageID
        nextMessageID &+= 1
    }

    /// Sends a request and takes its answer; nil: none came.
    func ask<Request: RequestLayout>(_ request: Message<Request>) throws -> Message<Request.Response>? {
        var request = request
        number(&request)
        postAnswerBuffer()
        post(Array(request.bytes))
        guard let bytes = takeAnswer() else { return nil }
        let answer = try Message<Request.Response>(bytes)
        #expect(answer[.messageID] == request[.messageID])
        #expect(answer[.messageType] == request[.messageType])
        #expect(answer[.device] == request[.device] && answer[.activity] == request[.activity])
        #expect(bytes.count == Int(max(32, request[.expectedBytes])))
        #expect(answer[.messageBytes] == UInt32(bytes.count))
        _ = takeEvents()
        armCompletions()
        armEvents()
        return answer
    }

    /// The answer to a request that must succeed.
    func demand<Request: RequestLayout>(_ request: Message<Request>) throws -> Message<Request.Response> {
        let answer = try #require(try ask(request))
        try #require(answer.status == .success)
        return answer
    }

    /// The status of a request.
    func status<Request: RequestLayout>(_ request: Message<Request>) throws -> UInt32 {
        try #require(try ask(request)).status.rawValue
    }

    // MARK: What a network driver makes

    func register() throws {
        let answer = try demand(Message<RegisterDevice>(to: .network))
        #expect(answer[.doorbellPage] == 1)
    }

    /// A region of these pages.
    func makeRegion(_ pages: [UInt64]) throws -> UInt64 {
        var request = Message<CreateRegion>(to: .network, elementBytes: 8 * pages.count)
        request[.length] = UInt64(4096 * pages.count)
        request[.pageCount] = UInt32(pages.count)
        request[.listedCount] = UInt32(pages.count)
        for (index, page) in pages.enumerated() { request[.pages, index] = page }
        return try demand(request)[.region]
    }

    func eventQueueRequest(_ region: UInt64, vector: Int, bytes: UInt32 = 4096) -> Message<CreateQueue> {
        var request = Message<CreateQueue>(to: .network)
        request[.type] = QueueType.event.rawValue
        request[.protectionDomain] = 5
        request[.doorbellPage] = 1
        request[.region] = region
        request[.ringBytes] = bytes
        request[.vector] = UInt32(vector)
        return request
    }

    /// An event queue of one page.
    func makeEventQueue(vector: Int) throws -> BenchEvents {
        let page = takePage()
        let id = try demand(eventQueueRequest(try makeRegion([page]), vector: vector))[.id]
        return BenchEvents(rig: self, id: id, page: page)
    }

    func port(_ index: UInt32 = 0) throws -> Message<QueryPortResponse> {
        var request = Message<QueryPort>(to: .network)
        request[.index] = index
        return try demand(request)
    }

    func workQueueRequest(
        _ type: QueueType,
        port: UInt64,
        events: UInt32,
        work: UInt64,
        completions: UInt64
    ) -> Message<CreateWorkQueue> {
        var request = Message<CreateWorkQueue>(to: .network, version: 3, responseVersion: 2)
        request[.port] = port
        request[.type] = type.rawValue
        request[.workRegion] = work
        request[.completionRegion] = completions
        request[.workRingBytes] = 4096
        request[.completionRingBytes] = 4096
        request[.eventQueue] = events
        return request
    }

    func makeWorkQueue(_ type: QueueType, port: UInt64, events: UInt32) throws -> BenchWork {
        let work = takePage()
        let completions = takePage()
        let answer = try demand(
            workQueueRequest(
                type,
                port: port,
                events: events,
                work: try makeRegion([work]),
                completions: try makeRegion([completions])
            )
        )
        return BenchWork(rig: self, type: type, answer: answer, work: work, completions: completions)
    }

    func steering(
        _ port: UInt64,
        to objects: [UInt64],
        receives: UInt32 = 1,
        hashes: UInt32 = 1
    ) -> Message<ConfigurePortReceive> {
        var request = Message<ConfigurePortReceive>(
            to: .network,
            version: 2,
            responseVersion: 2,
            elementBytes: 8 * objects.count
        )
        request[.port] = port
        request[.receives] = receives
        request[.hashes] = hashes
        request[.indirectionOffset] = 120
        request[.indirectionEntries] = UInt16(objects.count)
        request[.updatesIndirection] = 1
        request[.updatesDefault] = 1
        request[.updatesKey] = 1
        request[.defaultObject] = objects.first ?? 0
        for (index, object) in objects.enumerated() { request[.indirection, index] = object }
        return request
    }

    func openRequest(_ port: UInt64) -> Message<ConfigurePortTransmit> {
        var request = Message<ConfigurePortTransmit>(to: .network)
        request[.port] = port
        request[.protectionDomain] = 5
        request[.doorbellPage] = 1
        return request
    }

    func openPort(_ port: UInt64) throws { _ = try demand(openRequest(port)) }
}

/// A vector that a test holds. What was pending when it was attached does not count.
final class BenchVector {
    private let rig: ControlRig
    private var lease: InterruptLease
    private let pending: UInt64

    init(_ rig: ControlRig, _ lease: consuming InterruptLease) {
        self.rig = rig
        rig.settle()
        _ = lease.consume()
        pending = lease.firedCount
        self.lease = lease
    }

    /// Whether it fired since the last call.
    func consume() -> Bool {
        rig.settle()
        return lease.consume()
    }

    var firedCount: UInt64 {
        rig.settle()
        return lease.firedCount - pending
    }
}

/// An event queue of the network adapter, of one page, as its driver reads it.
final class BenchEvents {
    unowned let rig: ControlRig
    let id: UInt32
    let page: UInt64
    private var read: UInt32 = 256

    init(rig: ControlRig, id: UInt32, page: UInt64) {
        self.rig = rig
        self.id = id
        self.page = page
    }

    func take() -> [Event] {
        let owner = OwnerBits(entryCount: 256)
        var found: [Event] = []
        while true {
            let place = page + UInt64(owner.slot(read) * 16)
            let tail = EventTail(raw: rig.word(place + 12))
            guard owner.state(tail.owner, at: read) == .valid else { return found }
            found.append(Event(tail.type, rig.word(place), rig.word(place + 4), rig.word(place + 8)))
            read &+= 1
        }
    }

    func arm() {
        let tail = OwnerBits(entryCount: 256).tail(read)
        rig.ring(.event, QueueDoorbell(id: id, tail: tail, isArmed: true), page: 1)
    }

    func test() throws {
        var request = Message<GenerateTestEvent>(to: .network)
        request[.eventQueue] = id
        _ = try rig.demand(request)
    }

    func disableRequest() -> Message<DisableQueue> {
        var request = Message<DisableQueue>(to: .network)
        request[.type] = QueueType.event.rawValue
        request[.id] = id
        request[.wasAllocated] = 1
        return request
    }
}

/// A send or receive queue of one page each, as its driver uses it.
final class BenchWork {
    unowned let rig: ControlRig
    let type: QueueType
    let id: UInt32
    let completionID: UInt32
    let object: UInt64
    private let work: UInt64
    private let completions: UInt64
    private var tail: UInt32 = 0
    private var read: UInt32 = 64

    init(
        rig: ControlRig,
        type: QueueType,
        answer: Message<CreateWorkQueueResponse>,
        work: UInt64,
        completions: UInt64
    ) {
        self.rig = rig
        self.type = type
        id = answer[.workQueue]
        completionID = answer[.completionQueue]
        object = answer[.object]
        self.work = work
        self.completions = completions
    }

    func arm() {
        let tail = OwnerBits(entryCount: 64).tail(read)
        rig.ring(.completion, QueueDoorbell(id: completionID, tail: tail, isArmed: true), page: 1)
    }

    func take() -> (data: CompletionData, tail: CompletionTail)? {
        let owner = OwnerBits(entryCount: 64)
        let place = completions + UInt64(owner.slot(read) * 64)
        let tail = CompletionTail(raw: rig.word(place + 60))
        guard owner.state(tail.owner, at: read) == .valid else { return nil }
        read &+= 1
        let rig = rig
        return (CompletionData(InlineArray { rig.word(place + UInt64(4 * $0)) }), tail)
    }

    func moderate(microseconds: UInt16?, completions: UInt8?) {
        rig.moderate(completionID, page: 1, microseconds, completions)
    }

    /// The last dword of every entry of the completion ring, as it is.
    var lastWords: [UInt32] { (0..<64).map { rig.word(completions + UInt64(64 * $0 + 60)) } }

    /// Posts a piece of memory: a frame to send, or room for one.
    func post(_ address: UInt64, length: Int, page: Int = 1) {
        let isSend = type == .send
        let place = work + UInt64(tail % 4096)
        let request = TransmitRequest.with { if isSend { $0[.completionQueue] = completionID } }
        rig.setWords(
            place,
            [
                0, WorkRequestControl(pieceCount: 1, inlineBytes: 8).raw, request.raw, 0,
                UInt32(truncatingIfNeeded: address), UInt32(truncatingIfNeeded: address >> 32), 0x55, UInt32(length),
            ]
        )
        tail &+= 32
        rig.ring(isSend ? .send : .receive, QueueDoorbell(id: id, tail: tail), page: page)
    }

    func destroyRequest(as type: QueueType? = nil) -> Message<DestroyWorkQueue> {
        var request = Message<DestroyWorkQueue>(to: .network)
        request[.type] = (type ?? self.type).rawValue
        request[.object] = object
        return request
    }
}
