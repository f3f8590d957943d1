// When the memory may be touched after power-on or a reset, as the registers tell it, or CXL's capability.
// Source: Linux nvgrace_gpu_wait_device_ready (nvgrace-gpu/main.c) of 7.3 and its CXL successor.

import GraceHopperWire

/// How readiness comes, and where it is told.
public struct ReadinessOptions: Sendable, Equatable {
    public var atPowerOn = Readiness(.atOnce)
    public var afterReset = Readiness(.atOnce)
    /// CXL's capability instead of the two registers, as the parts after GB300 have it; the registers then read zero.
    public var cxl: CXL?

    public init() {}

    /// Link and memory each come up in their own time.
    public struct Readiness: Sendable, Equatable {
        public var link: ReadinessDelay
        public var memoryTraining: ReadinessDelay

        /// - Parameter delay: of both.
        public init(_ delay: ReadinessDelay) {
            link = delay
            memoryTraining = delay
        }
    }

    /// What CXL's capability says beside the size. There the link's readiness is "the information is valid", and the
    /// training's "the memory is active".
    public struct CXL: Sendable, Equatable {
        /// Three bits, an index to `CXLDeviceCapability.activeTimeouts`; larger ones are reserved.
        public var timeoutCode: UInt32 = 0

        public init() {}
    }
}

/// When something is ready.
public enum ReadinessDelay: Sendable, Equatable {
    case atOnce
    /// So many reads of the register still find it not ready.
    case afterReads(Int)
    /// By the model's clock.
    case afterNanoseconds(UInt64)
    case never
}

/// One of the two states while the device is powered.
struct ReadinessState {
    private let delay: ReadinessDelay
    private let since: UInt64
    private var readsLeft: Int

    init(_ delay: ReadinessDelay, now: UInt64) {
        self.delay = delay
        since = now
        readsLeft = if case .afterReads(let count) = delay { max(0, count) } else { 0 }
    }

    /// Whether it is ready, as a read now finds it; reads count.
    mutating func look(now: UInt64) -> Bool {
        switch delay {
        case .atOnce: return true
        case .never: return false
        case .afterNanoseconds(let nanoseconds): return now &- since >= nanoseconds
        case .afterReads:
            guard readsLeft > 0 else { return true }
            readsLeft -= 1
            return false
        }
    }
}
