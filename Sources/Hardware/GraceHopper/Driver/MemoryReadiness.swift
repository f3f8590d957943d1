// Waiting until the memory may be touched, after power-on and after a reset. Source of truth: nvgrace_gpu_wait_device_ready
// (nvgrace-gpu/main.c of 7.3) and its successor for parts that say it as CXL devices do (CXL 3.1 §8.1.3.8).

import Glibc
import GraceHopperWire
import VFIOVariant

/// Where the device tells that its memory is ready.
package enum ReadinessSource: Equatable {
    /// Two registers in BAR 0.
    case registers
    /// The low size of the first range in CXL's capability, at this offset of configuration space.
    case cxl(UInt16)

    /// How the part tells it.
    package static func of(_ read: ConfigRead) throws(VFIOError) -> ReadinessSource {
        let found = try DesignatedCapabilities.find(
            vendor: CXLDeviceCapability.vendor,
            number: CXLDeviceCapability.number,
            read
        )
        guard let offset = found, offset <= 0xFFF - CXLDeviceCapability.sizeLowOffset else { return .registers }
        return .cxl(offset + CXLDeviceCapability.sizeLowOffset)
    }

    /// What it reads now.
    func reading(
        config: ConfigRead,
        register: (UInt32) throws(VFIOError) -> UInt32
    ) throws(VFIOError) -> ReadinessReading {
        switch self {
        case .registers:
            .registers(
                link: try register(ReadinessRegisters.linkState),
                training: try register(ReadinessRegisters.memoryTraining)
            )
        case .cxl(let offset): .cxl(try config(offset))
        }
    }
}

/// What the device told at one look.
package enum ReadinessReading: Equatable {
    case registers(link: UInt32, training: UInt32)
    case cxl(UInt32)

    package var isReady: Bool {
        switch self {
        case .registers(let link, let training):
            link == ReadinessRegisters.ready && training == ReadinessRegisters.ready
        case .cxl(let word): word != ~0 && word & both == both
        }
    }

    private var both: UInt32 { CXLDeviceCapability.infoValid | CXLDeviceCapability.active }

    /// How errors show it.
    var words: String {
        switch self {
        case .registers(let link, let training):
            "link state \(hex(link)) and memory training \(hex(training)), expected 0xff in both"
        case .cxl(let word): "memory range \(hex(word)), expected it valid and active"
        }
    }
}

/// A bounded wait: a look, a second, a look.
package struct ReadinessWait {
    /// Between looks.
    package static let stepNanoseconds: UInt64 = 1_000_000_000
    /// For the registers.
    package static let limitSeconds: UInt64 = 30
    /// Until what CXL's capability says can be relied on.
    private static let validSeconds: UInt64 = 1

    private let start: UInt64
    /// Once CXL's word is valid: when, and how long the memory may take from then on.
    private var activation: (since: UInt64, seconds: UInt64)?

    package init(now: UInt64) { start = now }

    /// Whether the device is ready; false: look again after a step.
    ///
    /// - Throws: `ETIME` when it is too late.
    package mutating func judge(_ reading: ReadinessReading, now: UInt64) throws(VFIOError) -> Bool {
        if reading.isReady { return true }
        let seconds: UInt64
        var since = start
        switch reading {
        case .registers: seconds = Self.limitSeconds
        case .cxl(let word):
            let isValid = word != ~0 && word & CXLDeviceCapability.infoValid != 0
            if isValid, activation == nil { activation = (now, Self.activeSeconds(word)) }
            if let activation { (since, seconds) = activation } else { seconds = Self.validSeconds }
        }
        guard now &- since < seconds * 1_000_000_000 else {
            throw VFIOError(ETIME, "memory not ready after \(seconds) s: \(reading.words)")
        }
        return false
    }

    private static func activeSeconds(_ word: UInt32) -> UInt64 {
        let timeouts = CXLDeviceCapability.activeTimeouts
        let index = Int(word >> CXLDeviceCapability.timeoutShift & 7)
        // Reserved codes count as the longest.
        return UInt64(timeouts[min(index, timeouts.count - 1)])
    }
}
