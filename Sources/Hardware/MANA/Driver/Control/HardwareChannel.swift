// The hardware channel: requests to the card, one at a time, and events from it.
// Source: mana_hwc_create_channel, mana_hwc_send_request, mana_hwc_handle_resp (hw_channel.c of Linux 6.12 and 7.x).

import Backing
import MANAWire
import Registers
import Synchronization

/// The one way to ask a card for anything. Any thread may; the others wait meanwhile.
final class HardwareChannel<Backing: PCIeBacking>: Sendable {
    let hardware: MANAHardware<Backing>
    // Ends before `state`, whose memory the card reaches until then.
    private let reach: Mutex<ChannelReach<Backing>?>
    private let state: Mutex<ChannelState>

    /// Sets the channel up. Vector 0 must be attached.
    init(
        _ hardware: MANAHardware<Backing>,
        timeoutNanoseconds: UInt64
    ) throws(DeviceError) {
        let rings = try ChannelRings.allocate(hardware.backing)
        let setup = rings.setup
        var initial = ChannelState(rings, timeoutNanoseconds: timeoutNanoseconds)
        // From here on the card may know the memory: it must have let go before the memory goes.
        let reach = ChannelReach(hardware)
        try hardware.establishChannel(setup)
        try initial.waitForIdentity(hardware)
        let tail = initial.rings.postReceive(memoryKey: initial.identity.memoryKey)
        try initial.ring(hardware, .receive, id: initial.identity.receiveQueue ?? 0, tail: tail)
        self.hardware = hardware
        self.reach = Mutex(reach)
        state = Mutex(initial)
    }

    var counters: ChannelCounters { state.withLock { $0.counters } }

    /// The card did not answer in time, or made no sense: it needs a reset.
    var isSuspect: Bool { state.withLock { $0.isSuspect } }

    /// The card gets a millisecond for each request from now on, until it is set up anew.
    func distrust() { state.withLock { $0.isSuspect = true } }

    /// All ids of completion queues are below it.
    var completionQueueLimit: UInt32 { state.withLock { $0.identity.completionQueueLimit } }

    /// Ends the channel. What is asked later is refused.
    func close() {
        state.withLock { $0.isOpen = false }
        reach.withLock { $0 = nil }
    }

    /// How long a request may take, as the card says.
    func setTimeout(milliseconds: UInt32) { state.withLock { $0.setTimeout(milliseconds: milliseconds) } }

    /// Sends a request and waits for its answer.
    ///
    /// - Throws: `timedOut` after the stated time; `refused` if the card said no, with its status; `badContents` for an
    ///   answer that makes no sense; `deviceGone`.
    func send<Layout: RequestLayout>(
        _ request: Message<Layout>
    ) throws(DeviceError) -> Message<Layout.Response> {
        try state.withLock { state throws(DeviceError) in
            guard state.isOpen else {
                throw hardware.error(.deviceGone, "\(Layout.self)", "the channel was closed")
            }
            return try state.exchange(request, hardware)
        }
    }

    /// Has the card raise an event on the channel's own event queue, and waits for it: the way there and back works.
    func test() throws(DeviceError) {
        let (queue, before) = state.withLock { ($0.identity.eventQueue ?? 0, $0.counters.testEvents) }
        var request = Message<GenerateTestEvent>(to: .channel)
        request[.eventQueue] = queue
        _ = try send(request)
        let came = try state.withLock { state throws(DeviceError) in
            try state.wait(hardware, "test channel") { $0.counters.testEvents != before }
        }
        guard came else {
            throw hardware.error(.timedOut, "test channel", "no test event on event queue \(queue)")
        }
    }

    /// Looks for events, and lets the card raise its vector again.
    func readEvents() throws(DeviceError) -> ChannelNews {
        try state.withLock { state throws(DeviceError) in
            guard state.isOpen else { return ChannelNews() }
            try state.look(hardware)
            let news = ChannelNews(
                linkIsUp: state.linkIsUp,
                resetIsRequested: state.resetIsRequested,
                isSuspect: state.isSuspect
            )
            state.linkIsUp = nil
            return news
        }
    }
}

/// What the card told since the last look.
struct ChannelNews: Sendable, Equatable {
    var linkIsUp: Bool?
    var resetIsRequested = false
    var isSuspect = false
}

/// The card's knowledge of the channel's memory. Its end has the card forget it.
struct ChannelReach<Backing: PCIeBacking>: ~Copyable, Sendable {
    private let hardware: MANAHardware<Backing>

    init(_ hardware: MANAHardware<Backing>) { self.hardware = hardware }

    deinit {
        guard !hardware.isGone else { return }
        do throws(DeviceError) {
            try hardware.destroyChannel()
        } catch {
            // A card that does not let go is reset whole: it must not write into memory that is another's by then.
            try? hardware.backing.reset()
        }
    }
}
