// A virtual Intel I225/I226: PCI function, registers, PHY, four queue pairs, clock and stamps, in one owner's hands.
//
// Written to the contract of Linux's igc driver (6.12 to 7.x), which binds to it unmodified, and to the I210 data sheet
// where igc is silent. All that comes in is hostile: an access has an answer, a bad descriptor a counter.
//
//   registers ─► I225Model+Registers ─► interrupts, PHY, NVM, time    wire ─► ReceiveEngine ─► rings
//   doorbells ─► poll ─► TransmitQueue ─► TransmitMAC ─► wire         timers ─► advance ─► causes ─► messages

import Backing
import Clock
import Ethernet
import I225Wire
import Memory
import PCIe
import Registers

/// A virtual I225. It makes progress when polled; register accesses move its timers on, not its rings.
@safe public final class I225Model: PCIeModel {
    public let host: DeviceHost
    public let options: I225Options

    let behaviours = Behaviour.table()
    var config: ConfigSpace
    var registers = RegisterFile(I225RegisterMap.map)
    var messages = MessageVectors()
    var nvm: NVM
    var phy: PHY
    var interrupts = InterruptCore()
    var time: TimeSync

    var receiver: ReceiveEngine
    var mac: TransmitMAC
    var transmitQueues = InlineArray<4, TransmitQueue> { TransmitQueue(number: $0) }
    var tap = CaptureTap()
    // SAFETY: allocated by init with `TransmitQueue.scratchBytes`, freed by deinit, lent to one burst at a time.
    private let scratch: UnsafeMutableRawPointer

    /// Registers have changed that the next burst must take over.
    var receiverIsStale = true
    var hashKeyIsStale = true
    var transmitterIsStale = true
    /// A burst stopped because the wire was full: nothing wakes the device when it drains.
    private var isWireFull = false

    var oddWrites: UInt64 = 0
    var disabledAccesses: UInt64 = 0
    /// Accesses outside the BARs.
    var outsideAccesses: UInt64 = 0

    // What configuration space says, kept because every access and burst asks.
    var respondsToMemory = false
    var isBusMaster = false
    var maySendMessages = false

    /// A device after power-on, its link not yet up.
    ///
    /// - Parameters:
    ///   - port: the device's end of its wire.
    ///   - clock: the time that PHY, interrupts, timers and stamps go by.
    public init(options: I225Options, port: consuming WirePort, clock: DeviceClock) {
        self.options = options
        host = DeviceHost(clock: clock, vectorCount: I225.vectorCount, doorbellCount: 2 * I225.queueCount)
        config = ConfigSpaceImage.make(options)
        let now = clock.now
        nvm = NVM(options)
        phy = PHY(options, now: now)
        time = TimeSync(now: now, control: registers[I225Register.auxiliaryControl].raw)
        mac = TransmitMAC(port.transmit, options: options)
        receiver = ReceiveEngine(port.receive)
        unsafe scratch = .allocate(byteCount: TransmitQueue.scratchBytes, alignment: 64)
        loadDefaults()
    }

    deinit { unsafe scratch.deallocate() }

    public var identity: PCIeIdentity { ConfigSpaceImage.identity(options) }
    public var baseAddressRegisters: [BaseAddressRegister] { ConfigSpaceImage.baseAddressRegisters }
    public var vectorCount: Int { I225.vectorCount }

    // MARK: The world outside

    /// Where a copy of every frame goes, with the device's time; see `CaptureDirection` for the tags.
    public var capture: FrameProducer? {
        _read { yield tap.ring }
        _modify { yield &tap.ring }
    }

    /// Plugs or pulls the cable.
    public func setCable(plugged: Bool) {
        let now = host.clock.now
        phy.setCable(plugged, now: now)
        advance(now)
        sendMessages(now)
    }

    /// An edge on the pin of external event 0 or 1.
    public func captureEvent(_ index: Int) {
        precondition(index == 0 || index == 1, "the device has two external events")
        let now = host.clock.now
        time.capture(index, now: now)
        advance(now)
        sendMessages(now)
    }

    /// The speed of the link; nil while it is down.
    public var linkSpeed: LinkSpeed? { phy.speed }

    /// Timer 0 at a host time since the last write to it, in nanoseconds: what a perfect stamp of a frame with this
    /// `wireTime` says. The registers' raw stamp is this minus the transmit latency, or plus the receive latency.
    public func deviceTime(atHostTime host: UInt64) -> UInt64 { time.timer0.nanoseconds(at: host) }

    /// Timer 1, the free-running one, at a host time, in nanoseconds.
    public func freeTime(atHostTime host: UInt64) -> UInt64 { time.timer1.nanoseconds(at: host) }

    // MARK: Progress

    /// Does what is due: timers, then one burst per queue and direction, then messages.
    public func poll() -> Bool {
        let now = host.clock.now
        advance(now)
        if receiverIsStale { configureReceiver() }
        if transmitterIsStale { configureTransmitter() }
        let received = receive()
        let transmitted = transmit(now)
        if transmitted, mac.stamps.nextDeadline != nil { advance(now) }
        sendMessages(now)
        return received || transmitted
    }

    public var nextDeadline: UInt64? {
        let now = host.clock.now
        var deadline: UInt64?
        func consider(_ time: UInt64?) {
            if let time { deadline = min(deadline ?? time, time) }
        }
        consider(phy.nextDeadline)
        consider(interrupts.nextDeadline)
        consider(time.nextDeadline(now))
        consider(mac.stamps.nextDeadline)
        for index in 0..<I225.queueCount { consider(transmitQueues[index].launch.nextLook) }
        if isWireFull { consider(now &+ 20_000) }
        return deadline
    }

    public var wakeDescriptors: [Int32] { [host.doorbells.wakeDescriptor, receiver.wire.wakeDescriptor] }

    public func setSleeping(_ sleeping: Bool) {
        host.doorbells.setSleeping(sleeping)
        receiver.wire.setSleeping(sleeping)
    }

    /// Moves everything that goes by time.
    func advance(_ now: UInt64) {
        phy.advance(now)
        if phy.takeLinkChange() { interrupts.raise(.with { $0[.linkChanged] = true }) }
        if mac.stamps.advance(now) { time.raise(.with { $0[.transmitStamp] = true }) }
        time.advance(now)
        if time.takePending() { interrupts.raise(.with { $0[.timeSync] = true }) }
    }

    /// Sends the messages that are due and may be sent.
    func sendMessages(_ now: UInt64) {
        var rest = interrupts.takeMessages(now)
        while rest != 0 {
            let vector = rest.trailingZeroBitCount
            rest &= rest &- 1
            if messages.fire(vector, functionMaySend: maySendMessages) { host.raise(vector) }
        }
    }

    /// Requests on PCIe are allowed, by configuration space and by CTRL.
    private var mayAccessMemory: Bool { isBusMaster && !registers[I225Register.deviceControl][.masterDisable] }

    private func receive() -> Bool {
        guard receiver.settings.isEnabled, let speed = phy.speed, mayAccessMemory else {
            return receiver.drain(budget: options.pollBudget).frames > 0
        }
        receiver.begin(host)
        let progress = receiver.run(
            budget: options.pollBudget,
            receiveLatency: speed.receiveLatency,
            time: time,
            capture: &tap,
            memory: host.memory
        )
        guard progress.frames > 0 else { return false }
        tap.publish()
        for queue in 0..<I225.queueCount where progress.queues & 1 << UInt32(queue) != 0 {
            interrupts.queueEvent(queue, transmit: false)
        }
        return true
    }

    private func transmit(_ now: UInt64) -> Bool {
        // Without a link frames are held: Linux resets the device if they were lost (igc_watchdog_task).
        isWireFull = false
        guard mac.isEnabled, let speed = phy.speed, mayAccessMemory else { return false }
        mac.begin(now: now, speed: speed, isCapturing: tap.isOpen)
        var worked = false
        for queue in 0..<I225.queueCount where transmitQueues[queue].hardware.isEnabled {
            let progress = unsafe transmitQueues[queue].run(
                host.doorbells.load(queue),
                budget: options.pollBudget,
                mac: &mac,
                time: time,
                capture: &tap,
                memory: host.memory,
                scratch: scratch
            )
            if progress.isBlocked { isWireFull = true }
            guard progress.hasAdvanced else { continue }
            worked = true
            interrupts.queueEvent(queue, transmit: true)
        }
        mac.end()
        if worked { tap.publish() }
        return worked
    }

    // MARK: Counts

    /// The model's own counts, now.
    public var counters: I225Counters {
        var counters = I225Counters()
        counters.unknownAccesses = registers.unknownAccesses + outsideAccesses
        counters.oddWrites = oddWrites
        counters.disabledAccesses = disabledAccesses
        counters.dmaFaults = host.memory.faults
        for queue in 0..<I225.queueCount {
            counters.badTails += transmitQueues[queue].hardware.badTails + receiver.queues[queue].hardware.badTails
            counters.unreachableRings += transmitQueues[queue].hardware.unreachableRings
            counters.unreachableRings += receiver.queues[queue].hardware.unreachableRings
            counters.malformedTransmits += transmitQueues[queue].malformed
        }
        counters.framesTransmitted = mac.frames
        counters.framesReceived = receiver.received
        counters.framesIgnored = receiver.ignored
        counters.framesFiltered = receiver.filtered
        counters.framesOfBadLength = receiver.badLength
        counters.framesDropped = receiver.dropped
        counters.stampsTaken = mac.stamps.taken
        counters.stampsRefused = mac.stamps.refused
        counters.stampsDisabled = mac.stamps.disabled
        counters.stampsLost = mac.stamps.lost
        counters.messages = (0..<I225.vectorCount).map { interrupts.messageCounts[$0] }
        counters.framesNotCaptured = tap.lostFrames
        return counters
    }
}
