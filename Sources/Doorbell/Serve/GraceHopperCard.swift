// The superchip's GPU as `doorbell serve` has it: with our variant driver in front, as a guest gets it, or bare, as its
// host sees it, for a guest whose own variant driver takes it.

import Backing
import Clock
import GraceHopperModel
import GraceHopperWire

/// What can be chosen of served GPUs.
public struct GraceHopperCard: Sendable, Equatable {
    /// A property that firmware does not give.
    public enum Property: String, Sendable, CaseIterable {
        case base
        case size
    }

    /// When the memory is ready, after power-on and after each reset.
    public enum Readiness: Sendable, Equatable {
        case seconds(UInt64)
        case never

        /// Seconds, or `never`.
        public init?(_ text: String) {
            if text == "never" {
                self = .never
            } else if let seconds = UInt64(text) {
                self = .seconds(seconds)
            } else {
                return nil
            }
        }
    }

    public typealias Part = GraceHopperPart

    /// All parts, for a help text: `2342 (GH200 120GB), …`
    public static var parts: String {
        Part.all.map { "\(String($0.device, radix: 16)) (\($0.name))" }.joined(separator: ", ")
    }

    /// The part with this device id, in hexadecimal digits.
    public static func part(_ text: String) -> Part? { UInt16(text, radix: 16).flatMap(Part.of) }

    public var memory = MemorySize(byteCount: 96 << 30)
    public var part = GraceHopperPart.all[0]
    /// Physical address of the memory's first byte; nil: one that suits.
    public var base: UInt64?
    /// Whether the client gets the GPU as its host has it: without our driver, its memory in the client's own.
    public var isBare = false
    /// Firmware says that there is no memory.
    public var isLinkDown = false
    public var absentProperties: Set<Property> = []
    public var readiness: Readiness?

    public init() {}

    /// Where a bare GPU's memory is in a PC of QEMU's (hw/i386/pc_q35.c): below 4 GiB if it fits, behind what the guest needs
    /// for itself, for then a machine of less than 2816 MiB has all its memory there.
    private static let lowAddressInGuest: UInt64 = 0xA00_0000
    private static let lowMachine: UInt64 = 2815 << 20
    /// Otherwise above 4 GiB, where all memory is but the first 2 GiB.
    private static let highAddressInGuest: UInt64 = 4 << 30
    private static let lowMemory: UInt64 = 2 << 30

    private var addressInGuest: UInt64 {
        memory.byteCount <= Self.lowMachine - Self.lowAddressInGuest ? Self.lowAddressInGuest : Self.highAddressInGuest
    }

    public var options: GraceHopperOptions {
        var options = GraceHopperOptions()
        options.part = part
        options.memory.byteCount = isLinkDown ? 0 : memory.byteCount
        if isBare { options.memory.base = addressInGuest }
        if let base { options.memory.base = base }
        options.memory.place = isBare ? .machine : .own
        options.firmware.tellsBase = !absentProperties.contains(.base)
        options.firmware.tellsByteCount = !absentProperties.contains(.size)
        let delay: ReadinessDelay =
            switch readiness {
            case .seconds(let seconds): .afterNanoseconds(seconds.multipliedSaturating(by: 1_000_000_000))
            case .never: .never
            case nil: .atOnce
            }
        options.readiness.atPowerOn = .init(delay)
        options.readiness.afterReset = .init(delay)
        return options
    }

    /// Why no card is like that; nil: one can be.
    public var objection: String? {
        let options = options
        if memory.byteCount == 0 { return "a GPU without memory is one with --link-down" }
        if options.memory.base.addingReportingOverflow(memory.byteCount).overflow {
            return "the memory ends behind the last address"
        }
        return nil
    }

    // MARK: For QEMU

    /// A bare GPU's memory is in the guest's. A BAR that shows hundreds of gigabytes needs more addresses than QEMU's CPU
    /// has.
    func guest(barBytes: UInt64) -> QEMUCommand.Guest {
        var guest = QEMUCommand.Guest()
        if barBytes >= 1 << 38 { guest.addressBits = 46 }
        guard isBare else { return guest }
        let end = options.memory.base + options.memory.byteCount
        let behindHole = max(end, Self.highAddressInGuest) - Self.highAddressInGuest
        let bytes = end <= Self.lowMachine ? Self.lowMachine : Self.lowMemory + behindHole
        guest.memory = Int((bytes + (1 << 20) - 1) >> 20)
        return guest
    }

    /// What firmware is to say in a guest with a bare GPU, and the guest's kernel not to touch.
    func notes(for model: GraceHopperModel) -> [String] {
        guard isBare else { return [] }
        var notes = [MemoryProperties.base, MemoryProperties.byteCount].compactMap { name in
            model.properties[name].map { "property \(name) = \(hex($0))" }
        }
        if options.memory.byteCount > 0 {
            notes.append("kernel argument memmap=\(hex(options.memory.byteCount))$\(hex(options.memory.base))")
        }
        // Integers of a table of revision 1, which QEMU's are, have 32 bits (ACPI 6.5 §20.2.3).
        if options.memory.base > UInt64(UInt32.max) {
            notes.append("the base needs ACPI tables of revision 2: QEMU's own cut it to 32 bits")
        }
        return notes
    }
}

extension UInt64 {
    fileprivate func multipliedSaturating(by factor: UInt64) -> UInt64 {
        let (product, overflows) = multipliedReportingOverflow(by: factor)
        return overflows ? .max : product
    }
}

func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
