// One run: a virtual MANA, and a driver that does what the input says. Nothing it does may end the process, write where the
// device may not, keep the device busy for ever, or stay behind when the card is reset.

import Backing
import Clock
import Ethernet
import FuzzSupport
import MANAModel
import MANAWire
import Memory
import PCIe
import Registers

final class Scenario {
    private enum Operation: CaseIterable {
        case establish, destroy, window, request, bytes, work, buffer, start, doorbell, shortDoorbell, moderation
        case send, receive, arm, frame, takeFrames, poll, settle, wait, map, unmap, bus, reset, store, access, event
        case spoil
    }

    private var choices: Choices
    private let driver: HostileDriver
    private var spoiling: UInt8 = 0
    private var spoilCount: UInt8 = 0

    init(_ choices: Choices) {
        self.choices = choices
        var options = MANAOptions()
        options.limits.tableVectors = 8
        options.limits.vectors = 8
        options.limits.sendQueues = 4
        options.limits.receiveQueues = 4
        options.limits.completionQueues = 8
        options.limits.eventQueues = 4
        options.limits.regions = 32
        options.limits.regionPages = 256
        options.limits.indirectionEntries = 8
        options.capabilities = [.dynamicModeration, .channelTimeout]
        options.networkCapabilities = [.eightFrameCompletions]
        let kind = self.choices.byte()
        if kind & 2 != 0 { options.deviceID = .physicalFunction }
        if kind & 4 != 0 { options.limits.ports = 2 }
        driver = HostileDriver(options, isRemote: kind & 1 != 0)
        driver.spoils = { [unowned self] in
            spoilCount &+= 1
            return spoiling != 0 && spoilCount % spoiling == 0
        }
    }

    func run() {
        while !choices.isAtEnd { step(Operation.allCases[choices.below(Operation.allCases.count)]) }
        driver.settle()
        serveSomebody()
        guard driver.memory.preciousIsUntouched else { fatalError("memory was written that is mapped to be read") }
    }

    /// A reset takes all back, and a driver that behaves is served, whatever was before.
    private func serveSomebody() {
        spoiling = 0
        driver.model.reset()
        driver.settle()
        guard driver.model.holdings == MANAHoldings() else { fatalError("left behind: \(driver.model.holdings)") }
        for page in 0..<DriverMemory.pageCount { driver.memory.map(page) }
        driver.switchOn()
        driver.establish(driver.setup)
        guard driver.windowHeader == 0x81 else { fatalError("no channel: \(driver.windowHeader)") }
        driver.settle()
        guard let answer = driver.ask(Message<QueryMaxResources>(to: .channel)), answer[.vectors] == 8 else {
            fatalError("the next driver is not served")
        }
        let transfers = driver.model.host.memory.transfers
        guard !transfers.hasWork, transfers.unconfirmedWrites == 0 else { fatalError("transfers are left") }
    }

    // MARK: What the driver does

    private func step(_ operation: Operation) {
        switch operation {
        case .establish: establish()
        case .destroy: driver.destroy()
        case .window: driver.writeWindow(choices.below(8), choices.word())
        case .request: request()
        case .bytes: driver.ask(choices.data(120))
        case .work: driver.postRequest(piece(), control: control())
        case .buffer: driver.postBuffer(piece(), control: control())
        case .start: driver.start(isModerated: choices.byte() & 1 != 0)
        case .doorbell, .shortDoorbell, .moderation: ring(operation)
        case .send: send()
        case .receive: driver.post(.receive, [0, control(), 0, 0] + piece(), units: unitCount())
        case .arm: driver.arm(choices.pick([.send, .receive]), UInt32(choices.byte()))
        case .frame: frame()
        case .takeFrames: driver.takeFrames()
        case .poll: _ = driver.poll()
        case .settle: driver.settle()
        case .wait: driver.clock.advance(nanoseconds: UInt64(choices.byte()) * 10_000)
        case .map: driver.memory.map(choices.below(DriverMemory.pageCount))
        case .unmap: driver.memory.unmap(choices.below(DriverMemory.pageCount))
        case .bus: driver.switchOn(UInt64(choices.pick([6, 2, 4, 0])))
        case .reset: driver.model.reset()
        case .store:
            let place = address()
            // What the device may not write, the driver does not: nobody could tell who it was.
            if place < DriverMemory.preciousPage - 3 { driver.store([choices.word()], place) }
        case .access: access()
        case .event: event()
        case .spoil: spoiling = choices.byte()
        }
    }

    private func establish() {
        var words = driver.setup
        let style = choices.byte()
        if style & 3 == 3 { words[choices.below(8)] = choices.word() }
        if style & 0x0C == 0x0C { words[choices.below(8)] ^= 1 << UInt32(choices.below(32)) }
        driver.establish(words)
        driver.settle()
    }

    /// A number that means something in some request.
    private func number() -> UInt64 {
        switch choices.below(12) {
        case 0: choices.longWord()
        case 1: choices.pick([.max, 0xFFFF_FFFF, 1 << 63, 0x1000, 0xFFF, 0x1_0000])
        case 2, 3, 4: driver.handles.isEmpty ? 0 : driver.handles[choices.below(driver.handles.count)]
        case 5: address()
        default: UInt64(choices.below(17))
        }
    }

    private func address() -> UInt64 {
        switch choices.below(16) {
        case 0: choices.longWord()
        case 1: DriverMemory.preciousPage
        default:
            DriverMemory.address(choices.below(DriverMemory.pageCount)) + UInt64(choices.below(2) * choices.below(256))
        }
    }

    private static let kinds: [RequestKind] = [
        .verifyVersion, .queryMaxResources, .listDevices, .registerDevice, .deregisterDevice, .generateTestEvent,
        .createQueue, .disableQueue, .allocateResourceRange, .destroyResourceRange, .createRegion, .addPages,
        .destroyRegion, .createProtectionDomain, .destroyProtectionDomain, .createMemoryRegistration,
        .destroyMemoryRegistration, .queryChannelTimeout, .allocateDeviceMemory, .destroyDeviceMemory,
        .queryDeviceConfiguration, .queryFunctionStatistics, .configurePortTransmit, .createWorkQueue,
        .destroyWorkQueue, .fenceReceiveQueue, .configurePortReceive, .queryPort, .queryLink, .setBandwidthClamp,
        .queryPhysicalStatistics, .registerFilter, .deregisterFilter, .registerHardwarePort, .deregisterHardwarePort,
    ]

    /// A request with a header that is right, or nearly so, and a body of dwords and quadwords that may mean something.
    private func request() {
        let kind = choices.byte() & 31 == 31 ? RequestKind(rawValue: choices.word()) : choices.pick(Self.kinds)
        var header = Message<AnyRequest>()
        header[.messageType] = kind.rawValue
        header[.expectedType] = kind.rawValue
        header[.version] = UInt16(choices.below(4))
        header[.expectedVersion] = UInt16(choices.below(4))
        header[.expectedBytes] = choices.pick([64, 4096, 32, 0, .max, 296, 500])
        let isChannels = choices.byte() & 7 == 7
        header[.device] = (isChannels ? AdapterDevice.channel : .network).raw
        var bytes = Array(header.bytes)
        for _ in 0..<choices.below(24) {
            let isLong = choices.byte() & 1 != 0
            let value = number()
            for byte in 0..<(isLong ? 8 : 4) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))) }
        }
        bytes += [UInt8](repeating: 0, count: choices.below(3) * 64)
        let count = UInt32(bytes.count)
        for byte in 0..<4 { bytes[12 + byte] = UInt8(truncatingIfNeeded: count >> UInt32(8 * byte)) }
        if choices.byte() & 15 == 15 { bytes[choices.below(40)] = choices.byte() }
        driver.ask(bytes)
    }

    // MARK: Rings

    private func control() -> UInt32 {
        switch choices.below(4) {
        case 0: choices.word()
        case 1: WorkRequestControl(pieceCount: choices.below(32), inlineBytes: choices.pick([8, 24])).raw
        case 2: WorkRequestControl(pieceCount: 1, inlineBytes: 24).raw
        default: WorkRequestControl(pieceCount: 1, inlineBytes: 8).raw
        }
    }

    private func piece() -> [UInt32] {
        HostileDriver.pieceWords(
            address(),
            choices.pick([0x55, 0x11, 0x55, 0]),
            choices.pick([60, 1514, 4096, 14, 0, .max, 40, 9014])
        )
    }

    private func unitCount() -> UInt32 { choices.pick([1, 1, 2, 4, 16, 128, 129, 0xFFFF]) }

    private func send() {
        let queue = driver.work[.send] ?? (1, 1, 0)
        var request = TransmitRequest(raw: choices.byte() & 3 == 0 ? choices.word() : 0)
        request[.completionQueue] = choices.byte() & 15 == 0 ? 9 : queue.completions
        let place = choices.byte() & 3 == 0 ? choices.word() : 0
        let control = control()
        var words = [choices.byte() & 1 == 0 ? 0 : UInt32(choices.byte()) << 24, control, request.raw, place]
        if WorkRequestControl(raw: control).inlineBytes > 8 {
            words += [choices.byte() & 1 == 0 ? 0 : choices.word(), 0, 0, 0]
        }
        for _ in 0..<min(WorkRequestControl(raw: control).pieceCount, 4) { words += piece() }
        driver.post(.send, words, units: unitCount())
    }

    private func ring(_ operation: Operation) {
        let kind = choices.pick(DoorbellKind.allCases)
        let page = choices.pick([1, 1, 0, 2, 15])
        let id = UInt32(choices.pick([1, 1, 0, 2, 3, 0xFFFF]))
        switch operation {
        case .doorbell:
            let tail = choices.byte() & 3 == 0 ? choices.word() : UInt32(choices.byte()) * 32
            driver.ring(kind, QueueDoorbell(id: id, tail: tail, isArmed: choices.byte() & 1 != 0).raw(kind), page: page)
        case .shortDoorbell:
            let raw = ShortDoorbell(id: id, increment: UInt32(choices.byte()), isArmed: choices.byte() & 1 != 0).raw
            let place = UInt64(0x1_0000 + page * 4096) + UInt64(kind.shortOffset ?? 0x10)
            driver.model.write(bar: 0, place, .doubleWord, UInt64(raw))
        default:
            let doorbell = ModerationDoorbell(
                completionQueue: id,
                microseconds: choices.byte() & 1 == 0 ? nil : UInt16(choices.byte()),
                completions: choices.byte() & 1 == 0 ? nil : choices.byte()
            )
            driver.ring(.moderation, doorbell.raw, page: page)
        }
    }

    // MARK: The world

    private func frame() {
        let station: [UInt8] = [0x02, 0x15, 0x5D, 0x00, 0xBA, 0x00]
        let destination = choices.byte() & 3 == 0 ? [UInt8](repeating: 0xFF, count: 6) : station
        var bytes = destination + [0x02, 0, 0, 0, 0, 1] + choices.data(60)
        bytes += [UInt8](repeating: 7, count: choices.pick([46, 0, 1000, 1450, 8900]))
        // SAFETY: bytes have no padding.
        _ = unsafe driver.wire.send(bytes.span.bytes, wireTime: driver.clock.now)
    }

    private func access() {
        let size = choices.pick(AccessSize.allCases)
        let bar = choices.pick([0, 0, 4, 2])
        let offset = choices.range([0, 8, 0x10, 0x18, 0x3100, 0x311C, 0x1_0000, 0x1_1000, 0x8000, 0x3F_FFFC])
        if choices.byte() & 1 == 0 {
            _ = driver.model.read(bar: bar, offset, size)
        } else {
            driver.model.write(bar: bar, offset, size, choices.longWord())
        }
    }

    private func event() {
        switch choices.below(5) {
        case 0: driver.model.setLink(up: choices.byte() & 1 != 0)
        case 1: driver.model.requestReset()
        case 2: driver.model.announceReconfiguration()
        case 3: driver.model.announceRequestTimeout(milliseconds: choices.word())
        default: driver.model.announceService(.suspendRDMA)
        }
    }
}
