// What shall go wrong, as a value. `Faulty` applies it to a backing; models take the faults of their own kind as options.

/// Faults to inject between a driver and its device.
public struct FaultPlan: Sendable, Equatable {
    /// A register that answers wrongly.
    public struct RegisterFault: Sendable, Equatable {
        public let offset: UInt32
        /// The bits that the fault holds.
        public let mask: UInt32
        /// What they read as.
        public let value: UInt32

        public init(offset: UInt32, mask: UInt32, value: UInt32) {
            self.offset = offset
            self.mask = mask
            self.value = value
        }
    }

    /// The n-th (from 0) operation that can throw throws: config access, BAR mapping, DMA mapping, vector.
    public var failAtStep: Int?
    /// From the n-th (from 0) register access on the device is gone: reads give all ones, writes are dropped.
    public var removeAtAccess: Int?
    /// Registers with stuck bits.
    public var stuck: [RegisterFault]

    public init(failAtStep: Int? = nil, removeAtAccess: Int? = nil, stuck: [RegisterFault] = []) {
        self.failAtStep = failAtStep
        self.removeAtAccess = removeAtAccess
        self.stuck = stuck
    }
}
