// A backing on which things go wrong as a `FaultPlan` says.

import Interrupts
import Memory
import PCIe
import Registers
import Simulation
import Synchronization

/// Passes everything to `base`, except what the plan makes fail.
public struct Faulty<Base: PCIeBacking>: PCIeBacking {
    private let base: Base
    private let state: FaultState

    public init(_ base: Base, plan: FaultPlan) {
        self.base = base
        self.state = FaultState(plan)
    }

    /// Operations that could have failed so far: with a plan that fails none, the number of steps to try.
    public var stepCount: Int { state.stepCount }
    /// Register accesses so far.
    public var accessCount: Int { state.accessCount }

    public var name: String { base.name }
    public var identity: PCIeIdentity { base.identity }
    public var vectorCount: Int { base.vectorCount }
    public var canAddVectors: Bool { base.canAddVectors }

    public func readConfig(_ offset: UInt16, _ size: AccessSize) throws(DeviceError) -> UInt32 {
        try step("read config space")
        guard !state.isRemoved else { return UInt32(truncatingIfNeeded: size.allOnes) }
        return try base.readConfig(offset, size)
    }

    public func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) throws(DeviceError) {
        try step("write config space")
        guard !state.isRemoved else { return }
        try base.writeConfig(offset, size, value)
    }

    public func mapBAR(_ index: Int) throws(DeviceError) -> FaultyBAR<Base.BAR> {
        try step("map BAR")
        return FaultyBAR(base: try base.mapBAR(index), state: state)
    }

    public func mapDMA(
        _ memory: borrowing SharedMemory,
        _ permissions: DMAPermissions
    ) throws(DeviceError) -> DMAMapping {
        try step("map DMA")
        return try base.mapDMA(memory, permissions)
    }

    public func attachVector(_ index: Int, cpu: Int?) throws(DeviceError) -> InterruptLease {
        try step("attach vector")
        return try base.attachVector(index, cpu: cpu)
    }

    public func reset() throws(DeviceError) {
        try step("reset")
        guard !state.isRemoved else {
            throw DeviceError(.deviceGone, device: name, operation: "reset", "the device was removed")
        }
        try base.reset()
    }

    private func step(_ operation: String) throws(DeviceError) {
        let number = state.nextStep()
        guard number != state.plan.failAtStep else {
            throw DeviceError(.injected, device: name, operation: operation, "step \(number) was told to fail")
        }
    }
}

extension Faulty: Sendable where Base: Sendable {}

/// A view whose registers are stuck or gone as the plan says.
public struct FaultyBAR<Base: RegisterAccess>: RegisterAccess {
    let base: Base
    let state: FaultState

    public func load(_ offset: UInt32) -> UInt32 {
        guard state.nextAccessIsPresent() else { return ~0 }
        var value = base.load(offset)
        for fault in state.plan.stuck where fault.offset == offset {
            value = (value & ~fault.mask) | (fault.value & fault.mask)
        }
        return value
    }

    public func store(_ offset: UInt32, _ value: UInt32) {
        guard state.nextAccessIsPresent() else { return }
        base.store(offset, value)
    }

    public func storeWide(_ offset: UInt32, _ value: UInt64) {
        guard state.nextAccessIsPresent() else { return }
        base.storeWide(offset, value)
    }

    public func load(_ offset: UInt64, byteCount: Int) -> UInt64 {
        guard state.nextAccessIsPresent() else { return AccessSize(rawValue: byteCount)?.allOnes ?? ~0 }
        var value = base.load(offset, byteCount: byteCount)
        for fault in state.plan.stuck {
            // The bytes of the stuck register that this access has.
            for byte in 0..<4 {
                let place = UInt64(fault.offset) + UInt64(byte)
                guard place >= offset, place - offset < UInt64(byteCount) else { continue }
                let shift = 8 * (place - offset)
                let mask = UInt64(fault.mask >> UInt32(8 * byte) & 0xFF) << shift
                let stuck = UInt64(fault.value >> UInt32(8 * byte) & 0xFF) << shift
                value = (value & ~mask) | (stuck & mask)
            }
        }
        return value
    }

    public func store(_ offset: UInt64, byteCount: Int, _ value: UInt64) {
        guard state.nextAccessIsPresent() else { return }
        base.store(offset, byteCount: byteCount, value)
    }

    public func together<Result>(_ body: () -> Result) -> Result { base.together(body) }

    public func doorbell(at offset: UInt32) -> DoorbellRegister? { nil }
}

/// What a `Faulty` and its views share.
final class FaultState: Sendable {
    let plan: FaultPlan
    private let steps = Atomic<Int>(0)
    private let accesses = Atomic<Int>(0)

    init(_ plan: FaultPlan) { self.plan = plan }

    var stepCount: Int { steps.load(ordering: .relaxed) }
    var accessCount: Int { accesses.load(ordering: .relaxed) }

    /// Whether the access at which the device goes has been made.
    var isRemoved: Bool { plan.removeAtAccess.map { accessCount > $0 } ?? false }

    func nextStep() -> Int { steps.wrappingAdd(1, ordering: .relaxed).oldValue }

    func nextAccessIsPresent() -> Bool {
        let number = accesses.wrappingAdd(1, ordering: .relaxed).oldValue
        guard let removal = plan.removeAtAccess else { return true }
        return number < removal
    }
}
