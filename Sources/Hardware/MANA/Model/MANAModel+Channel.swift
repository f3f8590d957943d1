// The hardware channel's life: set up and torn down by the shared-memory window, then request after request.
// Source: Linux mana_hwc_establish_channel, mana_hwc_init_event_handler (hw_channel.c), shm_channel.c of 6.12 and 7.x.

import Backing
import Clock
import MANAWire
import Memory
import Registers

extension MANAModel {
    // MARK: The window

    /// The driver has written the header.
    func takeWindow(_ now: UInt64) {
        let isFaulty = options.faults.windowOccurrence == nil || options.faults.windowOccurrence == windowRequests
        windowRequests += 1
        switch isFaulty ? options.faults.window : .none {
        case .neverAnswers: window.take(until: nil)
        case .late(let delay): window.take(until: now &+ delay)
        case .answers(let raw): window.answer(ChannelHeader(raw: raw))
        case .none, .staysDevices: answerWindow()
        }
    }

    /// Does what the window holds, and answers.
    func answerWindow() {
        let header = window.header
        let status: WindowStatus
        switch ChannelCommand(rawValue: header[.command]) {
        case .establish: status = establish()
        case .destroy:
            endChannel()
            onDriverStep?(.destroyedChannel)
            status = .success
        case nil: status = .unknownCommand
        }
        window.answer(.response(header[.command], status: status.rawValue))
        if status != .success { counts.channelsRefused &+= 1 }
    }

    /// How a request of the window ended. Linux tells 0 from all else.
    private enum WindowStatus: UInt32 {
        case success = 0
        case unknownCommand = 1
        case unknownVersion = 2
        /// The rings are nowhere, or the vector is none.
        case badSetup = 3
        /// There is a channel already.
        case busy = 4
    }

    private func establish() -> WindowStatus {
        guard window.header[.version] == 0 else { return .unknownVersion }
        guard channel == nil else { return .busy }
        let setup = ChannelSetup(window.words)
        guard isBusMaster, Int(setup.vector) < vectorCount,
            let eventRing = pageRing(setup.eventFrame), let completionRing = pageRing(setup.completionFrame),
            let receiveRing = pageRing(setup.receiveFrame), let sendRing = pageRing(setup.sendFrame)
        else { return .badSetup }
        events.queues.insert(
            EventQueue(
                vector: Int(setup.vector),
                eventRing,
                faults: entryFaults.faults(of: .channelEvents, queue: HardwareChannel.id)
            ),
            at: Int(HardwareChannel.id)
        )
        channel = HardwareChannel(
            completions: CompletionQueue(
                id: HardwareChannel.id,
                eventQueue: Int(HardwareChannel.id),
                completionRing,
                isArmed: true,
                faults: entryFaults.faults(of: .channelCompletions, queue: HardwareChannel.id)
            ),
            send: sendRing,
            receive: receiveRing,
            host.memory
        )
        counts.channelsEstablished &+= 1
        onDriverStep?(.establishedChannel)
        announceChannel()
        return .success
    }

    /// A ring of one page that can be reached now.
    private func pageRing(_ frame: UInt64) -> RingMemory? {
        let address = frame << 12
        guard address >> 12 == frame,
            var ring = RingMemory(host.memory, pages: [address], byteCount: MANA.pageBytes, .both),
            ring.refresh() || ring.way != .nowhere
        else { return nil }
        return ring
    }

    /// Tells the driver of its channel: queue and doorbell page first, then item by item.
    private func announceChannel() {
        let faults = options.faults
        let id = Int(HardwareChannel.id)
        if !faults.losesChannelQueue {
            events.push(
                .channelQueue(id: UInt16(id), doorbellPage: UInt16(HardwareChannel.doorbellPage)),
                to: id
            )
        }
        for item in ChannelItem.allCases where !faults.missingChannelItems.contains(item) {
            events.push(.channelItem(item, faults.channelItems[item] ?? value(of: item)), to: id)
        }
        if !faults.losesChannelDone { events.push(Event(.channelDone), to: id) }
    }

    private func value(of item: ChannelItem) -> UInt32 {
        switch item {
        case .completionQueue, .receiveQueue, .sendQueue: HardwareChannel.id
        case .queueDepth: 1
        case .longestRequest, .longestResponse: UInt32(MANA.messageBytes)
        case .completionQueueLimit: UInt32(options.limits.completionQueues + 1)
        case .protectionDomain: HardwareChannel.protectionDomain
        case .memoryKey: HardwareChannel.memoryKey
        case .destinationReceiveQueue, .destinationCompletionQueue: 0
        }
    }

    /// The channel is gone, and with it all that was created by it. The window stays.
    func endChannel() {
        channelCounts.malformed &+= channel?.malformed ?? 0
        channelCounts.lost &+= channel?.lost ?? 0
        channelCounts.unreachable &+= channel?.completions.lost ?? 0
        channelCounts.unreachable &+= channel?.refusedFetches ?? 0
        channel = nil
        events.removeAll()
        path.removeAll()
        adapter = Adapter(options, since: adapter)
        startPorts()
    }

    // MARK: Requests

    /// Carries out what the driver has posted, and answers what is due.
    func serveChannel(_ now: UInt64) {
        guard isBusMaster, channel?.hasWork == true else { return }
        while let request = channel?.takeRequest(host.memory) {
            counts.requests &+= 1
            carryOut(request, now)
            deliverAnswers(now)
        }
        deliverAnswers(now)
    }

    private func deliverAnswers(_ now: UInt64) {
        channel?.deliver(now, host.memory)
        // Also where only the request's own completion is news.
        if channel?.completions.takeEvent() == true {
            events.push(.completion(of: HardwareChannel.id), to: Int(HardwareChannel.id))
        }
        for event in adapter.takeEvents() { push(event) }
    }

    /// What a request brings about beside its answer, which it follows.
    private func push(_ event: Adapter.LaterEvent) {
        switch event {
        case .test(let queue): events.push(Event(.test), to: queue)
        case .fence(let queue): path.fence(queue, &events)
        }
    }

    private func carryOut(_ bytes: [UInt8], _ now: UInt64) {
        // The channel has taken at least a header.
        guard let header = try? Message<AnyRequest>(bytes) else { return }
        let kind = RequestKind(rawValue: header[.messageType])
        let fault = adapter.takeFault(options.faults.requests, kind)
        var answer: [UInt8]
        if case .refused(let status) = fault {
            answer = encode(Message<PlainResponse>(), header, status)
        } else {
            answer = respond(kind, header, bytes)
        }
        onDriverStep?(.asked(kind, Self.status(of: answer)))
        var reply = HardwareChannel.Answer(bytes: [], due: now)
        var copies = 1
        switch fault {
        case nil, .refused: break
        case .lost: copies = 0
        case .late(let delay): reply.due = now &+ delay
        case .status(let status): Self.store(status.rawValue, &answer, 24)
        case .messageID(let id): Self.store(id, &answer, 10)
        case .messageType(let type): Self.store(type, &answer, 4)
        case .version(let version): Self.store(version, &answer, 8)
        case .device(let device): Self.store(device.raw, &answer, 16)
        case .activity(let activity): Self.store(activity, &answer, 20)
        case .bytes(let count): reply.tellsBytes = count
        case .offset(let offset): reply.tellsOffset = offset
        case .queue(let queue): reply.tellsQueue = queue
        case .twice: copies = 2
        case .contents(let place, let contents):
            for (index, byte) in contents.enumerated() where place + index < answer.count {
                answer[place + index] = byte
            }
        }
        reply.bytes = answer
        if copies == 0 { channel?.countLost() }
        for _ in 0..<copies { channel?.answer(reply) }
    }

    private static func status(of answer: [UInt8]) -> ResponseStatus {
        ResponseStatus(rawValue: answer[24..<28].reversed().reduce(0) { $0 << 8 | UInt32($1) })
    }

    private static func store<Value: FixedWidthInteger>(_ value: Value, _ bytes: inout [UInt8], _ offset: Int) {
        for index in 0..<Value.bitWidth / 8 where offset + index < bytes.count {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> Value(8 * index))
        }
    }

    /// A response as its request wants it: exactly as many bytes as were asked for, in a version that was.
    func encode<Layout: ResponseLayout>(
        _ response: Message<Layout>,
        _ header: Message<AnyRequest>,
        _ status: ResponseStatus,
        version: UInt16 = 1
    ) -> [UInt8] {
        var response = response
        let count = min(max(Int(header[.expectedBytes]), PlainResponse.byteCount), MANA.messageBytes)
        response[.messageType] = header[.messageType]
        response[.version] = max(1, min(header[.expectedVersion], version))
        response[.messageID] = header[.messageID]
        response[.messageBytes] = UInt32(count)
        response[.device] = header[.device]
        response[.activity] = header[.activity]
        response[.status] = status.rawValue
        if status != .success && status != .moreEntries { counts.requestsRefused &+= 1 }
        return Array(response.bytes.prefix(count)) + [UInt8](repeating: 0, count: max(0, count - response.byteCount))
    }
}
