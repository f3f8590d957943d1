// The variant driver of NVIDIA's superchips: a GPU whose memory is on the CPU's coherent link, lent with BARs that show that
// memory and that the device does not have. Source of truth: drivers/vfio/pci/nvgrace-gpu/main.c of Linux 6.9 (as first
// merged), 6.12 and 7.3; docs/coherent-memory-defects.md says where this differs.
//
//   probe ─► closed ─ open ─► open ─ close ─► closed
//   After `open` and after a reset the memory is unproven: the first access finds out whether it is ready.

import Backing
import Clock
import GraceHopperWire
import Interrupts
import Leases
import Memory
import PCIe
import Registers
import Synchronization
import VFIOVariant

/// What the device lends beside the function's own regions.
public enum CoherentLending: Sendable, Equatable {
    /// The memory, so split.
    case memory(MemorySplit)
    /// Nothing: firmware does not say where memory is, or the link to it is down.
    case plain(reason: String)
}

/// A GPU with coherent memory as VFIO's users see it. All calls may come from any thread.
public final class NVGraceDevice<Backing: PCIeBacking & Sendable>: VFIODevice {
    /// What was found when the driver took the device.
    public let lending: CoherentLending
    let core: PassThrough<Backing>
    /// The parts; nil: the function's own region is shown instead.
    let usable: MemoryRegion?
    let reserved: MemoryRegion?
    let readiness: ReadinessSource
    let clock: DeviceClock
    /// Shared: accesses to memory, reads of configuration space. Alone: what can make the memory unproven.
    let lock = AccessLock()
    let state: Mutex<State>

    /// What changes. The lock inside is held for a few words.
    struct State {
        var isOpen = false
        /// Nil where the function is lent as it is.
        var overlay: ConfigOverlay?
        /// A reset may have made the memory unready since somebody last looked.
        var isUnproven = true
        var resets = ResetRegisters.unknown
        var counters = NVGraceCounters()
    }

    /// Takes the device: finds its memory, splits it, and waits until it is ready, up to half a minute of `clock`.
    ///
    /// - Parameters:
    ///   - properties: what firmware says of the device. Without the memory's place and size, or with size 0 (the link
    ///     is down), the function is lent as it is.
    ///   - memory: the machine's memory in which that place is.
    ///   - census: counts what is mapped.
    /// - Throws: for a place or size that cannot be split (`EOVERFLOW`, `EINVAL`), memory that the machine does not have
    ///   (`ENOMEM`), memory that does not get ready (`ETIME`), and what the backing fails with.
    public init(
        _ backing: Backing,
        properties: FirmwareProperties,
        memory: PhysicalMemory?,
        clock: DeviceClock,
        census: Census
    ) throws(VFIOError) {
        let probe = Probe(backing)
        var parts: (usable: MemoryRegion, reserved: MemoryRegion?)?
        var readiness = ReadinessSource.registers
        switch MemoryLocation.of(properties) {
        case .missing(let reason):
            lending = .plain(reason: reason)
        case .found(let base, let byteCount):
            let needsReserve = try DesignatedCapabilities.needsReserve(probe.readConfig)
            let split = try MemorySplit(base: base, byteCount: byteCount, needsReserve: needsReserve)
            parts = try split.regions(in: memory, census: census)
            readiness = try ReadinessSource.of(probe.readConfig)
            try probe.wait(for: readiness, clock: clock)
            lending = .memory(split)
        }
        core = try PassThrough(backing)
        usable = parts?.usable
        reserved = parts?.reserved
        self.readiness = readiness
        self.clock = clock
        var state = State()
        if case .memory(let split) = lending { state.overlay = ConfigOverlay(split) }
        self.state = Mutex(state)
    }

    public var name: String { core.name }
    public var identity: PCIeIdentity { core.identity }
    public var vectorCount: Int { core.vectorCount }
    public var canReset: Bool { core.canReset }
    public var counters: NVGraceCounters { state.withLock { $0.counters } }

    // MARK: Lifetime

    public func open() throws(VFIOError) {
        lock.seize()
        defer { lock.release() }
        try core.open()
        do throws(VFIOError) {
            // Where nothing is emulated, there is nothing to clear.
            let resets = usable == nil ? .unknown : try ResetRegisters(readConfigWord)
            state.withLock {
                $0.resets = resets
                $0.overlay?.clear()
                $0.isUnproven = true
                $0.isOpen = true
            }
        } catch {
            core.close()
            throw error
        }
    }

    public func close() {
        lock.seize()
        defer { lock.release() }
        state.withLock { $0.isOpen = false }
        usable?.unmap()
        reserved?.unmap()
        core.close()
    }

    /// Resets the function. The fake BARs are cleared when it has been reset, and the memory keeps its contents; where the
    /// reset fails, nobody knows what became of the device, and the memory has to prove itself all the same.
    public func reset() throws(VFIOError) {
        lock.seize()
        defer { lock.release() }
        state.withLock { $0.isUnproven = true }
        try core.reset()
        noteReset()
    }

    /// The function has been reset, by whatever means. Held alone.
    func noteReset() {
        state.withLock {
            $0.overlay?.clear()
            $0.isUnproven = true
            $0.counters.resets &+= 1
        }
    }

    // MARK: The rest

    public func attachVector(_ index: Int, cpu: Int?) throws(VFIOError) -> InterruptLease {
        try core.attachVector(index, cpu: cpu)
    }

    /// As the function has it, whether memory is lent or not.
    public func feature(_ flags: UInt32, _ argument: [UInt8]) throws(VFIOError) -> [UInt8] {
        try core.feature(flags, argument)
    }

    /// Physical addresses behind region `index`, for who passes the memory on to another device; nil: it is not coherent
    /// memory.
    public func physicalAddresses(ofRegion index: Int) -> Range<UInt64>? { part(index)?.part.addresses }

    /// The part that region `index` shows; nil: the function's own region.
    func part(_ index: Int) -> MemoryRegion? {
        switch index {
        case MemorySplit.usableRegion: usable
        case MemorySplit.reservedRegion: reserved
        default: nil
        }
    }

    /// A word of the open function's configuration space.
    func readConfigWord(_ offset: UInt16) throws(VFIOError) -> UInt32 {
        try readWord(region: VFIORegion.config, at: UInt64(offset))
    }

    /// A word of a region of the function's own.
    func readWord(region: Int, at offset: UInt64) throws(VFIOError) -> UInt32 {
        var word = InlineArray<1, UInt32>(repeating: 0)
        do {
            var words = word.mutableSpan
            // SAFETY: any four bytes are a valid UInt32.
            var bytes = unsafe words.mutableBytes
            _ = try core.read(region: region, at: offset, into: &bytes)
        }
        return word[0]
    }
}
