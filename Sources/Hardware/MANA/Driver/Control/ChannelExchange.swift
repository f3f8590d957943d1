// What is done on the channel under its lock: the set-up's events, a request and its answer, and whether to believe that.
// Source: mana_hwc_establish_channel, mana_hwc_send_request, mana_hwc_rx_event_handler, mana_hwc_handle_resp (hw_channel.c
// of Linux 6.12 and 7.x).

import Backing
import MANAWire
import Registers

extension ChannelState {
    /// Waits for the events of the set-up (60 s, mana_hwc_establish_channel).
    mutating func waitForIdentity<Backing>(_ hardware: MANAHardware<Backing>) throws(DeviceError) {
        let operation = "set up channel"
        let came = try wait(hardware, operation, timeoutNanoseconds: 60_000 * millisecond) { $0.identity.isComplete }
        guard came else {
            throw hardware.error(.timedOut, operation, "the card did not end the set-up in 60 s: \(identity)")
        }
        guard let completions = identity.completionQueue, identity.receiveQueue != nil, identity.sendQueue != nil else {
            throw hardware.error(.badContents, operation, "expected the ids of three queues, came \(identity)")
        }
        guard identity.completionQueueLimit == 0 || completions < identity.completionQueueLimit else {
            throw hardware.error(
                .badContents,
                operation,
                "completion queue \(completions), expected one below \(identity.completionQueueLimit)"
            )
        }
    }

    /// Rings a doorbell of the channel's page.
    func ring<Backing>(
        _ hardware: MANAHardware<Backing>,
        _ kind: DoorbellKind,
        id: UInt32,
        tail: UInt32,
        isArmed: Bool = false
    ) throws(DeviceError) {
        let page = try hardware.doorbellPage(identity.doorbellPage, "ring channel")
        page.ring(kind, QueueDoorbell(id: id, tail: tail, isArmed: isArmed))
    }

    /// Reads events, and lets the card raise the vector for the next.
    mutating func look<Backing>(_ hardware: MANAHardware<Backing>) throws(DeviceError) {
        guard readEvents() > 0, let queue = identity.eventQueue else { return }
        try ring(hardware, .event, id: queue, tail: rings.events.tail, isArmed: true)
    }

    /// Looks at events until `condition` holds or the time is up; whether it held.
    mutating func wait<Backing>(
        _ hardware: MANAHardware<Backing>,
        _ operation: String,
        timeoutNanoseconds: UInt64? = nil,
        _ condition: (inout ChannelState) throws(DeviceError) -> Bool
    ) throws(DeviceError) -> Bool {
        let timeout = isSuspect ? millisecond : (timeoutNanoseconds ?? self.timeoutNanoseconds)
        return try hardware.waitUntil(timeoutNanoseconds: timeout, operation) { () throws(DeviceError) in
            try look(hardware)
            guard !isBroken else {
                throw hardware.error(.badContents, operation, "owner bits of a lap that cannot be")
            }
            return try condition(&self)
        }
    }

    mutating func exchange<Layout: RequestLayout, Backing>(
        _ request: Message<Layout>,
        _ hardware: MANAHardware<Backing>
    ) throws(DeviceError) -> Message<Layout.Response> {
        let operation = "\(Layout.self)"
        activity &+= 1
        // What came since the last request is late, or worse; it is counted.
        _ = try? takeResponse(hardware, operation)
        guard !isBroken else {
            throw hardware.error(.badContents, operation, "the channel's owner bits are of a lap that cannot be")
        }
        counters.requests += 1
        var request = request
        request[.activity] = activity
        let outOfBand = ChannelOutOfBand(
            receiveQueue: hardware.kind.isPhysical ? identity.destinationReceiveQueue : 0,
            receiveCompletionQueue: hardware.kind.isPhysical ? identity.destinationCompletionQueue : 0,
            sendCompletionQueue: identity.completionQueue ?? 0,
            sendQueue: identity.sendQueue ?? 0,
            isForPhysicalFunction: false
        )
        let tail = rings.postSend(request.bytes, outOfBand, memoryKey: identity.memoryKey)
        try ring(hardware, .send, id: identity.sendQueue ?? 0, tail: tail)

        var answer: [UInt8]?
        let came: Bool
        do throws(DeviceError) {
            came = try wait(hardware, operation) { state throws(DeviceError) in
                answer = try state.takeResponse(hardware, operation)
                return answer != nil
            }
        } catch {
            isSuspect = true
            throw error
        }
        guard came, let answer else {
            isSuspect = true
            counters.timeouts += 1
            throw hardware.error(.timedOut, operation, "no answer to request \(activity)")
        }
        return try check(answer, of: request, operation, hardware)
    }

    /// The next response to the request that is in flight; nil if it has not come. Others are counted and dropped.
    private mutating func takeResponse<Backing>(
        _ hardware: MANAHardware<Backing>,
        _ operation: String
    ) throws(DeviceError) -> [UInt8]? {
        var found: [UInt8]?
        var looked = 0
        let limit = 64
        while found == nil, looked < limit, !isBroken {
            let index = rings.completions.head
            let tail = rings.completions.loadTail(index)
            let state = rings.completions.owner.state(tail.owner, at: index)
            guard state != .overflow else {
                breakDown()
                break
            }
            guard state == .valid else { break }
            looked += 1
            let completion = ChannelCompletion(rings.completions.data(index))
            rings.completions.head &+= 1
            if tail.isSend {
                if tail.queue != identity.sendQueue { counters.wrongQueue += 1 }
            } else if tail.queue != identity.receiveQueue {
                counters.wrongQueue += 1
            } else {
                found = try receive(completion, hardware, operation)
            }
        }
        guard looked > 0, let queue = identity.completionQueue else { return found }
        // Linux polls two at a time and re-arms; so does the last look here.
        rings.completions.wasTold()
        try ring(hardware, .completion, id: queue, tail: rings.completions.tail, isArmed: true)
        return found
    }

    /// A message has come. Its room is the card's again before it is looked at.
    private mutating func receive<Backing>(
        _ completion: ChannelCompletion,
        _ hardware: MANAHardware<Backing>,
        _ operation: String
    ) throws(DeviceError) -> [UInt8]? {
        let expected = rings.expectedReceiveOffset
        let bytes = rings.response(byteCount: Int(min(completion.messageBytes, UInt32(MANA.messageBytes))))
        let tail = rings.postReceive(memoryKey: identity.memoryKey)
        try ring(hardware, .receive, id: identity.receiveQueue ?? 0, tail: tail)
        guard completion.requestOffset == expected else {
            counters.wrongResponses += 1
            throw hardware.error(
                .badContents,
                operation,
                "a message at \(completion.requestOffset) of the receive ring, expected at \(expected)"
            )
        }
        guard completion.messageBytes >= UInt32(PlainResponse.byteCount),
            completion.messageBytes <= UInt32(MANA.messageBytes),
            let header = try? Message<PlainResponse>(bytes)
        else {
            counters.wrongResponses += 1
            throw hardware.error(
                .badContents,
                operation,
                "a message of \(completion.messageBytes) bytes, expected 32 to 4096"
            )
        }
        let age = activity &- header[.activity]
        if age != 0, age < 1 << 31 {
            counters.lateResponses += 1
            return nil
        }
        return bytes
    }

    /// Believes an answer only if it is one to `request`.
    private mutating func check<Layout: RequestLayout, Backing>(
        _ bytes: [UInt8],
        of request: Message<Layout>,
        _ operation: String,
        _ hardware: MANAHardware<Backing>
    ) throws(DeviceError) -> Message<Layout.Response> {
        func wrong(_ detail: String) -> DeviceError { hardware.error(.badContents, operation, detail) }
        do throws(DeviceError) {
            guard let header = try? Message<PlainResponse>(bytes) else {
                throw wrong("\(bytes.count) bytes, expected 32 or more")
            }
            guard header[.activity] == request[.activity] else {
                throw wrong("activity \(header[.activity]), expected \(request[.activity])")
            }
            guard header[.messageType] == request[.messageType] else {
                throw wrong("type \(hex(header[.messageType])), expected \(hex(request[.messageType]))")
            }
            guard header[.messageID] == request[.messageID] else {
                throw wrong("message \(header[.messageID]), expected \(request[.messageID])")
            }
            guard header[.device] == request[.device] else {
                throw wrong("device \(hex(header[.device])), expected \(hex(request[.device]))")
            }
            guard header.status == .success || header.status == .moreEntries else {
                // Not the channel's fault.
                throw hardware.error(.refused, operation, refusal(header.status))
            }
            guard header[.version] >= 1 else { throw wrong("version 0, expected 1 or more") }
            guard header[.messageBytes] >= UInt32(Layout.Response.shortestByteCount),
                header[.messageBytes] <= UInt32(bytes.count),
                let answer = try? Message<Layout.Response>(bytes)
            else {
                throw wrong(
                    "\(header[.messageBytes]) bytes in a message of \(bytes.count), expected "
                        + "\(Layout.Response.shortestByteCount) or more"
                )
            }
            return answer
        } catch {
            if error.code != .refused {
                counters.wrongResponses += 1
                isSuspect = true
            }
            throw error
        }
    }

    private func refusal(_ status: ResponseStatus) -> String {
        status == .unsupported
            ? "the card does not know the request (status 0xffffffff)" : "status \(hex(status.rawValue))"
    }
}
