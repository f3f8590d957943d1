// What a virtual GPU is like: its part, its memory, what firmware says of it, and what is broken in it.

import GraceHopperWire

/// The configuration of a `GraceHopperModel`. The default is a healthy GH200 with 96 GiB.
public struct GraceHopperOptions: Sendable, Equatable {
    public var part = GraceHopperPart.all[0]
    public var memory = Memory()
    public var firmware = Firmware()
    public var readiness = ReadinessOptions()
    /// NVIDIA's capability in configuration space; nil: as the part has it.
    public var memoryCapability: MemoryCapabilityKind?
    /// Bytes of BAR 1, a power of two. A real part's may be larger; this one fits every guest's address space.
    public var apertureByteCount: UInt64 = 64 << 20

    public init() {}

    /// The device's memory, behind the coherent link.
    public struct Memory: Sendable, Equatable {
        /// Physical address of the first byte.
        public var base: UInt64 = 0x4000_0000_0000
        /// 0: the link is down, and there is no memory.
        public var byteCount: UInt64 = 96 << 30
        public var place = MemoryPlace.own

        public init() {}
    }

    /// Where the bytes of the memory are.
    public enum MemoryPlace: Sendable, Equatable {
        /// In memory that the model makes: sparse, so that only what is touched costs anything.
        case own
        /// In the machine that the function is plugged into, which keeps a part of its own memory apart for it, at the
        /// addresses that firmware tells. The model reaches it as its host does.
        case machine
    }

    /// Which properties firmware gives; those it does not are absent.
    public struct Firmware: Sendable, Equatable {
        public var tellsBase = true
        public var tellsByteCount = true

        public init() {}
    }

    /// Whether the function has `MemoryCapability`, and what it says.
    public enum MemoryCapabilityKind: Sendable, Equatable {
        case absent
        case needsReserve
        case needsNoReserve
    }

    var effectiveMemoryCapability: MemoryCapabilityKind {
        memoryCapability ?? (part.needsNoReserve ? .needsNoReserve : .absent)
    }
}
