// A small but whole PCI function to test backings with: a few registers, one doorbell, a DMA engine that copies memory,
// two MSI-X vectors. It is written to its own contract (the comments at the registers), not to a backing.

import Backing
import Clock
import Memory
import PCIe
import Registers

final class ScratchDevice: PCIeModel {
    static let registerBytes = 4096
    static let tableBAR = 2
    static let pendingBitsOffset: UInt64 = 0x800
    static let msixOffset: UInt16 = 0x70
    /// Vector 0 tells of a copy made, vector 1 of one refused.
    let vectorCount = 2
    let identity = PCIeIdentity(vendor: 0xDB00, device: 0x0001, classCode: 0xFF_0000, revision: 1)
    let baseAddressRegisters = [
        BaseAddressRegister(index: 0, byteCount: UInt64(registerBytes)),
        BaseAddressRegister(index: tableBAR, byteCount: 4096, is64Bit: true),
    ]
    let host: DeviceHost

    private var config: ConfigSpace
    private var registers: RegisterFile
    private var msix: MSIXTable
    /// Copies made or refused, free running as TAIL is.
    private var done: UInt32 = 0
    /// When the copy in progress ends.
    private var dueAt: UInt64?
    /// Accesses that no register understands: odd sizes and places, BARs that are not there.
    private(set) var badAccesses = 0
    private(set) var wideWrites = 0
    private(set) var resets = 0

    init(clock: DeviceClock) throws(RegisterMap.Problem) {
        host = DeviceHost(clock: clock, vectorCount: vectorCount, doorbellCount: 1)
        config = Self.powerOnConfig(identity, baseAddressRegisters, vectorCount: vectorCount)
        registers = RegisterFile(try ScratchRegister.map())
        msix = MSIXTable(count: vectorCount)
    }

    private static func powerOnConfig(
        _ identity: PCIeIdentity,
        _ registers: [BaseAddressRegister],
        vectorCount: Int
    ) -> ConfigSpace {
        var config = ConfigSpace(identity, baseAddressRegisters: registers)
        let size = UInt8(vectorCount - 1)
        let bar = UInt8(tableBAR)
        config.addCapability(
            id: MSIXCapability.id,
            at: msixOffset,
            body: [size, 0, bar, 0, 0, 0, bar, UInt8(pendingBitsOffset >> 8), 0, 0],
            writable: [0, 0xC0]
        )
        return config
    }

    // MARK: Configuration space

    func readConfig(_ offset: UInt16, _ size: AccessSize) -> UInt64 { config.read(offset, size) }

    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt64) {
        config.write(offset, size, value)
        let control = config.read(Self.msixOffset + 2, .word)
        for vector in msix.setFunctionMask(control & MSIXCapability.functionMask != 0) { host.raise(vector) }
    }

    /// Bits 1 and 2 of the command register (PCI Local Bus 3.0 §6.2.2).
    private var answersMemory: Bool { config.read(ConfigSpace.Offset.command, .word) & 2 != 0 }
    private var isBusMaster: Bool { config.read(ConfigSpace.Offset.command, .word) & 4 != 0 }

    // MARK: BARs

    func read(bar: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64 {
        guard answersMemory else { return size.allOnes }
        guard size == .doubleWord, offset % 4 == 0, let place = Int(exactly: offset), place < 4096 else {
            badAccesses += 1
            return 0
        }
        switch bar {
        case 0: return UInt64(registers.driverRead(UInt32(place)))
        case Self.tableBAR where offset >= Self.pendingBitsOffset:
            return UInt64(msix.read(pendingOffset: place - Int(Self.pendingBitsOffset)))
        case Self.tableBAR: return UInt64(msix.read(tableOffset: place))
        default:
            badAccesses += 1
            return 0
        }
    }

    func write(bar: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64) {
        guard answersMemory else { return }
        if size == .quadWord, offset % 8 == 0 {
            wideWrites += 1
            write(bar: bar, offset, .doubleWord, value & 0xFFFF_FFFF)
            return write(bar: bar, offset + 4, .doubleWord, value >> 32)
        }
        guard size == .doubleWord, offset % 4 == 0, let place = Int(exactly: offset), place < 4096 else {
            badAccesses += 1
            return
        }
        let word = UInt32(truncatingIfNeeded: value)
        switch bar {
        case 0: writeRegister(UInt32(place), word)
        case Self.tableBAR:
            if let vector = msix.write(tableOffset: place, word) { host.raise(vector) }
        default: badAccesses += 1
        }
    }

    private func writeRegister(_ offset: UInt32, _ value: UInt32) {
        registers.driverWrite(offset, value)
        switch offset {
        case ScratchRegister.tail.offset: host.doorbells.store(0, value)
        case ScratchRegister.control.offset where !isEnabled:
            // Synchronous: no copy is under way when the write returns.
            dueAt = nil
        default: break
        }
    }

    func doorbellIndex(bar: Int, _ offset: UInt64) -> Int? {
        bar == 0 && offset == UInt64(ScratchRegister.tail.offset) ? 0 : nil
    }

    func reset() {
        resets += 1
        config = Self.powerOnConfig(identity, baseAddressRegisters, vectorCount: vectorCount)
        registers.reset()
        msix.reset()
        host.doorbells.store(0, 0)
        done = 0
        dueAt = nil
    }

    // MARK: The engine

    private var isEnabled: Bool { registers[ScratchRegister.control][ScratchControl.enable] }

    var nextDeadline: UInt64? { dueAt }

    /// One copy per poll: it starts with the doorbell and ends LATENCY later.
    func poll() -> Bool {
        guard isEnabled, isBusMaster, host.doorbells.load(0) != done else { return false }
        let now = host.clock.now
        let due = dueAt ?? now &+ UInt64(registers[ScratchRegister.latency].raw)
        dueAt = due
        guard now >= due else { return false }
        dueAt = nil
        done &+= 1
        finish(copied: copy())
        return true
    }

    private func copy() -> Bool {
        let source = address(ScratchRegister.source)
        let destination = address(ScratchRegister.destination)
        var staging = [UInt8](repeating: 0, count: Int(registers[ScratchRegister.length].raw))
        var span = staging.mutableSpan
        // SAFETY: UInt8 has no padding and no invalid bit pattern, so its spans may be seen as raw bytes.
        var bytes = unsafe span.mutableBytes
        guard host.memory.read(source, into: &bytes) else { return false }
        return unsafe host.memory.write(destination, from: staging.span.bytes)
    }

    private func address(_ words: RegisterArray<PlainWord>) -> UInt64 {
        UInt64(registers[words[0]].raw) | UInt64(registers[words[1]].raw) << 32
    }

    private func finish(copied: Bool) {
        if copied { registers[ScratchRegister.copies].raw &+= 1 }
        registers[ScratchRegister.cause][copied ? ScratchCause.copied : ScratchCause.refused] = true
        let vector = copied ? 0 : 1
        if msix.fire(vector) { host.raise(vector) }
    }
}
