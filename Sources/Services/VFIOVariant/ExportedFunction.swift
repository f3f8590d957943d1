// A VFIO device as a vfio-user server hosts it: what a VM gets. Source of truth: the vfio-user protocol specification for
// what the client may do; `VFIODevice` for what the device answers.
//
//   QEMU ─ socket ─ VFIOUserServer ─ ExportedFunction ─ VFIODevice ─ PassThrough ─ backing ─ function
//
// A read that fails gives all ones and a write that fails is dropped, as on PCIe; a counter tells.

import Backing
import Clock
import Glibc
import Memory
import PCIe

/// Any VFIO device as a virtual function, open as long as this lives. It belongs to its server's thread, and so does the
/// function underneath.
public final class ExportedFunction<Device: VFIODevice>: PCIeModel {
    public let device: Device
    /// Of the function underneath: its vectors go to the client, its DMA to the client's memory.
    public let host: DeviceHost
    public let baseAddressRegisters: [BaseAddressRegister]
    public let mappableBARs: [MappableBAR]
    public private(set) var counters = ExportCounters()
    private let underneath: any Pollable
    /// The memory of regions that were read in long runs.
    private var lent: [Int: LentMemory] = [:]

    /// Opens the device, and exports it.
    ///
    /// - Parameters:
    ///   - host: the host of the function that the device is over.
    ///   - underneath: what has to be polled so that the function makes progress.
    public init(_ device: Device, host: DeviceHost, polling underneath: any Pollable) throws(VFIOError) {
        try device.open()
        self.device = device
        self.host = host
        self.underneath = underneath
        do throws(VFIOError) {
            (baseAddressRegisters, mappableBARs) = try Self.bars(of: device)
        } catch {
            device.close()
            throw error
        }
    }

    /// Exports a device that is over a model in this process.
    public convenience init(_ device: Device, over model: some PCIeModel) throws(VFIOError) {
        try self.init(device, host: model.host, polling: model)
    }

    deinit { device.close() }

    private static func bars(
        of device: Device
    ) throws(VFIOError) -> ([BaseAddressRegister], [MappableBAR]) {
        var registers: [BaseAddressRegister] = []
        var mappable: [MappableBAR] = []
        for index in 0..<VFIORegion.rom {
            let region = try device.region(index)
            guard region.byteCount > 0 else { continue }
            guard region.byteCount >= 16, region.byteCount.nonzeroBitCount == 1 else {
                throw VFIOError(
                    EINVAL,
                    "region \(index) of \(region.byteCount) bytes, expected a power of two for a BAR"
                )
            }
            registers.append(
                BaseAddressRegister(
                    index: index,
                    byteCount: region.byteCount,
                    is64Bit: region.is64Bit,
                    isPrefetchable: region.isPrefetchable
                )
            )
            guard let memory = region.memory, !memory.areas.isEmpty else { continue }
            mappable.append(
                MappableBAR(
                    index: index,
                    fileDescriptor: memory.fileDescriptor,
                    fileOffset: memory.fileOffset,
                    areas: memory.areas
                )
            )
        }
        return (registers, mappable)
    }

    public var identity: PCIeIdentity { device.identity }
    public var vectorCount: Int { device.vectorCount }

    // MARK: Progress

    public func poll() -> Bool { underneath.poll() }
    public var nextDeadline: UInt64? { underneath.nextDeadline }
    public var wakeDescriptors: [Int32] { underneath.wakeDescriptors }
    public func setSleeping(_ sleeping: Bool) { underneath.setSleeping(sleeping) }

    // MARK: Accesses

    public func readConfig(_ offset: UInt16, _ size: AccessSize) -> UInt64 {
        load(VFIORegion.config, UInt64(offset), size)
    }

    public func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt64) {
        store(VFIORegion.config, UInt64(offset), size, value)
    }

    public func read(bar: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64 { load(bar, offset, size) }

    public func write(bar: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64) {
        store(bar, offset, size, value)
    }

    private func load(_ region: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64 {
        var bytes = InlineArray<8, UInt8>(repeating: 0xFF)
        var span = bytes.mutableSpan
        // SAFETY: UInt8 has no padding and no invalid bit pattern, so its spans may be seen as raw bytes.
        var whole = unsafe span.mutableBytes
        var raw = whole._mutatingExtracting(first: size.rawValue)
        read(bar: region, offset, into: &raw)
        return raw.bytes.value(size, at: 0)
    }

    private func store(_ region: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64) {
        var bytes = InlineArray<8, UInt8>(repeating: 0)
        var span = bytes.mutableSpan
        // SAFETY: as above.
        var whole = unsafe span.mutableBytes
        var raw = whole._mutatingExtracting(first: size.rawValue)
        raw.store(value, size, at: 0)
        write(bar: region, offset, from: raw.bytes)
    }

    /// Bytes that the device did not give are all ones.
    public func read(bar: Int, _ offset: UInt64, into bytes: inout MutableRawSpan) {
        var done = 0
        do throws(VFIOError) {
            done = try device.read(region: bar, at: offset, into: &bytes)
        } catch {
            counters.count(read: error)
        }
        guard done < bytes.byteCount else { return }
        if done > 0 { counters.shortReads &+= 1 }
        var rest = bytes._mutatingExtracting(last: bytes.byteCount - max(done, 0))
        _ = unsafe rest.withUnsafeMutableBytes { unsafe $0.initializeMemory(as: UInt8.self, repeating: 0xFF) }
    }

    public func write(bar: Int, _ offset: UInt64, from bytes: RawSpan) {
        do throws(VFIOError) {
            if try device.write(region: bar, at: offset, from: bytes) < bytes.byteCount { counters.shortWrites &+= 1 }
        } catch {
            counters.count(write: error)
        }
    }

    /// A doorbell is a register like any other here: the device sees every write.
    public func doorbellIndex(bar: Int, _ offset: UInt64) -> Int? { nil }

    public func reset() {
        do throws(VFIOError) { try device.reset() } catch { counters.count(reset: error) }
    }

    // MARK: Memory

    /// SAFETY: the mapping stays until deinit.
    @unsafe public func memory(bar: Int, _ range: Range<UInt64>) -> UnsafeRawBufferPointer? {
        unsafe writableMemory(bar: bar, range).map { UnsafeRawBufferPointer($0) }
    }

    /// SAFETY: as above. A region whose memory can be mapped can be written.
    @unsafe public func writableMemory(bar: Int, _ range: Range<UInt64>) -> UnsafeMutableRawBufferPointer? {
        guard let area = area(bar, of: range), answers(bar, at: range.lowerBound) else { return nil }
        if lent[bar]?.range != area {
            do throws(VFIOError) {
                lent[bar] = LentMemory(range: area, mapping: try device.map(region: bar, area))
            } catch {
                counters.count(read: error)
                return nil
            }
        }
        return unsafe lent[bar]?.bytes(range)
    }

    /// The area of a BAR's memory that all of `range` is in.
    private func area(_ bar: Int, of range: Range<UInt64>) -> Range<UInt64>? {
        guard let memory = mappableBARs.first(where: { $0.index == bar }) else { return nil }
        return memory.areas.first { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }
    }

    /// A device that does not answer just now, for one that has been reset, is not passed by.
    private func answers(_ bar: Int, at offset: UInt64) -> Bool {
        var byte = InlineArray<1, UInt8>(repeating: 0)
        var span = byte.mutableSpan
        // SAFETY: as in `load`.
        var raw = unsafe span.mutableBytes
        return (try? device.read(region: bar, at: offset, into: &raw)) == 1
    }
}

/// What a device did not do for its client.
public struct ExportCounters: Sendable, Equatable {
    /// Reads that the device refused, and that it cut short: the client got ones.
    public private(set) var failedReads: UInt64 = 0
    public internal(set) var shortReads: UInt64 = 0
    /// Writes that the device refused, and that it cut short: they were dropped.
    public private(set) var failedWrites: UInt64 = 0
    public internal(set) var shortWrites: UInt64 = 0
    public private(set) var failedResets: UInt64 = 0
    public private(set) var lastError: VFIOError?

    public init() {}

    mutating func count(read error: VFIOError) {
        failedReads &+= 1
        lastError = error
    }

    mutating func count(write error: VFIOError) {
        failedWrites &+= 1
        lastError = error
    }

    mutating func count(reset error: VFIOError) {
        failedResets &+= 1
        lastError = error
    }
}

/// Memory of a region, mapped here.
@safe private final class LentMemory {
    let range: Range<UInt64>
    private let mapping: RegionMapping

    init(range: Range<UInt64>, mapping: consuming RegionMapping) {
        self.range = range
        self.mapping = mapping
    }

    /// SAFETY: `part` is inside `range`; good as long as this object.
    @unsafe func bytes(_ part: Range<UInt64>) -> UnsafeMutableRawBufferPointer {
        let start = unsafe mapping.base + Int(part.lowerBound - range.lowerBound)
        return unsafe UnsafeMutableRawBufferPointer(start: start, count: part.count)
    }
}
