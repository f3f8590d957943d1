// The PCI function: configuration space, accesses of any size to the BARs, function level reset, doorbells.
// PCI Express Base 5.0 §2.3.1.1, §6.6.2, §7.5.

import Backing
import Clock
import I225Wire
import PCIe
import Registers

extension I225Model {
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
        isBusMaster = command & 0x4 != 0 && isPowered
        let control = config.read(ConfigSpaceImage.msixCapability + 2, .word)
        let isUnmasked = control & (MSIXCapability.enable | MSIXCapability.functionMask) == MSIXCapability.enable
        let couldSend = maySendMessages
        maySendMessages = isBusMaster && isUnmasked
        guard maySendMessages, !couldSend else { return }
        var rest = messages.release()
        while rest != 0 {
            host.raise(rest.trailingZeroBitCount)
            rest &= rest &- 1
        }
    }

    /// Function level reset: all as after power-on, but the NVM's contents and the state of the cable.
    public func reset() {
        let now = host.clock.now
        config = ConfigSpaceImage.make(options)
        messages.reset()
        registers.reset()
        phy.setReset(true, now: now)
        resetDevice(now)
        applyConfig()
    }

    // MARK: BARs

    /// Reads are served from the words that hold the bytes; each is read once, with all effects that it has.
    public func read(bar: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64 {
        guard respondsToMemory else {
            disabledAccesses &+= 1
            return size.allOnes
        }
        let now = host.clock.now
        advance(now)
        defer { sendMessages(now) }
        var value: UInt64 = 0
        var byte = 0
        while byte < size.rawValue {
            let (place, wraps) = offset.addingReportingOverflow(UInt64(byte))
            guard !wraps else { break }
            let skipped = Int(place % 4)
            let word = UInt64(readWord(bar: bar, place & ~3, now: now)) >> UInt64(8 * skipped)
            value |= word << UInt64(8 * byte)
            byte += 4 - skipped
        }
        return value & size.allOnes
    }

    /// Registers take whole words: narrower and unaligned writes are dropped.
    public func write(bar: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64) {
        guard respondsToMemory else {
            disabledAccesses &+= 1
            return
        }
        guard offset % 4 == 0, size == .doubleWord || size == .quadWord else {
            oddWrites &+= 1
            return
        }
        let now = host.clock.now
        advance(now)
        writeWord(bar: bar, offset, UInt32(truncatingIfNeeded: value), now: now)
        if size == .quadWord, offset < UInt64.max - 4 {
            writeWord(bar: bar, offset + 4, UInt32(truncatingIfNeeded: value >> 32), now: now)
        }
        advance(now)
        sendMessages(now)
    }

    private func readWord(bar: Int, _ offset: UInt64, now: UInt64) -> UInt32 {
        switch bar {
        case 0 where offset < I225RegisterMap.byteCount: return readRegister(UInt32(offset), now: now)
        case I225.msixBAR where offset < I225.msixBARBytes: return messages.read(Int(offset))
        default:
            outsideAccesses &+= 1
            return 0
        }
    }

    private func writeWord(bar: Int, _ offset: UInt64, _ value: UInt32, now: UInt64) {
        switch bar {
        case 0 where offset < I225RegisterMap.byteCount: writeRegister(UInt32(offset), value, now: now)
        case I225.msixBAR where offset < I225.msixBARBytes:
            guard let vector = messages.write(Int(offset), value) else { return }
            if messages.fire(vector, functionMaySend: maySendMessages) { host.raise(vector) }
        default: outsideAccesses &+= 1
        }
    }

    /// The tails of all queues are doorbells.
    public func doorbellIndex(bar: Int, _ offset: UInt64) -> Int? {
        guard bar == 0, offset < I225RegisterMap.byteCount, offset % 4 == 0 else { return nil }
        switch behaviours[Int(offset / 4)] {
        case .transmitTail: return Doorbell.transmit(UInt32(offset))
        case .receiveTail: return Doorbell.receive(UInt32(offset))
        default: return nil
        }
    }
}
