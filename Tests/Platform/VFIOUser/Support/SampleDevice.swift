// The smallest PCI function that has one of everything: registers, a doorbell, a BAR of plain memory, vectors, an interrupt
// pin, DMA on command. Tests of the server look at it from both sides.

import Backing
import Clock
import Glibc
import Memory
import PCIe

public final class SampleDevice: PCIeModel {
    /// Registers of BAR 0.
    public enum Offset {
        public static let scratch: UInt64 = 0x00
        /// Writing n fires vector n.
        public static let fire: UInt64 = 0x04
        /// Not zero: the interrupt line is asserted.
        public static let line: UInt64 = 0x08
        /// 64 bits: where DMA goes.
        public static let address: UInt64 = 0x10
        public static let value: UInt64 = 0x18
        /// Writing 1 reads the word at `address` into `value`, 2 writes it there; reads 1 if that was allowed.
        public static let transfer: UInt64 = 0x1C
        /// Writing 1 has the device fetch three descriptors at `address` from memory without a descriptor, and give them
        /// back, in polls of its own. Reads 1 while it is at it, 2 once it has them, 3 if it cannot have them.
        public static let remote: UInt64 = 0x24
        /// 64 bits, doorbell 0.
        public static let doorbell: UInt64 = 0x40
        public static let table: UInt64 = 0x800
        public static let pending: UInt64 = 0xC00
    }

    public static let vectors = 20
    public static let memoryBAR = 2
    /// The part of BAR 2 that may be mapped.
    public static let mappedArea: Range<UInt64> = 0x1000..<0x4000

    public let host: DeviceHost
    public let memory: SharedMemory
    public private(set) var resets = 0
    public private(set) var polls = 0
    private var config: ConfigSpace
    private var table = MSIXTable(count: vectors)
    private var words: [UInt64: UInt32] = [:]
    private var ring: RemoteRing?

    public init(clock: DeviceClock) {
        host = DeviceHost(clock: clock, vectorCount: Self.vectors, doorbellCount: 1)
        do {
            memory = try SharedMemory(byteCount: 0x4000, name: "sample BAR")
        } catch {
            preconditionFailure("\(error)")
        }
        config = Self.makeConfig()
    }

    private static func makeConfig() -> ConfigSpace {
        var config = ConfigSpace(
            PCIeIdentity(vendor: 0x1D0B, device: 1, classCode: 0xFF0000, revision: 1),
            baseAddressRegisters: bars,
            interruptPin: 1
        )
        config.addCapability(
            id: MSIXCapability.id,
            at: 0x40,
            body: [UInt8(vectors - 1), 0, 0x00, 0x08, 0, 0, 0x00, 0x0C, 0, 0],
            writable: [0, 0xC0]
        )
        return config
    }

    private static let bars = [
        BaseAddressRegister(index: 0, byteCount: 0x1000),
        BaseAddressRegister(index: memoryBAR, byteCount: 0x4000, is64Bit: true, isPrefetchable: true),
    ]

    public var identity: PCIeIdentity {
        PCIeIdentity(vendor: 0x1D0B, device: 1, classCode: 0xFF0000, revision: 1)
    }
    public var baseAddressRegisters: [BaseAddressRegister] { Self.bars }
    public var vectorCount: Int { Self.vectors }
    public var mappableBARs: [MappableBAR] {
        [
            MappableBAR(
                index: Self.memoryBAR,
                fileDescriptor: memory.fileDescriptor,
                fileOffset: 0,
                areas: [Self.mappedArea]
            )
        ]
    }

    public func poll() -> Bool {
        polls += 1
        guard words[Offset.remote] == 1 else { return false }
        if ring == nil { ring = RemoteRing(host.memory, iova: address, count: 4, head: 0) }
        let state = lookAtRing()
        words[Offset.remote] = state
        if state != 1 { ring = nil }
        return state != 1
    }

    private func lookAtRing() -> UInt32 {
        guard ring != nil, let tail = ring?.tail(3, head: 0), ring?.isBroken == false else { return 3 }
        guard tail == 3 else { return 1 }
        // SAFETY: the ring's copy, while there is one.
        words[Offset.value] = unsafe ring?.base.load(as: UInt32.self)
        ring?.endBurst(head: 3)
        return 2
    }

    private var address: UInt64 {
        UInt64(words[Offset.address] ?? 0) | UInt64(words[Offset.address + 4] ?? 0) << 32
    }

    public func readConfig(_ offset: UInt16, _ size: AccessSize) -> UInt64 { config.read(offset, size) }

    public func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt64) {
        config.write(offset, size, value)
        let control = config.read(0x42, .word)
        for vector in table.setFunctionMask(control & MSIXCapability.functionMask != 0) { host.raise(vector) }
    }

    private var isOn: Bool { config.read(ConfigSpace.Offset.command, .word) & ConfigSpace.memorySpaceEnable != 0 }

    public func read(bar: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64 {
        guard isOn else { return size.allOnes }
        if bar == Self.memoryBAR {
            guard offset + UInt64(size.rawValue) <= UInt64(memory.byteCount) else { return size.allOnes }
            // SAFETY: checked.
            return (0..<size.rawValue).reduce(0) { value, byte in
                let place = Int(offset) + byte
                return value | UInt64(unsafe memory.base.load(fromByteOffset: place, as: UInt8.self)) << (8 * byte)
            }
        }
        switch (bar, offset) {
        case (0, Offset.doorbell): return UInt64(host.doorbells.load(0))
        case (0, Offset.table..<Offset.pending): return UInt64(table.read(tableOffset: Int(offset - Offset.table)))
        case (0, Offset.pending...): return UInt64(table.read(pendingOffset: Int(offset - Offset.pending)))
        case (0, _): return UInt64(words[offset & ~3] ?? 0) >> (8 * (offset & 3)) & size.allOnes
        default: return size.allOnes
        }
    }

    public func write(bar: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64) {
        guard isOn else { return }
        if bar == Self.memoryBAR {
            guard offset + UInt64(size.rawValue) <= UInt64(memory.byteCount) else { return }
            for byte in 0..<size.rawValue {
                let piece = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
                unsafe memory.base.storeBytes(of: piece, toByteOffset: Int(offset) + byte, as: UInt8.self)
            }
            return
        }
        guard bar == 0, size == .doubleWord || size == .quadWord else { return }
        let word = UInt32(truncatingIfNeeded: value)
        switch offset {
        case Offset.fire:
            if table.fire(Int(word)) { host.raise(Int(word)) }
        case Offset.line: host.isInterruptLineAsserted = word != 0
        case Offset.transfer: words[offset] = transfer(word) ? 1 : 0
        case Offset.doorbell: host.doorbells.store(0, word)
        case Offset.table..<Offset.pending:
            if let vector = table.write(tableOffset: Int(offset - Offset.table), word) { host.raise(vector) }
        default:
            words[offset] = word
            if size == .quadWord { words[offset + 4] = UInt32(truncatingIfNeeded: value >> 32) }
        }
    }

    private func transfer(_ direction: UInt32) -> Bool {
        var value = words[Offset.value] ?? 0
        if direction == 2 {
            // SAFETY: a local for the time of the call.
            return unsafe withUnsafeBytes(of: &value) { unsafe host.memory.write(address, from: $0.bytes) }
        }
        let isAllowed = unsafe withUnsafeMutableBytes(of: &value) { bytes in
            var span = unsafe bytes.mutableBytes
            return host.memory.read(address, into: &span)
        }
        words[Offset.value] = value
        return isAllowed
    }

    public func reset() {
        resets += 1
        config = Self.makeConfig()
        table.reset()
        words = [:]
        ring = nil
        host.isInterruptLineAsserted = false
        host.doorbells.store(0, 0)
    }

    public func doorbellIndex(bar: Int, _ offset: UInt64) -> Int? {
        bar == 0 && offset == Offset.doorbell ? 0 : nil
    }
}
