// A virtual superchip GPU, as far as its host's VFIO variant driver looks: PCI function, identity, readiness, interrupt
// tree, and the memory behind the coherent link.
//
// Written to the contract of Linux's nvgrace-gpu driver (6.12 to 7.3), which binds to it unmodified, and to NVIDIA's
// published register headers. The memory is no part of the PCI function: firmware tells the machine where it is, and a
// reset of the function leaves its contents alone. There are no engines.

import Backing
import Clock
import GraceHopperWire
import Memory
import PCIe

/// A virtual GPU with coherent memory. It makes no progress of its own: all it does, it does when it is accessed.
@safe public final class GraceHopperModel: PCIeModel {
    public let host: DeviceHost
    public let options: GraceHopperOptions
    /// The memory behind the coherent link; nil: the link is down, or the memory is the machine's.
    public let physicalMemory: PhysicalMemory?

    var config: ConfigSpace
    let cxlCapability: UInt16?
    var vectors = MSIXTable(count: GraceHopper.vectorCount)
    var interrupts = InterruptTree()
    var link: ReadinessState
    var memoryTraining: ReadinessState
    let aperture: Aperture
    var counts = GraceHopperCounters()
    private var messageCounts = [UInt64](repeating: 0, count: GraceHopper.vectorCount)

    // What configuration space says, kept because every access asks.
    var respondsToMemory = false

    /// A device after power-on.
    ///
    /// - Parameters:
    ///   - options: what it is like. The window's size is a power of two of at least a page.
    ///   - clock: the time that readiness goes by.
    /// - Throws: what the system says when there is no room for the memory, sparse as it is.
    public init(options: GraceHopperOptions, clock: DeviceClock) throws(SystemError) {
        let memory = options.memory
        let ownMemory =
            memory.place == .own && memory.byteCount > 0
            ? try PhysicalMemory(base: memory.base, byteCount: memory.byteCount, name: "gracehopper-memory") : nil
        self.options = options
        host = DeviceHost(clock: clock, vectorCount: GraceHopper.vectorCount, doorbellCount: 0)
        (config, cxlCapability) = ConfigSpaceImage.make(options)
        let now = clock.now
        link = ReadinessState(options.readiness.atPowerOn.link, now: now)
        memoryTraining = ReadinessState(options.readiness.atPowerOn.memoryTraining, now: now)
        physicalMemory = ownMemory
        aperture = Aperture(options, memory: ownMemory)
        applyConfig()
    }

    public var identity: PCIeIdentity { ConfigSpaceImage.identity(options) }
    public var baseAddressRegisters: [BaseAddressRegister] { ConfigSpaceImage.baseAddressRegisters(options) }
    public var vectorCount: Int { GraceHopper.vectorCount }
    public var mappableBARs: [MappableBAR] { aperture.mappable.map { [$0] } ?? [] }

    /// What firmware says of the device: where its memory is, and how much.
    public var properties: FirmwareProperties {
        var values: [String: UInt64] = [:]
        if options.firmware.tellsBase { values[MemoryProperties.base] = options.memory.base }
        if options.firmware.tellsByteCount { values[MemoryProperties.byteCount] = options.memory.byteCount }
        return FirmwareProperties(values)
    }

    public func poll() -> Bool { false }
    public var nextDeadline: UInt64? { nil }
    public func doorbellIndex(bar: Int, _ offset: UInt64) -> Int? { nil }

    /// Makes an interrupt source pending, as the hardware behind it does. Sources that are not there do nothing.
    public func raise(source: UInt32) { writeRegister(InterruptRegisters.leafTrigger, min(source, 0xFFF)) }

    // MARK: Messages

    /// Sends the messages of subtrees, or keeps them pending where they are masked.
    func send(subtrees: UInt32) {
        var rest = subtrees
        while rest != 0 {
            let vector = rest.trailingZeroBitCount
            rest &= rest &- 1
            if vectors.fire(vector) { send(vector) }
        }
    }

    func send(_ vector: Int) {
        messageCounts[vector] &+= 1
        host.raise(vector)
    }

    /// The model's own counts, now.
    public var counters: GraceHopperCounters {
        var counters = counts
        counters.messages = messageCounts
        return counters
    }
}
