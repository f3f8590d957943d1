// A function lent as it is: what Linux's plain vfio-pci does. Source of truth: drivers/vfio/pci/vfio_pci_core.c,
// vfio_pci_rdwr.c and vfio_pci_config.c of Linux 6.12.
//
// What differs, because there is no machine around the function: no ROM, no VGA, no mapping of registers, configuration
// space as the backing shows it, and the MSI-X table can be reached like the rest of its BAR.

import Backing
import Glibc
import Interrupts
import Leases
import Memory
import PCIe
import Registers
import VFIOUser

/// Any backing as a VFIO device. One user at a time has it open; its calls may come from any thread and take turns, for a
/// backing is used from one thread at a time.
public final class PassThrough<Backing: PCIeBacking & Sendable>: VFIODevice, @unchecked Sendable {
    // SAFETY (Sendable): `state` is touched with `lock` held; the rest is immutable. A mutex of the C library, because one
    // is held for whole accesses, and the thread sanitizer understands it when threads wait.
    public let backing: Backing
    /// The BARs, found by sizing them once.
    public let baseAddressRegisters: [BaseAddressRegister]
    private let lock = RecursiveLock()
    private var state = State()

    private struct State {
        var isOpen = false
        var canReset = true
        /// Views of the BARs that were accessed since `open`.
        var views: [Int: Backing.BAR] = [:]
        var counters = PassThroughCounters()
    }

    /// Finds out what BARs the function has. Nobody else uses it meanwhile.
    public init(_ backing: Backing) throws(VFIOError) {
        self.backing = backing
        do throws(DeviceError) {
            baseAddressRegisters = try BARSizing.registers(of: backing)
        } catch {
            throw VFIOError(error)
        }
    }

    public var name: String { backing.name }
    public var identity: PCIeIdentity { backing.identity }
    public var vectorCount: Int { backing.vectorCount }
    public var canReset: Bool { locked { $0.canReset } }
    public var counters: PassThroughCounters { locked { $0.counters } }

    /// Runs `body` while nobody else is in the function.
    private func use<Result>(_ body: (inout State) throws(VFIOError) -> Result) throws(VFIOError) -> Result {
        try locked { state throws(VFIOError) in
            guard state.isOpen else { throw VFIOError(EBADF, "\(backing.name) is not open") }
            do throws(VFIOError) {
                return try body(&state)
            } catch {
                state.counters.refusals &+= 1
                throw error
            }
        }
    }

    private func locked<Result: ~Copyable, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&state)
    }

    private func attempt<Result>(_ body: () throws(DeviceError) -> Result) throws(VFIOError) -> Result {
        do throws(DeviceError) { return try body() } catch { throw VFIOError(error) }
    }

    // MARK: Lifetime

    /// Resets the function, if it can be reset. Fails with `EBUSY` if somebody has it open.
    public func open() throws(VFIOError) {
        try locked { state throws(VFIOError) in
            guard !state.isOpen else { throw VFIOError(EBUSY, "\(backing.name) is open already") }
            do throws(DeviceError) {
                try backing.reset()
            } catch {
                // A function without a reset of its own can be lent all the same.
                guard error.code == .refused else { throw VFIOError(error) }
                state.canReset = false
            }
            state.isOpen = true
        }
    }

    /// Has the function do nothing more: no DMA, no messages.
    public func close() {
        lock.lock()
        defer { lock.unlock() }
        guard state.isOpen else { return }
        state.isOpen = false
        state.views = [:]
        do throws(DeviceError) {
            let command = try backing.readConfig(ConfigSpace.Offset.command, .word)
            try backing.writeConfig(ConfigSpace.Offset.command, .word, command & ~Self.busMaster)
            if state.canReset { try backing.reset() }
        } catch {
            // A function that is gone does nothing any more.
            state.counters.failedCloses &+= 1
        }
    }

    /// Bit of the command register: the function may read and write memory (PCI Local Bus 3.0 §6.2.2).
    private static var busMaster: UInt32 { 4 }

    public func reset() throws(VFIOError) {
        try use { state throws(VFIOError) in
            guard state.canReset else { throw VFIOError(EINVAL, "\(backing.name) has no reset of its own") }
            try attempt { () throws(DeviceError) in try backing.reset() }
        }
    }

    // MARK: Regions

    public func region(_ index: Int) throws(VFIOError) -> VFIORegion {
        try use { _ throws(VFIOError) in try describe(index) }
    }

    private func describe(_ index: Int) throws(VFIOError) -> VFIORegion {
        switch index {
        case 0..<VFIORegion.rom:
            guard let register = register(index) else { return .absent }
            return VFIORegion(
                byteCount: register.byteCount,
                is64Bit: register.is64Bit,
                isPrefetchable: register.isPrefetchable
            )
        case VFIORegion.rom: return .absent
        case VFIORegion.config: return VFIORegion(byteCount: UInt64(ConfigSpace.byteCount))
        default: throw VFIOError(EINVAL, "region \(index) of \(VFIORegion.count)")
        }
    }

    private func register(_ index: Int) -> BaseAddressRegister? {
        baseAddressRegisters.first { $0.index == index }
    }

    public func read(region: Int, at offset: UInt64, into bytes: inout MutableRawSpan) throws(VFIOError) -> Int {
        guard !bytes.isEmpty else { return 0 }
        return try use { state throws(VFIOError) in
            guard region != VFIORegion.config else { return try readConfig(offset, &bytes) }
            let (view, count) = try view(region, offset, bytes.byteCount, &state)
            var done = 0
            while done < count {
                let place = offset + UInt64(done)
                let size = AccessSize.largest(at: place, remaining: count - done)
                bytes.store(view.load(place, byteCount: size.rawValue), size, at: done)
                done += size.rawValue
            }
            return count
        }
    }

    public func write(region: Int, at offset: UInt64, from bytes: RawSpan) throws(VFIOError) -> Int {
        guard !bytes.isEmpty else { return 0 }
        return try use { state throws(VFIOError) in
            guard region != VFIORegion.config else { return try writeConfig(offset, bytes) }
            let (view, count) = try view(region, offset, bytes.byteCount, &state)
            var done = 0
            while done < count {
                let place = offset + UInt64(done)
                let size = AccessSize.largest(at: place, remaining: count - done)
                view.store(place, byteCount: size.rawValue, bytes.value(size, at: done))
                done += size.rawValue
            }
            return count
        }
    }

    /// The view of a BAR, and how many of `count` bytes at `offset` are in it.
    private func view(
        _ region: Int,
        _ offset: UInt64,
        _ count: Int,
        _ state: inout State
    ) throws(VFIOError) -> (Backing.BAR, Int) {
        guard let register = register(region) else { throw VFIOError(EINVAL, "no region \(region) to access") }
        guard offset < register.byteCount else {
            throw VFIOError(EINVAL, "offset \(offset) of region \(region), which has \(register.byteCount) bytes")
        }
        let command = try attempt { () throws(DeviceError) in
            try backing.readConfig(ConfigSpace.Offset.command, .word)
        }
        guard UInt64(command) & ConfigSpace.memorySpaceEnable != 0 else {
            throw VFIOError(EIO, "access to region \(region) while memory space is off")
        }
        let inside = Int(min(UInt64(count), register.byteCount - offset))
        if let view = state.views[region] { return (view, inside) }
        let view = try attempt { () throws(DeviceError) in try backing.mapBAR(region) }
        state.views[region] = view
        return (view, inside)
    }

    // MARK: Configuration space

    private func readConfig(_ offset: UInt64, _ bytes: inout MutableRawSpan) throws(VFIOError) -> Int {
        let start = try checkConfig(offset, bytes.byteCount)
        var done = 0
        while done < bytes.byteCount {
            let size = AccessSize.largest(at: offset + UInt64(done), remaining: min(4, bytes.byteCount - done))
            let place = start + UInt16(done)
            let value = try attempt { () throws(DeviceError) in try backing.readConfig(place, size) }
            bytes.store(UInt64(value), size, at: done)
            done += size.rawValue
        }
        return done
    }

    private func writeConfig(_ offset: UInt64, _ bytes: RawSpan) throws(VFIOError) -> Int {
        let start = try checkConfig(offset, bytes.byteCount)
        var done = 0
        while done < bytes.byteCount {
            let size = AccessSize.largest(at: offset + UInt64(done), remaining: min(4, bytes.byteCount - done))
            let (place, value) = (start + UInt16(done), UInt32(truncatingIfNeeded: bytes.value(size, at: done)))
            try attempt { () throws(DeviceError) in try backing.writeConfig(place, size, value) }
            done += size.rawValue
        }
        return done
    }

    /// All of an access is in configuration space, or nothing of it is done: `EFAULT`, as vfio_config_do_rw has it.
    private func checkConfig(_ offset: UInt64, _ count: Int) throws(VFIOError) -> UInt16 {
        let most = UInt64(ConfigSpace.byteCount)
        guard offset < most, UInt64(count) <= most - offset else {
            throw VFIOError(EFAULT, "\(count) bytes at \(offset) of configuration space, which has \(most)")
        }
        return UInt16(offset)
    }

    // MARK: The rest

    /// Registers are not mapped: `EINVAL` for every region.
    public func map(region: Int, _ range: Range<UInt64>) throws(VFIOError) -> RegionMapping {
        let refusal = VFIOError(EINVAL, "region \(region) has no memory that can be mapped")
        try use { _ throws(VFIOError) -> Void in throw refusal }
        throw refusal
    }

    public func attachVector(_ index: Int, cpu: Int?) throws(VFIOError) -> InterruptLease {
        try locked { state throws(VFIOError) -> InterruptLease in
            guard state.isOpen else { throw VFIOError(EBADF, "\(backing.name) is not open") }
            do throws(DeviceError) {
                return try backing.attachVector(index, cpu: cpu)
            } catch {
                state.counters.refusals &+= 1
                throw VFIOError(error)
            }
        }
    }

    /// `ENOTTY`: of the features that vfio-pci-core knows, low power, tokens of virtual functions and DMA buffers, none is
    /// there without a kernel. The call is there, so that a variant driver can hand on what it does not know.
    public func feature(_ flags: UInt32, _ argument: [UInt8]) throws(VFIOError) -> [UInt8] {
        try use { _ throws(VFIOError) in throw VFIOError(ENOTTY, "no device feature \(flags & 0xFFFF)") }
    }
}

/// What went wrong at a function that is passed through.
public struct PassThroughCounters: Sendable, Equatable {
    /// Calls that were answered with an error.
    public var refusals: UInt64 = 0
    /// The function could not be told to stop.
    public var failedCloses: UInt64 = 0
}
