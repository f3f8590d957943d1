// A PCI function that is one BAR of memory, for reads of many bytes: what they cost beyond the copy is the transport's.

import Backing
import Clock
import Memory
import PCIe

/// 1 MiB behind BAR 0, not offered for mapping.
@safe final class MemoryCard: PCIeModel {
    static let byteCount = 1 << 20
    let identity = PCIeIdentity(vendor: 0xDB00, device: 0x0002, classCode: 0x05_0000, revision: 1)
    let baseAddressRegisters = [BaseAddressRegister(index: 0, byteCount: UInt64(byteCount))]
    let vectorCount = 0
    let host: DeviceHost
    private var config: ConfigSpace
    private let memory: SharedMemory

    init(clock: DeviceClock) throws {
        host = DeviceHost(clock: clock, vectorCount: 0, doorbellCount: 0)
        config = ConfigSpace(identity, baseAddressRegisters: baseAddressRegisters)
        memory = try SharedMemory(byteCount: Self.byteCount, name: "memory card")
        // SAFETY: inside the memory.
        for index in 0..<Self.byteCount {
            unsafe memory.base.storeBytes(of: Self.byte(index), toByteOffset: index, as: UInt8.self)
        }
    }

    /// What the memory holds at `offset`.
    static func byte(_ offset: Int) -> UInt8 { UInt8(truncatingIfNeeded: offset &* 31 &+ offset >> 8) }

    func readConfig(_ offset: UInt16, _ size: AccessSize) -> UInt64 { config.read(offset, size) }
    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt64) { config.write(offset, size, value) }
    func doorbellIndex(bar: Int, _ offset: UInt64) -> Int? { nil }
    func poll() -> Bool { false }

    /// What it holds is the measurement's and survives.
    func reset() { config = ConfigSpace(identity, baseAddressRegisters: baseAddressRegisters) }

    @unsafe func memory(bar: Int, _ range: Range<UInt64>) -> UnsafeRawBufferPointer? {
        guard bar == 0, range.upperBound <= UInt64(Self.byteCount) else { return nil }
        // SAFETY: inside the memory, which is the card's.
        return unsafe UnsafeRawBufferPointer(start: memory.base + Int(range.lowerBound), count: range.count)
    }

    func read(bar: Int, _ offset: UInt64, into bytes: inout MutableRawSpan) {
        guard bar == 0, offset <= UInt64(Self.byteCount), bytes.byteCount <= Self.byteCount - Int(offset) else {
            return
        }
        let count = bytes.byteCount
        unsafe bytes.withUnsafeMutableBytes { room in
            // SAFETY: checked above; `room` is somebody else's memory.
            unsafe room.baseAddress?.copyMemory(from: memory.base + Int(offset), byteCount: count)
        }
    }

    func read(bar: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64 {
        guard bar == 0, offset <= UInt64(Self.byteCount - size.rawValue) else { return size.allOnes }
        return (0..<size.rawValue).reduce(0) { $0 | UInt64(Self.byte(Int(offset) + $1)) << UInt64(8 * $1) }
    }

    /// It is read only.
    func write(bar: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64) {}
}
