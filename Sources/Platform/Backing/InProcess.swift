// A driver and a model in one process: register accesses are calls, DMA memory is shared by address, vectors are counters.

import Clock
import Interrupts
import Leases
import Memory
import PCIe
import Registers
import Synchronization

/// A model as a `PCIeBacking`. Without a loop, driver and model share the caller's thread, and the caller polls the
/// model; with one, the loop's thread owns the model and accesses reach it through the loop's mailbox.
@safe public final class InProcess<Model: PCIeModel>: PCIeBacking, @unchecked Sendable {
    // SAFETY (Sendable): the model is touched on its owner thread alone, by `onOwner`; the rest is atomic or guarded.
    public let model: Model
    public let name: String
    public let identity: PCIeIdentity
    public let vectorCount: Int
    public var canAddVectors: Bool { true }
    public let census: Census
    private let loop: PollingLoop?
    private let present = Atomic<Bool>(true)
    private let nextIOVA: Atomic<UInt64>

    /// - Parameters:
    ///   - model: the device.
    ///   - name: in errors.
    ///   - loop: the thread that owns `model`; nil: the caller's.
    ///   - census: counts the leases given out.
    public init(_ model: Model, name: String, loop: PollingLoop? = nil, census: Census) {
        self.model = model
        self.name = name
        self.identity = model.identity
        self.vectorCount = model.vectorCount
        self.loop = loop
        self.census = census
        // Nowhere near a host address or zero, so that one taken for the other is found out.
        self.nextIOVA = Atomic(0x10_0000_0000)
        model.assignBARs()
    }

    /// Runs `body` where the model may be touched.
    public func onOwner<Result>(_ body: () -> Result) -> Result {
        guard let loop else { return body() }
        var result: Result?
        loop.perform { result = body() }
        guard let result else { preconditionFailure("the polling loop returned without running the request") }
        return result
    }

    /// Takes the device away, as a pulled card does: reads give all ones, writes are dropped, DMA has ended.
    public func unplug() {
        onOwner {
            present.store(false, ordering: .relaxed)
            model.reset()
        }
    }

    /// What `body` gets from the model, on its owner thread; `absent` if the device is gone. The look at `present` is
    /// made there too, so that no access that was under way reaches the model after `unplug` has reset it.
    fileprivate func ask<Answer>(absent: Answer, _ body: () -> Answer) -> Answer {
        onOwner { present.load(ordering: .relaxed) ? body() : absent }
    }

    public func readConfig(_ offset: UInt16, _ size: AccessSize) throws(DeviceError) -> UInt32 {
        try checkConfigAccess("read config space", size)
        return UInt32(truncatingIfNeeded: ask(absent: size.allOnes) { model.readConfig(offset, size) })
    }

    public func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) throws(DeviceError) {
        try checkConfigAccess("write config space", size)
        ask(absent: ()) { model.writeConfig(offset, size, UInt64(value)) }
    }

    public func mapBAR(_ index: Int) throws(DeviceError) -> InProcessBAR<Model> {
        guard model.baseAddressRegisters.contains(where: { $0.index == index }) else {
            throw DeviceError(.invalidArgument, device: name, operation: "map BAR", "no BAR \(index)")
        }
        return InProcessBAR(function: self, index: index)
    }

    public func mapDMA(
        _ memory: borrowing SharedMemory,
        _ permissions: DMAPermissions
    ) throws(DeviceError) -> DMAMapping {
        let byteCount = memory.byteCount
        // A page of nothing between mappings, and no address twice: a stale or overrun address finds nothing.
        let guardBytes: UInt64 = 4096
        let iova = nextIOVA.wrappingAdd(UInt64(byteCount) + guardBytes, ordering: .relaxed).oldValue
        let base = unsafe memory.base
        // SAFETY: the lease's holder keeps the memory mapped until `unmapDMA` has returned.
        let failure = onOwner { () -> IOVAError? in
            do throws(IOVAError) {
                unsafe try model.host.memory.map(iova: iova, base: base, byteCount: byteCount, permissions)
                return nil
            } catch {
                return error
            }
        }
        if let failure {
            throw DeviceError(.refused, device: name, operation: "map DMA", "\(failure)")
        }
        return DMAMapping(iova: iova, byteCount: byteCount, unmapper: self, mark: census.mark("DMA mapping"))
    }

    public func attachVector(_ index: Int, cpu: Int?) throws(DeviceError) -> InterruptLease {
        guard index >= 0, index < vectorCount else {
            throw DeviceError(
                .invalidArgument,
                device: name,
                operation: "attach vector",
                "vector \(index) of \(vectorCount)"
            )
        }
        let cell = InterruptCell()
        let refusal = ask(absent: DeviceError.Code.deviceGone as DeviceError.Code?) {
            guard !model.host.isRouted(index) else { return .noResource }
            model.host.route(index, to: cell)
            programVectors(CollectionOfOne(index), masked: false)
            return nil
        }
        if let refusal {
            let reason = refusal == .noResource ? "vector \(index) is attached" : "the device was unplugged"
            throw DeviceError(refusal, device: name, operation: "attach vector", reason)
        }
        return InterruptLease(index: index, cell: cell, detacher: self, mark: census.mark("interrupt vector"))
    }

    public func reset() throws(DeviceError) {
        let wasPresent = ask(absent: false) {
            // As Linux's pci_reset_function does: what the driver had configured is there again afterwards.
            let command = model.readConfig(ConfigSpace.Offset.command, .word)
            model.reset()
            model.assignBARs()
            model.writeConfig(ConfigSpace.Offset.command, .word, command)
            let attached = (0..<vectorCount).filter(model.host.isRouted)
            if !attached.isEmpty { programVectors(attached, masked: false) }
            return true
        }
        guard wasPresent else {
            throw DeviceError(.deviceGone, device: name, operation: "reset", "the device was unplugged")
        }
    }

    /// Gives or takes vectors in the MSI-X table, and switches MSI-X on, as an OS does (PCI Express Base 5.0 §7.7.2).
    private func programVectors(_ indices: some Sequence<Int>, masked: Bool) {
        guard let capability = ConfigSpace.findCapability(MSIXCapability.id, read: model.readConfig) else { return }
        let control = model.readConfig(capability + 2, .word)
        if control & MSIXCapability.enable == 0 {
            model.writeConfig(capability + 2, .word, control | MSIXCapability.enable)
        }
        model.setVectors(indices, masked: masked)
    }
}

extension InProcess: DMAUnmapper {
    public func unmapDMA(iova: UInt64, byteCount: Int) {
        onOwner {
            // The lease that calls this mapped it, once.
            try? model.host.memory.unmap(iova: iova)
        }
    }
}

extension InProcess: VectorDetacher {
    public func detachVector(_ index: Int) {
        onOwner {
            if present.load(ordering: .relaxed) { programVectors(CollectionOfOne(index), masked: true) }
            model.host.route(index, to: nil)
        }
    }
}

/// A BAR of a model in this process.
public struct InProcessBAR<Model: PCIeModel>: RegisterAccess, Sendable {
    fileprivate let function: InProcess<Model>
    fileprivate let index: Int

    public func load(_ offset: UInt32) -> UInt32 {
        let value = function.ask(absent: ~0) { function.model.read(bar: index, UInt64(offset), .doubleWord) }
        return UInt32(truncatingIfNeeded: value)
    }

    public func store(_ offset: UInt32, _ value: UInt32) {
        function.ask(absent: ()) { function.model.write(bar: index, UInt64(offset), .doubleWord, UInt64(value)) }
    }

    public func storeWide(_ offset: UInt32, _ value: UInt64) {
        function.ask(absent: ()) { function.model.write(bar: index, UInt64(offset), .quadWord, value) }
    }

    public func load(_ offset: UInt64, byteCount: Int) -> UInt64 {
        guard let size = AccessSize(rawValue: byteCount), size.isAligned(offset) else { return ~0 }
        return function.ask(absent: size.allOnes) { function.model.read(bar: index, offset, size) }
    }

    public func store(_ offset: UInt64, byteCount: Int, _ value: UInt64) {
        guard let size = AccessSize(rawValue: byteCount), size.isAligned(offset) else { return }
        function.ask(absent: ()) { function.model.write(bar: index, offset, size, value & size.allOnes) }
    }

    /// One trip to the model's owner for all of `body`.
    public func together<Result>(_ body: () -> Result) -> Result { function.onOwner(body) }

    public func doorbell(at offset: UInt32) -> DoorbellRegister? {
        guard let number = function.model.doorbellIndex(bar: index, UInt64(offset)) else { return nil }
        return function.model.host.doorbells.register(number)
    }
}
