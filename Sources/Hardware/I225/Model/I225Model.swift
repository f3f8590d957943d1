// A virtual Intel I225/I226: PCI function, registers, PHY, four queue pairs, clock and stamps, in one owner's hands.
//
// Written to the contract of Linux's igc driver (6.12 to 7.x), which binds to it unmodified, and to the I210 data sheet
// where igc is silent. All that comes in is hostile: an access has an answer, a bad descriptor a counter.
//
//   registers ─► I225Model+Registers ─► interrupts, PHY, NVM, time    wire ─► ReceiveEngine ─► rings
//   doorbells ─► poll ─► TransmitQueue ─► MAC ─► wire          timers ─► advance ─► causes ─► messages

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
    var interrupts: InterruptCore
    var time: TimeSync

    var path: DataPath

    /// Registers have changed that the next burst must take over.
    var receiverIsStale = true
    var hashKeyIsStale = true
    var transmitterIsStale = true

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
        interrupts = InterruptCore(transmitGap: options.transmitMessageGapNanoseconds)
        time = TimeSync(now: now, control: registers[I225Register.auxiliaryControl].raw)
        path = DataPath(port, options, host.memory)
        loadDefaults()
    }

    public var identity: PCIeIdentity { ConfigSpaceImage.identity(options) }
    public var baseAddressRegisters: [BaseAddressRegister] { ConfigSpaceImage.baseAddressRegisters }
    public var vectorCount: Int { I225.vectorCount }

    // MARK: The world outside

    /// Where a copy of every frame goes, with the device's time; see `CaptureTag`.
    public var capture: FrameProducer? {
        _read { yield path.mac.tap.ring }
        _modify { yield &path.mac.tap.ring }
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
        let worked = exchangeFrames(now)
        sendMessages(now)
        return worked
    }

    /// One burst in, one burst out of each queue.
    private func exchangeFrames(_ now: UInt64) -> Bool {
        // Without a link frames are held: Linux resets the device if they were lost (igc_watchdog_task).
        guard let speed = phy.speed, mayAccessMemory else { return path.ignoreArrivals() }
        var progress = DataPath.Progress()
        if path.receiver.settings.isEnabled {
            path.receive(host.doorbells, speed: speed, time: time, &progress)
        } else {
            progress.hasWorked = path.ignoreArrivals()
        }
        if path.mac.isEnabled { path.transmit(host.doorbells, now: now, speed: speed, time: time, &progress) }
        guard progress.hasWorked else { return false }
        for queue in 0..<I225.queueCount {
            let bit: UInt32 = 1 << UInt32(queue)
            if progress.received & bit != 0 { interrupts.receiveEvent(queue) }
            if progress.transmitted & bit != 0 {
                interrupts.transmitEvent(queue, isUrgent: progress.awaited & bit != 0)
            }
        }
        // Stamps that take no time are there already.
        if path.mac.stamps.nextDeadline != nil { advance(now) }
        return true
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
        consider(path.mac.stamps.nextDeadline)
        guard phy.speed != nil, mayAccessMemory, path.mac.isEnabled else { return deadline }
        for index in 0..<I225.queueCount { consider(path.transmitQueues[index].launch.nextLook) }
        if path.isWireFull { consider(now &+ 20_000) }
        return deadline
    }

    public var wakeDescriptors: [Int32] { [host.doorbells.wakeDescriptor, path.receiver.wire.wakeDescriptor] }

    public func setSleeping(_ sleeping: Bool) {
        host.doorbells.setSleeping(sleeping)
        path.receiver.wire.setSleeping(sleeping)
    }

    /// Moves everything that goes by time.
    func advance(_ now: UInt64) {
        phy.advance(now)
        if phy.takeLinkChange() { interrupts.raise(.with { $0[.linkChanged] = true }) }
        if path.mac.stamps.advance(now) { time.raise(.with { $0[.transmitStamp] = true }) }
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

    // MARK: Counts

    /// The model's own counts, now.
    public var counters: I225Counters {
        var counters = I225Counters()
        counters.unknownAccesses = registers.unknownAccesses + outsideAccesses
        counters.oddWrites = oddWrites
        counters.disabledAccesses = disabledAccesses
        counters.dmaFaults = host.memory.faults
        for queue in 0..<I225.queueCount {
            counters.badTails +=
                path.transmitQueues[queue].hardware.badTails + path.receiver.queues[queue].hardware.badTails
            counters.unreachableRings += path.transmitQueues[queue].hardware.unreachableRings
            counters.unreachableRings += path.receiver.queues[queue].hardware.unreachableRings
            counters.malformedTransmits += path.transmitQueues[queue].malformed
        }
        counters.framesTransmitted = path.mac.frames
        counters.framesReceived = path.receiver.received
        counters.framesIgnored = path.receiver.ignored
        counters.framesFiltered = path.receiver.filtered
        counters.framesOfBadLength = path.receiver.badLength
        counters.framesDropped = path.receiver.dropped
        counters.stampsTaken = path.mac.stamps.taken
        counters.stampsRefused = path.mac.stamps.refused
        counters.stampsDisabled = path.mac.stamps.disabled
        counters.stampsLost = path.mac.stamps.lost
        counters.messages = (0..<I225.vectorCount).map { interrupts.messageCounts[$0] }
        counters.framesNotCaptured = path.mac.tap.lostFrames
        return counters
    }
}
