// The PCI function: configuration space, function level reset, accesses of any size to the BARs.
// PCI Express Base 5.0 §2.3.1.1, §6.6.2, §7.5.

import Backing
import Clock
import GraceHopperWire
import PCIe

extension GraceHopperModel {
    // MARK: Configuration space

    public func readConfig(_ offset: UInt16, _ size: AccessSize) -> UInt64 {
        let value = config.read(offset, size)
        guard let capability = cxlCapability else { return value }
        // The flags of CXL's size word come and go, so they are not in the image.
        let place = capability + CXLDeviceCapability.sizeLowOffset
        guard offset <= place, Int(place - offset) < size.rawValue,
            Int(offset) + size.rawValue <= ConfigSpace.byteCount
        else { return value }
        let now = host.clock.now
        var flags: UInt32 = 0
        if link.look(now: now) { flags |= CXLDeviceCapability.infoValid }
        if flags != 0, memoryTraining.look(now: now) { flags |= CXLDeviceCapability.active }
        return value | UInt64(flags) << UInt64(8 * (place - offset))
    }

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
    func applyConfig() {
        let command = config.read(ConfigSpace.Offset.command, .word)
        let isPowered = config.read(ConfigSpaceImage.powerManagementCapability + 4, .byte) & 3 == 0
        respondsToMemory = command & ConfigSpace.memorySpaceEnable != 0 && isPowered
        let isBusMaster = command & 0x4 != 0 && isPowered
        let control = config.read(ConfigSpaceImage.msixCapability + 2, .word)
        let maySend =
            isBusMaster && control & (MSIXCapability.enable | MSIXCapability.functionMask) == MSIXCapability.enable
        // A function that may not write memory, or has MSI-X off, keeps its messages as if it were masked.
        guard vectors.isFunctionMasked == maySend else { return }
        for vector in vectors.setFunctionMask(!maySend) { send(vector) }
    }

    /// Function level reset: registers and configuration space as after power-on; the memory keeps what it holds.
    public func reset() {
        counts.resets &+= 1
        config = ConfigSpaceImage.make(options).space
        vectors.reset()
        interrupts = InterruptTree()
        let now = host.clock.now
        link = ReadinessState(options.readiness.afterReset.link, now: now)
        memoryTraining = ReadinessState(options.readiness.afterReset.memoryTraining, now: now)
        applyConfig()
    }

    // MARK: BARs

    public func read(bar: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64 {
        guard respondsToMemory else {
            counts.disabledAccesses &+= 1
            return size.allOnes
        }
        guard bar != GraceHopper.apertureBAR else { return readAperture(offset, size) }
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

    /// Registers take whole words: narrower and unaligned writes are dropped.
    public func write(bar: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64) {
        guard respondsToMemory else {
            counts.disabledAccesses &+= 1
            return
        }
        guard bar != GraceHopper.apertureBAR else { return writeAperture(offset, size, value) }
        guard size.rawValue >= 4, offset % UInt64(size.rawValue) == 0 else {
            counts.oddWrites &+= 1
            return
        }
        writeWord(bar: bar, offset, UInt32(truncatingIfNeeded: value))
        if size == .quadWord { writeWord(bar: bar, offset + 4, UInt32(truncatingIfNeeded: value >> 32)) }
    }

    private func readWord(bar: Int, _ offset: UInt64) -> UInt32 {
        guard bar == GraceHopper.registerBAR, offset < GraceHopper.registerBARBytes,
            let value = readRegister(UInt32(offset))
        else {
            counts.unknownAccesses &+= 1
            return 0
        }
        return value
    }

    private func writeWord(bar: Int, _ offset: UInt64, _ value: UInt32) {
        guard bar == GraceHopper.registerBAR, offset < GraceHopper.registerBARBytes,
            writeRegister(UInt32(offset), value)
        else {
            counts.unknownAccesses &+= 1
            return
        }
    }
}
