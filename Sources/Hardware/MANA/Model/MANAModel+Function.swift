// The PCI function: configuration space, accesses of any size to the BARs, function level reset.
// PCI Express Base 5.0 §2.3.1.1, §6.6.2, §7.5. Linux mana_gd_ring_doorbell (gdma_main.c) for what is written where.

import Backing
import Clock
import MANAWire
import PCIe
import Registers

extension MANAModel {
    public func readConfig(_ offset: UInt16, _ size: AccessSize) -> UInt64 { config.read(offset, size) }

    public func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt64) {
        guard !startsFunctionReset(offset, size, value) else { return reset() }
        config.write(offset, size, value)
        applyConfig()
    }

    /// Bit 15 of device control (PCI Express Base 5.0 §7.5.3.4), in whatever access holds it.
    private func startsFunctionReset(_ offset: UInt16, _ size: AccessSize, _ value: UInt64) -> Bool {
        let place = ConfigSpaceImage.expressCapability + 9
        guard size != .quadWord, offset <= place, Int(place - offset) < size.rawValue else { return false }
        return value >> UInt64(8 * (place - offset)) & 0x80 != 0
    }

    /// What the command register, the power state and MSI-X's switches come to.
    private func applyConfig() {
        let command = config.read(ConfigSpace.Offset.command, .word)
        let isPowered = config.read(ConfigSpaceImage.powerManagementCapability + 4, .byte) & 3 == 0
        respondsToMemory = command & ConfigSpace.memorySpaceEnable != 0 && isPowered
        let wasBusMaster = isBusMaster
        isBusMaster = command & 0x4 != 0 && isPowered
        let control = config.read(ConfigSpaceImage.msixCapability + 2, .word)
        let maySend =
            isBusMaster && control & (MSIXCapability.enable | MSIXCapability.functionMask) == MSIXCapability.enable
        // A function that may not write memory, or has MSI-X off, keeps its messages as if it were masked.
        if vectors.isFunctionMasked == maySend {
            for vector in vectors.setFunctionMask(!maySend) { send(vector) }
        }
        guard isBusMaster, !wasBusMaster else { return }
        advance(host.clock.now)
        sendMessages()
    }

    /// Function level reset: all as after power-on, but the state of the cable.
    public func reset() {
        config = ConfigSpaceImage.make(options)
        vectors.reset()
        endChannel()
        while events.takeVector() != nil {}
        window.reset(options.faults.window)
        windowRequests = 0
        applyConfig()
    }

    // MARK: BARs

    public func read(bar: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64 {
        guard respondsToMemory else {
            counts.disabledAccesses &+= 1
            return size.allOnes
        }
        advance(host.clock.now)
        defer { sendMessages() }
        var value: UInt64 = 0
        var byte = 0
        while byte < size.rawValue {
            let (place, wraps) = offset.addingReportingOverflow(UInt64(byte))
            guard !wraps else { break }
            let skipped = Int(place % 4)
            let word = UInt64(readWord(bar: bar, place & ~3)) >> UInt64(8 * skipped)
            value |= word << UInt64(8 * byte)
            byte += 4 - skipped
        }
        return value & size.allOnes
    }

    private func readWord(bar: Int, _ offset: UInt64) -> UInt32 {
        switch bar {
        case ConfigSpaceImage.registerBAR where offset < options.layout.barBytes:
            if let index = windowIndex(offset) { return window.words[index] }
            if let word = registerWords[offset & ~7] { return UInt32(truncatingIfNeeded: word >> ((offset & 4) * 8)) }
        case ConfigSpaceImage.vectorBAR where offset < UInt64(vectors.tableByteCount):
            return vectors.read(tableOffset: Int(offset))
        case ConfigSpaceImage.vectorBAR where offset < UInt64(ConfigSpaceImage.vectorBARBytes):
            return vectors.read(pendingOffset: Int(offset) - ConfigSpaceImage.pendingOffset)
        default: break
        }
        counts.unknownAccesses &+= 1
        return 0
    }

    /// Which dword of the window is at `offset`, a multiple of 4.
    private func windowIndex(_ offset: UInt64) -> Int? {
        let place = offset &- options.layout.windowOffset
        return place < UInt64(MANA.windowBytes) ? Int(place / 4) : nil
    }

    public func write(bar: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64) {
        guard respondsToMemory else {
            counts.disabledAccesses &+= 1
            return
        }
        guard size.rawValue >= 4, offset % UInt64(size.rawValue) == 0 else {
            counts.oddWrites &+= 1
            return
        }
        let now = host.clock.now
        advance(now)
        if bar == ConfigSpaceImage.registerBAR, offset < options.layout.barBytes,
            offset >= options.layout.doorbellOffset
        {
            ring(offset - options.layout.doorbellOffset, size, value, now: now)
        } else {
            writeWord(bar: bar, offset, UInt32(truncatingIfNeeded: value), now: now)
            if size == .quadWord {
                writeWord(bar: bar, offset + 4, UInt32(truncatingIfNeeded: value >> 32), now: now)
            }
        }
        sendMessages()
    }

    private func writeWord(bar: Int, _ offset: UInt64, _ value: UInt32, now: UInt64) {
        switch bar {
        case ConfigSpaceImage.registerBAR:
            guard let index = windowIndex(offset) else { break }
            if window.write(index, value) { takeWindow(now) }
            return
        case ConfigSpaceImage.vectorBAR where offset < UInt64(vectors.tableByteCount):
            if let vector = vectors.write(tableOffset: Int(offset), value) { send(vector) }
            return
        default: break
        }
        counts.unknownAccesses &+= 1
    }

    // MARK: Doorbells

    /// A write to the doorbell pages, `offset` bytes into them.
    private func ring(_ offset: UInt64, _ size: AccessSize, _ value: UInt64, now: UInt64) {
        let pageBytes = UInt64(options.layout.doorbellPageBytes)
        let page = Int(truncatingIfNeeded: offset / pageBytes)
        let place = UInt32(truncatingIfNeeded: offset % pageBytes)
        if size == .quadWord, let kind = DoorbellKind(offset: place) {
            if kind == .moderation { return moderate(ModerationDoorbell(raw: value), page: page) }
            return ring(kind, QueueDoorbell(raw: value, kind), page: page, now: now)
        }
        guard size == .doubleWord, let kind = DoorbellKind(shortOffset: place) else {
            counts.oddWrites &+= 1
            return
        }
        ring(kind, ShortDoorbell(raw: UInt32(truncatingIfNeeded: value)), page: page)
    }

    /// The 32-bit form, which the channel's driver does not use.
    private func ring(_ kind: DoorbellKind, _ doorbell: ShortDoorbell, page: Int) {
        let id = Int(doorbell.id)
        guard isBusMaster || kind == .send || kind == .receive else {
            counts.disabledAccesses &+= 1
            return
        }
        guard page == adapter.doorbellPage, doorbell.id != HardwareChannel.id else {
            counts.strayDoorbells &+= 1
            return
        }
        switch kind {
        case .send: path.ring(send: id, movedBy: doorbell.increment)
        case .receive: path.ring(receive: id, movedBy: doorbell.increment)
        case .event where events.queues.contains(id):
            events.ring(id, movedBy: doorbell.increment, isArmed: doorbell.isArmed)
        case .completion:
            path.ring(completion: id, movedBy: doorbell.increment, isArmed: doorbell.isArmed, &events)
        case .moderation, .event: counts.strayDoorbells &+= 1
        }
    }

    private func ring(_ kind: DoorbellKind, _ doorbell: QueueDoorbell, page: Int, now: UInt64) {
        let id = Int(doorbell.id)
        // A queue has one page: the channel's, or the one that REGISTER_DEVICE gave.
        let isChannel = doorbell.id == HardwareChannel.id
        guard page == (isChannel ? HardwareChannel.doorbellPage : adapter.doorbellPage),
            !isChannel || channel != nil
        else {
            counts.strayDoorbells &+= 1
            return
        }
        // To arm a queue can mean to write an event, which needs the bus; requests wait for it.
        guard isBusMaster || kind == .send || kind == .receive else {
            counts.disabledAccesses &+= 1
            return
        }
        switch kind {
        case .send where isChannel:
            channel?.send.setTail(doorbell.tail)
            serveChannel(now)
        case .receive where isChannel:
            channel?.receive.setTail(doorbell.tail)
            serveChannel(now)
        case .completion where isChannel:
            if channel?.completions.ring(tail: doorbell.tail, isArmed: doorbell.isArmed) == true {
                events.push(.completion(of: HardwareChannel.id), to: Int(HardwareChannel.id))
            }
        case .send: path.ring(send: id, tail: doorbell.tail)
        case .receive: path.ring(receive: id, tail: doorbell.tail)
        case .completion: path.ring(completion: id, tail: doorbell.tail, isArmed: doorbell.isArmed, &events)
        case .event:
            guard events.queues.contains(id) else {
                counts.strayDoorbells &+= 1
                return
            }
            events.ring(id, tail: doorbell.tail, isArmed: doorbell.isArmed)
        case .moderation: counts.strayDoorbells &+= 1
        }
    }

    /// Known only to drivers that were told of it. It can mean to write an event, which needs the bus.
    private func moderate(_ doorbell: ModerationDoorbell, page: Int) {
        guard options.capabilities.contains(.dynamicModeration), page == adapter.doorbellPage else {
            counts.strayDoorbells &+= 1
            return
        }
        guard isBusMaster else {
            counts.disabledAccesses &+= 1
            return
        }
        path.moderate(
            completion: Int(doorbell.completionQueue),
            microseconds: doorbell.microseconds,
            completions: doorbell.completions.map { UInt16($0) },
            &events
        )
    }

    /// The one register per kind of queue names the queue in what is written: no word of memory can stand for it.
    public func doorbellIndex(bar: Int, _ offset: UInt64) -> Int? { nil }
}
