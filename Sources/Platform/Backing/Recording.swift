// A backing that writes down what the driver does, by register name: the means of trace tests.

import Interrupts
import Memory
import PCIe
import Registers
import Synchronization

/// Accesses in order. Shared by a `Recording` and all its views.
public final class RegisterTrace: Sendable {
    public enum Entry: Equatable, Sendable, CustomStringConvertible {
        case load(String, UInt32)
        case store(String, UInt32)
        case storeWide(String, UInt64)
        /// Accesses whose size is named: bytes.
        case loadSized(String, Int, UInt64)
        case storeSized(String, Int, UInt64)
        case mapDMA(Int)
        case unmapDMA(Int)
        case attachVector(Int, cpu: Int? = nil)
        case detachVector(Int)
        case reset

        public var description: String {
            switch self {
            case .load(let name, let value): "load \(name) -> 0x\(String(value, radix: 16))"
            case .store(let name, let value): "store \(name) <- 0x\(String(value, radix: 16))"
            case .storeWide(let name, let value): "store \(name) <- 0x\(String(value, radix: 16)) (64 bits)"
            case .loadSized(let name, let size, let value):
                "load \(name) -> 0x\(String(value, radix: 16)) (\(size) bytes)"
            case .storeSized(let name, let size, let value):
                "store \(name) <- 0x\(String(value, radix: 16)) (\(size) bytes)"
            case .mapDMA(let byteCount): "map \(byteCount) bytes for DMA"
            case .unmapDMA(let byteCount): "unmap \(byteCount) bytes"
            case .attachVector(let index, let cpu):
                cpu.map { "attach vector \(index) for CPU \($0)" } ?? "attach vector \(index)"
            case .detachVector(let index): "detach vector \(index)"
            case .reset: "function level reset"
            }
        }
    }

    private let log = Mutex<[Entry]>([])

    public init() {}

    public var entries: [Entry] { log.withLock { $0 } }

    public func clear() { log.withLock { $0.removeAll() } }

    /// The stores alone, as register name and value.
    public var stores: [(name: String, value: UInt32)] {
        entries.compactMap { if case .store(let name, let value) = $0 { (name, value) } else { nil } }
    }

    func append(_ entry: Entry) { log.withLock { $0.append(entry) } }
}

/// Passes everything to `base` and keeps a trace. It lends no doorbells, so that tail writes are seen too.
public struct Recording<Base: PCIeBacking>: PCIeBacking {
    private let base: Base
    private let map: RegisterMap
    public let trace: RegisterTrace

    /// - Parameters:
    ///   - base: what accesses are passed to.
    ///   - map: gives the names of the registers of BAR 0; those of other BARs are named by their offset.
    ///   - trace: where they are written down.
    public init(_ base: Base, map: RegisterMap, trace: RegisterTrace = RegisterTrace()) {
        self.base = base
        self.map = map
        self.trace = trace
    }

    public var name: String { base.name }
    public var identity: PCIeIdentity { base.identity }
    public var vectorCount: Int { base.vectorCount }
    public var canAddVectors: Bool { base.canAddVectors }

    public func readConfig(_ offset: UInt16, _ size: AccessSize) throws(DeviceError) -> UInt32 {
        try base.readConfig(offset, size)
    }

    public func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) throws(DeviceError) {
        try base.writeConfig(offset, size, value)
    }

    public func mapBAR(_ index: Int) throws(DeviceError) -> RecordingBAR<Base.BAR> {
        RecordingBAR(base: try base.mapBAR(index), index: index, map: map, trace: trace)
    }

    public func mapDMA(
        _ memory: borrowing SharedMemory,
        _ permissions: DMAPermissions
    ) throws(DeviceError) -> DMAMapping {
        let mapping = try base.mapDMA(memory, permissions)
        let (iova, byteCount) = (mapping.iova, mapping.byteCount)
        trace.append(.mapDMA(byteCount))
        let end = RecordedUnmapping(mapping, trace: trace)
        return DMAMapping(iova: iova, byteCount: byteCount, unmapper: end, mark: nil)
    }

    public func attachVector(_ index: Int, cpu: Int?) throws(DeviceError) -> InterruptLease {
        let lease = try base.attachVector(index, cpu: cpu)
        let cell = lease.cell
        trace.append(.attachVector(index, cpu: cpu))
        let end = RecordedDetachment(lease, trace: trace)
        return InterruptLease(index: index, cell: cell, detacher: end, mark: nil)
    }

    public func reset() throws(DeviceError) {
        trace.append(.reset)
        try base.reset()
    }
}

extension Recording: Sendable where Base: Sendable {}

/// Ends a mapping of the base and writes that down.
private final class RecordedUnmapping: DMAUnmapper {
    private let mapping: Mutex<DMAMapping?>
    private let trace: RegisterTrace

    init(_ mapping: consuming DMAMapping, trace: RegisterTrace) {
        self.mapping = Mutex(mapping)
        self.trace = trace
    }

    func unmapDMA(iova: UInt64, byteCount: Int) {
        trace.append(.unmapDMA(byteCount))
        mapping.withLock { $0 = nil }
    }
}

/// Ends a vector lease of the base and writes that down.
private final class RecordedDetachment: VectorDetacher {
    private let lease: Mutex<InterruptLease?>
    private let trace: RegisterTrace

    init(_ lease: consuming InterruptLease, trace: RegisterTrace) {
        self.lease = Mutex(lease)
        self.trace = trace
    }

    func detachVector(_ index: Int) {
        trace.append(.detachVector(index))
        lease.withLock { $0 = nil }
    }
}

/// A view that writes down its loads and stores.
public struct RecordingBAR<Base: RegisterAccess>: RegisterAccess {
    let base: Base
    let index: Int
    let map: RegisterMap
    let trace: RegisterTrace

    public func load(_ offset: UInt32) -> UInt32 {
        let value = base.load(offset)
        trace.append(.load(name(at: offset), value))
        return value
    }

    public func store(_ offset: UInt32, _ value: UInt32) {
        trace.append(.store(name(at: offset), value))
        base.store(offset, value)
    }

    public func storeWide(_ offset: UInt32, _ value: UInt64) {
        trace.append(.storeWide(name(at: offset), value))
        base.storeWide(offset, value)
    }

    public func load(_ offset: UInt64, byteCount: Int) -> UInt64 {
        let value = base.load(offset, byteCount: byteCount)
        trace.append(.loadSized(name(at: offset), byteCount, value))
        return value
    }

    public func store(_ offset: UInt64, byteCount: Int, _ value: UInt64) {
        trace.append(.storeSized(name(at: offset), byteCount, value))
        base.store(offset, byteCount: byteCount, value)
    }

    private func name(at offset: UInt32) -> String { name(at: UInt64(offset)) }

    private func name(at offset: UInt64) -> String {
        guard index == 0, let register = UInt32(exactly: offset) else {
            return "BAR \(index) 0x" + String(offset, radix: 16, uppercase: true)
        }
        return map.name(at: register)
    }

    public func together<Result>(_ body: () -> Result) -> Result { base.together(body) }

    public func doorbell(at offset: UInt32) -> DoorbellRegister? { nil }
}
