// The looks at the function before it is lent to anyone: what firmware says of its memory, what it says itself, and whether
// it is ready. Source of truth: nvgrace_gpu_probe, nvgrace_gpu_fetch_memory_property (nvgrace-gpu/main.c of 6.12 and 7.3).

import Backing
import Clock
import Glibc
import GraceHopperWire
import Leases
import Memory
import PCIe
import Registers
import VFIOVariant

/// Where firmware says that the memory is.
enum MemoryLocation: Equatable {
    case found(base: UInt64, byteCount: UInt64)
    case missing(String)

    static func of(_ properties: FirmwareProperties) -> MemoryLocation {
        guard let base = properties[MemoryProperties.base] else { return .missing("no \(MemoryProperties.base)") }
        guard let byteCount = properties[MemoryProperties.byteCount] else {
            return .missing("no \(MemoryProperties.byteCount)")
        }
        guard byteCount > 0 else { return .missing("\(MemoryProperties.byteCount) is 0: the link is down") }
        return .found(base: base, byteCount: byteCount)
    }
}

extension MemorySplit {
    /// Region numbers of the parts.
    static let reservedRegion = 2
    static let usableRegion = 4

    /// The parts in the machine's memory. The reserved one is asked for uncached, as the guest's driver needs it.
    func regions(
        in memory: PhysicalMemory?,
        census: Census
    ) throws(VFIOError) -> (usable: MemoryRegion, reserved: MemoryRegion?) {
        guard let memory else {
            throw VFIOError(ENOMEM, "memory at \(hex(usable.base)), expected it in the machine, which has none such")
        }
        let usable = try MemoryRegion(usable, in: memory, caching: .writeBack, census: census)
        guard let part = reserved else { return (usable, nil) }
        return (usable, try MemoryRegion(part, in: memory, caching: .writeCombining, census: census))
    }
}

/// A function that nobody has open yet.
struct Probe<Backing: PCIeBacking> {
    private let backing: Backing

    init(_ backing: Backing) { self.backing = backing }

    func readConfig(_ offset: UInt16) throws(VFIOError) -> UInt32 {
        do throws(DeviceError) {
            return try backing.readConfig(offset, .doubleWord)
        } catch {
            throw VFIOError(error)
        }
    }

    /// Returns when the memory is ready. Memory space is on meanwhile, without which no register can be read.
    func wait(for source: ReadinessSource, clock: DeviceClock) throws(VFIOError) {
        let command: UInt32
        let registers: Backing.BAR
        do throws(DeviceError) {
            registers = try backing.mapBAR(0)
            command = try backing.readConfig(ConfigSpace.Offset.command, .word)
            let on = command | UInt32(ConfigSpace.memorySpaceEnable)
            try backing.writeConfig(ConfigSpace.Offset.command, .word, on)
        } catch {
            throw VFIOError(error)
        }
        // The function goes on as it came, whatever is found; if it does not take that, the reset at `open` will.
        defer { try? backing.writeConfig(ConfigSpace.Offset.command, .word, command) }
        var wait = ReadinessWait(now: clock.now)
        while true {
            let reading = try source.reading(config: readConfig, register: { registers.load($0) })
            if try wait.judge(reading, now: clock.now) { return }
            clock.wait(nanoseconds: ReadinessWait.stepNanoseconds)
        }
    }
}
