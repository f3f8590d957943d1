// The device's side of a PCI function: the mirror image of `PCIeBacking`. A vfio-user server, the in-process backing
// and a test all drive a model through exactly this.

import Clock
import PCIe

/// A virtual PCI function.
///
/// All that comes in is hostile: an access of any size, offset and value has an answer, and a counter where it was
/// wrong. All methods are called on the model's owner thread. A model makes progress only when it is accessed or
/// polled; it takes time from its host's clock alone.
public protocol PCIeModel: Pollable {
    var identity: PCIeIdentity { get }
    var baseAddressRegisters: [BaseAddressRegister] { get }
    var vectorCount: Int { get }
    var host: DeviceHost { get }

    func readConfig(_ offset: UInt16, _ size: AccessSize) -> UInt64
    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt64)
    func read(bar: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64
    /// When it returns the device has acted on the write: DMA that it stops has stopped.
    func write(bar: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64)
    /// Reads any number of bytes, as a host does that copies a stretch of a BAR.
    func read(bar: Int, _ offset: UInt64, into bytes: inout MutableRawSpan)
    /// Writes any number of bytes.
    func write(bar: Int, _ offset: UInt64, from bytes: RawSpan)
    /// Function level reset: all state to power-on, DMA stopped.
    func reset()

    /// The parts of the BARs that are plain memory, which a host may map instead of asking. Reads and writes of them
    /// work as well, and do the same. It does not change.
    var mappableBARs: [MappableBAR] { get }

    /// The memory that a read of these bytes of a BAR copies, for a host that can pass it on from there; nil: they have to
    /// be read. It stays where it is as long as the model.
    @unsafe func memory(bar: Int, _ range: Range<UInt64>) -> UnsafeRawBufferPointer?

    /// The memory that a write of these bytes of a BAR goes to, for a host that can put it there itself; nil: they have to
    /// be written. As `memory` in all else.
    @unsafe func writableMemory(bar: Int, _ range: Range<UInt64>) -> UnsafeMutableRawBufferPointer?

    /// The doorbell that the register at `offset` is, if it is one: its number in `host.doorbells`.
    func doorbellIndex(bar: Int, _ offset: UInt64) -> Int?
}

/// The memory behind parts of a BAR.
public struct MappableBAR: Sendable, Equatable {
    public let index: Int
    /// The file that holds it, open as long as the model, and where in the file the BAR's byte 0 is (or would be).
    public let fileDescriptor: Int32
    public let fileOffset: UInt64
    /// What is memory: offsets into the BAR, whole pages, ascending.
    public let areas: [Range<UInt64>]

    public init(index: Int, fileDescriptor: Int32, fileOffset: UInt64, areas: [Range<UInt64>]) {
        self.index = index
        self.fileDescriptor = fileDescriptor
        self.fileOffset = fileOffset
        self.areas = areas
    }
}

extension PCIeModel {
    public var mappableBARs: [MappableBAR] { [] }
    @unsafe public func memory(bar: Int, _ range: Range<UInt64>) -> UnsafeRawBufferPointer? { nil }
    @unsafe public func writableMemory(bar: Int, _ range: Range<UInt64>) -> UnsafeMutableRawBufferPointer? { nil }

    public func read(bar: Int, _ offset: UInt64, into bytes: inout MutableRawSpan) {
        readPieces(bar: bar, offset, into: &bytes)
    }

    public func write(bar: Int, _ offset: UInt64, from bytes: RawSpan) {
        writePieces(bar: bar, offset, from: bytes)
    }

    /// Reads by the widest aligned accesses, for a model whose other BARs are copied in one go.
    public func readPieces(bar: Int, _ offset: UInt64, into bytes: inout MutableRawSpan) {
        var done = 0
        while done < bytes.byteCount {
            let size = AccessSize.largest(at: offset &+ UInt64(done), remaining: bytes.byteCount - done)
            let value = read(bar: bar, offset &+ UInt64(done), size)
            for byte in 0..<size.rawValue {
                bytes.storeBytes(
                    of: UInt8(truncatingIfNeeded: value >> UInt64(8 * byte)),
                    toByteOffset: done + byte,
                    as: UInt8.self
                )
            }
            done += size.rawValue
        }
    }

    /// Writes by the widest aligned accesses.
    public func writePieces(bar: Int, _ offset: UInt64, from bytes: RawSpan) {
        var done = 0
        while done < bytes.byteCount {
            let size = AccessSize.largest(at: offset &+ UInt64(done), remaining: bytes.byteCount - done)
            var value: UInt64 = 0
            for byte in 0..<size.rawValue {
                // SAFETY: any byte is a valid UInt8, and the span checks the offset.
                let piece = unsafe bytes.unsafeLoad(fromByteOffset: done + byte, as: UInt8.self)
                value |= UInt64(piece) << UInt64(8 * byte)
            }
            write(bar: bar, offset &+ UInt64(done), size, value)
            done += size.rawValue
        }
    }

    /// What firmware and an OS do before a driver runs: addresses into the BARs, memory space on.
    public func assignBARs() {
        var address: UInt64 = 0xE000_0000
        for register in baseAddressRegisters {
            let offset = ConfigSpace.Offset.baseAddressRegisters + UInt16(register.index) * 4
            address = (address + register.byteCount - 1) & ~(register.byteCount - 1)
            writeConfig(offset, .doubleWord, address & 0xFFFF_FFFF)
            if register.is64Bit { writeConfig(offset + 4, .doubleWord, address >> 32) }
            address += register.byteCount
        }
        let command = readConfig(ConfigSpace.Offset.command, .word)
        writeConfig(ConfigSpace.Offset.command, .word, command | ConfigSpace.memorySpaceEnable)
    }

    /// Masks or unmasks entries of the MSI-X table, for a host that routes the vectors itself: as an OS does with a
    /// message of its own (PCI Express Base 5.0 §7.7.2). The function's memory space must be on.
    public func setVectors(_ indices: some Sequence<Int>, masked: Bool) {
        guard let capability = ConfigSpace.findCapability(MSIXCapability.id, read: readConfig) else { return }
        let table = readConfig(capability + 4, .doubleWord)
        let bar = Int(table & 7)
        for index in indices {
            let entry = (table & ~7) + UInt64(index) * 16
            write(bar: bar, entry, .doubleWord, 0xFEE0_0000)
            write(bar: bar, entry + 4, .doubleWord, 0)
            write(bar: bar, entry + 8, .doubleWord, UInt64(index))
            write(bar: bar, entry + 12, .doubleWord, masked ? 1 : 0)
        }
    }
}

extension PCIeModel {
    public var wakeDescriptors: [Int32] { [host.doorbells.wakeDescriptor] }
    public func setSleeping(_ sleeping: Bool) { host.doorbells.setSleeping(sleeping) }
}
