// The driver of the fuzzed card: it knows how requests, rings and doorbells look, and says in them what it is told to.

import Backing
import Clock
import Ethernet
import MANAModel
import MANAWire
import Memory
import PCIe

final class HostileDriver {
    /// Pages by what they are used for. What the device is told of them may be something else.
    enum Page {
        static let channelEvents = 0, channelCompletions = 1, channelReceive = 2, channelSend = 3
        static let request = 4, answer = 5
        static let events = 6, send = 7, sendCompletions = 8, receive = 9, receiveCompletions = 10
        static let buffers = 16
    }

    let clock = VirtualClock(startNanoseconds: 1_000_000_000)
    let model: MANAModel
    let memory: DriverMemory
    var wire: FrameProducer
    private var arrivals: FrameConsumer
    private let layout = MANALayout()

    private var channelSendTail: UInt32 = 0
    private var channelReceiveTail: UInt32 = 0
    private var messageID: UInt16 = 0
    /// What answers have called handles, newest last.
    private(set) var handles: [UInt64] = []
    var work: [QueueType: (id: UInt32, completions: UInt32, tail: UInt32)] = [:]
    var eventQueue: UInt32 = 1
    /// Whether a read or a write of remote memory shall fail.
    var spoils: () -> Bool = { false }

    init(_ options: MANAOptions, isRemote: Bool) {
        let toDevice = FrameRing(capacity: 64 * 1024)
        let fromDevice = FrameRing(capacity: 64 * 1024)
        let port = WirePort(transmit: fromDevice.producer, receive: toDevice.consumer)
        wire = toDevice.producer
        arrivals = fromDevice.consumer
        model = MANAModel(options: options, port: port, clock: .virtual(clock))
        memory = DriverMemory(model.host.memory, isRemote: isRemote)
        switchOn()
    }

    func switchOn(_ command: UInt64 = 6) { model.writeConfig(ConfigSpace.Offset.command, .word, command) }

    func takeFrames() { while arrivals.receive() != nil {} }

    // MARK: Progress

    func poll() -> Bool {
        let worked = model.poll()
        let transferred = memory.transfer(spoils: spoils)
        if transferred { model.host.sendHeldMessages() }
        return worked || transferred
    }

    /// Until there is nothing to do, which must be some time.
    func settle() {
        for _ in 0..<20_000 where !poll() { return }
        fatalError("the device never comes to rest")
    }

    // MARK: The window

    func writeWindow(_ index: Int, _ value: UInt32) {
        model.write(bar: 0, layout.windowOffset + UInt64(4 * index), .doubleWord, UInt64(value))
    }

    var windowHeader: UInt32 {
        UInt32(truncatingIfNeeded: model.read(bar: 0, layout.windowOffset + 28, .doubleWord))
    }

    /// The words of a set-up that is right.
    var setup: InlineArray<8, UInt32> {
        func frame(_ page: Int) -> UInt64 { DriverMemory.address(page) >> 12 }
        return ChannelSetup(
            eventFrame: frame(Page.channelEvents),
            completionFrame: frame(Page.channelCompletions),
            receiveFrame: frame(Page.channelReceive),
            sendFrame: frame(Page.channelSend)
        ).words
    }

    func establish(_ words: InlineArray<8, UInt32>) {
        channelSendTail = 0
        channelReceiveTail = 0
        for index in 0..<8 { writeWindow(index, words[index]) }
    }

    func destroy() {
        writeWindow(7, ChannelHeader.request(.destroy).raw)
        handles = []
        work = [:]
    }

    // MARK: Doorbells

    func ring(_ kind: DoorbellKind, _ raw: UInt64, page: Int) {
        let offset = layout.doorbellOffset + UInt64(page) * UInt64(layout.doorbellPageBytes)
        model.write(bar: 0, offset + UInt64(kind.offset), .quadWord, raw)
    }

    // MARK: Requests

    func store(_ words: [UInt32], _ address: UInt64) {
        memory.write(
            words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) } },
            address
        )
    }

    static func pieceWords(_ address: UInt64, _ key: UInt32, _ length: UInt32) -> [UInt32] {
        [UInt32(truncatingIfNeeded: address), UInt32(truncatingIfNeeded: address >> 32), key, length]
    }

    /// Posts a buffer for an answer.
    func postBuffer(_ piece: [UInt32], control: UInt32 = WorkRequestControl(pieceCount: 1, inlineBytes: 8).raw) {
        store(
            [0, control, 0, 0] + piece,
            DriverMemory.address(Page.channelReceive) + UInt64(channelReceiveTail % 4096)
        )
        channelReceiveTail &+= 32
        ring(.receive, QueueDoorbell(id: 0, tail: channelReceiveTail).raw(.receive), page: 0)
    }

    /// Posts a work request of the channel's send ring.
    func postRequest(_ piece: [UInt32], control: UInt32 = WorkRequestControl(pieceCount: 1, inlineBytes: 24).raw) {
        store(
            [0, control, 0, 0, 0, 0, 0, 0] + piece,
            DriverMemory.address(Page.channelSend) + UInt64(channelSendTail % 4096)
        )
        channelSendTail &+= 64
        ring(.send, QueueDoorbell(id: 0, tail: channelSendTail).raw(.send), page: 0)
    }

    /// Sends a message's bytes as they are; the answer's, if one has come.
    @discardableResult
    func ask(_ bytes: [UInt8]) -> [UInt8]? {
        let request = DriverMemory.address(Page.request)
        let answer = DriverMemory.address(Page.answer)
        memory.write([UInt8](repeating: 0, count: 48), answer)
        memory.write(bytes, request)
        postBuffer(Self.pieceWords(answer, 0x11, 4096))
        postRequest(Self.pieceWords(request, 0x11, UInt32(bytes.count)))
        settle()
        guard let header = memory.read(answer, count: 48), header[4..<8].contains(where: { $0 != 0 }) else {
            return nil
        }
        for place in [32, 40] {
            handles.append(header[place..<place + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) })
        }
        handles.removeFirst(max(0, handles.count - 16))
        return memory.read(answer, count: 512)
    }

    /// Sends a request and takes its answer.
    func ask<Request: RequestLayout>(_ request: Message<Request>) -> Message<Request.Response>? {
        var request = request
        messageID &+= 1
        request[.messageID] = messageID
        guard let bytes = ask(Array(request.bytes)), let answer = try? Message<Request.Response>(bytes),
            answer[.messageID] == messageID
        else { return nil }
        return answer
    }

    func makeRegion(_ page: Int) -> UInt64 {
        memory.write([UInt8](repeating: 0, count: 4096), DriverMemory.address(page))
        var request = Message<CreateRegion>(to: .network, elementBytes: 8)
        request[.length] = 4096
        request[.pageCount] = 1
        request[.listedCount] = 1
        request[.pages, 0] = DriverMemory.address(page)
        return ask(request)?[.region] ?? 0
    }

    /// A whole driver's bring-up: an event queue, a port, a queue each way.
    func start(isModerated: Bool) {
        _ = ask(Message<RegisterDevice>(to: .network))
        var events = Message<CreateQueue>(to: .network)
        events[.type] = QueueType.event.rawValue
        events[.protectionDomain] = 5
        events[.doorbellPage] = 1
        events[.region] = makeRegion(Page.events)
        events[.ringBytes] = 4096
        events[.vector] = 1
        eventQueue = ask(events)?[.id] ?? 1
        let port = ask(Message<QueryPort>(to: .network))?[.port] ?? 0
        var open = Message<ConfigurePortTransmit>(to: .network)
        open[.port] = port
        open[.protectionDomain] = 5
        open[.doorbellPage] = 1
        _ = ask(open)
        var steering = Message<ConfigurePortReceive>(to: .network, elementBytes: 8)
        for (type, pages) in [
            (QueueType.send, (Page.send, Page.sendCompletions)),
            (.receive, (Page.receive, Page.receiveCompletions)),
        ] {
            var queue = Message<CreateWorkQueue>(to: .network, version: 3, responseVersion: 2)
            queue[.port] = port
            queue[.type] = type.rawValue
            queue[.workRegion] = makeRegion(pages.0)
            queue[.completionRegion] = makeRegion(pages.1)
            queue[.workRingBytes] = 4096
            queue[.completionRingBytes] = 4096
            queue[.eventQueue] = eventQueue
            queue[.wantsModeration] = isModerated ? 1 : 0
            queue[.moderationMicroseconds] = 64
            queue[.moderationCompletions] = 4
            guard let answer = ask(queue) else { continue }
            work[type] = (answer[.workQueue], answer[.completionQueue], 0)
            steering[.defaultObject] = answer[.object]
            steering[.indirection, 0] = answer[.object]
        }
        steering[.port] = port
        steering[.receives] = 1
        steering[.hashes] = 1
        steering[.updatesDefault] = 1
        steering[.updatesIndirection] = 1
        steering[.indirectionOffset] = 120
        steering[.indirectionEntries] = 1
        _ = ask(steering)
    }

    /// Writes words into a work ring, at its tail, and rings.
    func post(_ type: QueueType, _ words: [UInt32], units: UInt32) {
        guard var queue = work[type] else { return }
        let page = DriverMemory.address(type == .send ? Page.send : Page.receive)
        for (index, word) in words.enumerated() {
            store([word], page + UInt64((queue.tail &+ UInt32(4 * index)) % 4096))
        }
        queue.tail &+= 32 * units
        work[type] = queue
        let kind = type == .send ? DoorbellKind.send : .receive
        ring(kind, QueueDoorbell(id: queue.id, tail: queue.tail).raw(kind), page: 1)
    }

    func arm(_ type: QueueType, _ tail: UInt32) {
        guard let queue = work[type] else { return }
        ring(.completion, QueueDoorbell(id: queue.completions, tail: tail, isArmed: true).raw(.completion), page: 1)
    }
}
