// What is known of the hardware channel, and what its events change.
// Source: mana_hwc_init_event_handler, mana_gd_process_eqe (hw_channel.c, gdma_main.c of Linux 6.12 and 7.x).

import MANAWire

/// What the card said of the channel while it was set up.
struct ChannelIdentity: Sendable, Equatable {
    var eventQueue: UInt32?
    var doorbellPage: UInt32 = 0
    var completionQueue: UInt32?
    var receiveQueue: UInt32?
    var sendQueue: UInt32?
    /// All ids of completion queues are below it; 0: not told.
    var completionQueueLimit: UInt32 = 0
    var memoryKey: UInt32 = 0
    var destinationReceiveQueue: UInt32 = 0
    var destinationCompletionQueue: UInt32 = 0
    var isComplete = false
}

/// What went over the channel, and what went wrong.
public struct ChannelCounters: Sendable, Equatable {
    public var requests: UInt64 = 0
    public var timeouts: UInt64 = 0
    /// Responses to requests that had timed out.
    public var lateResponses: UInt64 = 0
    /// Responses to no request at all: another id, type, activity or size.
    public var wrongResponses: UInt64 = 0
    /// Completions of queues that are not the channel's.
    public var wrongQueue: UInt64 = 0
    /// Events of a type that nobody knows, or about queues that there are not.
    public var unknownEvents: UInt64 = 0
    public var testEvents: UInt64 = 0
    /// Owner bits that cannot be.
    public var overflows: UInt64 = 0
}

/// The state behind the channel's lock.
struct ChannelState: ~Copyable {
    var rings: ChannelRings
    var identity = ChannelIdentity()
    var counters = ChannelCounters()
    var timeoutNanoseconds: UInt64
    /// Of the last request: one counter for all, so that a late answer is told from the one that is waited for.
    var activity: UInt32 = 0
    var isOpen = true
    /// The card did not answer, or not sensibly: it gets a millisecond from now on, until it is reset (as Linux 7.x).
    var isSuspect = false
    /// What the card said of the link since the last look; nil: nothing.
    var linkIsUp: Bool?
    var resetIsRequested = false
    /// An entry that cannot be is there: the ring behind it is not read any more.
    private(set) var isBroken = false
    private let longestTimeout: UInt64

    init(_ rings: consuming ChannelRings, timeoutNanoseconds: UInt64) {
        self.rings = rings
        self.timeoutNanoseconds = timeoutNanoseconds
        longestTimeout = max(timeoutNanoseconds, 60_000 * millisecond)
    }

    /// The card's word on how long a request may take. 0 is no time-out, and hours are as good as a hang.
    mutating func setTimeout(milliseconds: UInt32) {
        guard milliseconds > 0 else { return }
        timeoutNanoseconds = min(UInt64(milliseconds) * millisecond, longestTimeout)
    }

    mutating func breakDown() {
        guard !isBroken else { return }
        isBroken = true
        isSuspect = true
        counters.overflows += 1
    }

    /// Reads all events that are there, a lap at most; how many.
    mutating func readEvents() -> Int {
        var count = 0
        while !isBroken, count < rings.events.entryCount {
            switch rings.events.next() {
            case .none: return count
            case .overflow: breakDown()
            case .event(let event):
                count += 1
                if identity.isComplete { act(on: event) } else { learn(from: event, isFirst: count == 1) }
            }
        }
        return count
    }

    /// Before the channel is ready. The first event names its event queue.
    private mutating func learn(from event: Event, isFirst: Bool) {
        guard identity.eventQueue != nil || event.type == .channelQueue else {
            counters.unknownEvents += 1
            return
        }
        switch event.type {
        case .channelQueue:
            identity.eventQueue = UInt32(event.channelQueueID)
            identity.doorbellPage = UInt32(event.channelDoorbellPage)
        case .channelItem: learn(event.channelItem, event.itemValue)
        case .channelDone: identity.isComplete = true
        default: counters.unknownEvents += 1
        }
    }

    private mutating func learn(_ item: ChannelItem?, _ value: UInt32) {
        switch item {
        case .completionQueue: identity.completionQueue = value
        case .receiveQueue: identity.receiveQueue = value
        case .sendQueue: identity.sendQueue = value
        case .completionQueueLimit: identity.completionQueueLimit = value
        case .memoryKey: identity.memoryKey = value
        case .destinationReceiveQueue: identity.destinationReceiveQueue = value
        case .destinationCompletionQueue: identity.destinationCompletionQueue = value
        // Depth and sizes: one message of a page at a time is what every card can do (Linux stores and does not use them).
        case .queueDepth, .longestRequest, .longestResponse, .protectionDomain: break
        case nil: counters.unknownEvents += 1
        }
    }

    private mutating func act(on event: Event) {
        switch event.type {
        case .completion:
            if event.completionQueue != identity.completionQueue { counters.unknownEvents += 1 }
        case .test: counters.testEvents += 1
        case .resetRequest, .reconfiguration: resetIsRequested = true
        case .reconfigurationItem:
            switch event.reconfigurationItem {
            case .requestTimeout: setTimeout(milliseconds: event.itemValue)
            case .linkUp: linkIsUp = true
            case .linkDown: linkIsUp = false
            case nil: counters.unknownEvents += 1
            }
        // To the RDMA adapter's driver, which there is not.
        case .service: break
        default: counters.unknownEvents += 1
        }
    }
}
