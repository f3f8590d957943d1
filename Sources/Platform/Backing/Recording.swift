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
        case mapDMA(Int)
        case unmapDMA
        case attachVector(Int)
        case detachVector(Int)
        case reset

        public var description: String {
            switch self {
            case .load(let name, let value): "load \(name) -> 0x\(String(value, radix: 16))"
            case .store(let name, let value): "store \(name) <- 0x\(String(value, radix: 16))"
            case .mapDMA(let byteCount): "map \(byteCount) bytes for DMA"
            case .unmapDMA: "unmap DMA"
            case .attachVector(let index): "attach vector \(index)"
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

    /// - Parameter map: gives the names of the registers of BAR 0.
    public init(_ base: Base, map: RegisterMap, trace: RegisterTrace = RegisterTrace()) {
        self.base = base
        self.map = map
        self.trace = trace
    }

    public var name: String { base.name }
    public var identity: PCIeIdentity { base.identity }
    public var vectorCount: Int { base.vectorCount }

    public func readConfig(_ offset: UInt16, _ size: AccessSize) throws(DeviceError) -> UInt32 {
        try base.readConfig(offset, size)
    }

    public func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) throws(DeviceError) {
        try base.writeConfig(offset, size, value)
    }

    public func mapBAR(_ index: Int) throws(DeviceError) -> RecordingBAR<Base.BAR> {
        RecordingBAR(base: try base.mapBAR(index), map: map, trace: trace)
    }

    public func mapDMA(
        _ memory: borrowing SharedMemory,
        _ permissions: DMAPermissions
    ) throws(DeviceError) -> DMAMapping {
        let mapping = try base.mapDMA(memory, permissions)
        trace.append(.mapDMA(memory.byteCount))
        return mapping
    }

    public func attachVector(_ index: Int, cpu: Int?) throws(DeviceError) -> InterruptLease {
        let lease = try base.attachVector(index, cpu: cpu)
        trace.append(.attachVector(index))
        return lease
    }

    public func reset() throws(DeviceError) {
        trace.append(.reset)
        try base.reset()
    }
}

/// A view that writes down its loads and stores.
public struct RecordingBAR<Base: RegisterAccess>: RegisterAccess {
    let base: Base
    let map: RegisterMap
    let trace: RegisterTrace

    public func load(_ offset: UInt32) -> UInt32 {
        let value = base.load(offset)
        trace.append(.load(map.name(at: offset), value))
        return value
    }

    public func store(_ offset: UInt32, _ value: UInt32) {
        trace.append(.store(map.name(at: offset), value))
        base.store(offset, value)
    }

    public func doorbell(at offset: UInt32) -> DoorbellRegister? { nil }
}
