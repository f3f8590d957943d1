// What driver and adapter tell each other that they can.
// Source: Linux GDMA_DRV_CAP_FLAG_1_..., GDMA_PF_CAP_FLAG_1_... (gdma.h), MANA_PF_FLAG_1_... (mana.h) of 6.12 and 7.x.

/// First word of a driver's capabilities, in VERIFY_VF_DRIVER_VERSION.
@frozen public struct DriverCapabilities: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable public static var eventQueueSharing: Self { .init(rawValue: 1 &<< 0) }
    @inlinable public static var workCountFix: Self { .init(rawValue: 1 &<< 2) }
    @inlinable public static var channelTimeout: Self { .init(rawValue: 1 &<< 3) }
    @inlinable public static var largePages: Self { .init(rawValue: 1 &<< 4) }
    @inlinable public static var variableIndirection: Self { .init(rawValue: 1 &<< 5) }
    @inlinable public static var linkAware: Self { .init(rawValue: 1 &<< 6) }
    /// The list of devices may have holes.
    @inlinable public static var deviceListHoles: Self { .init(rawValue: 1 &<< 11) }
    /// Vectors are taken one by one.
    @inlinable public static var dynamicVectors: Self { .init(rawValue: 1 &<< 13) }
    @inlinable public static var selfReset: Self { .init(rawValue: 1 &<< 14) }
    @inlinable public static var reconfigurationEvent: Self { .init(rawValue: 1 &<< 17) }
    @inlinable public static var sendStallRecovery: Self { .init(rawValue: 1 &<< 18) }
    @inlinable public static var vectorsPerPort: Self { .init(rawValue: 1 &<< 19) }
    @inlinable public static var linearises: Self { .init(rawValue: 1 &<< 20) }
    @inlinable public static var periodicStatistics: Self { .init(rawValue: 1 &<< 21) }
    @inlinable public static var probeRecovery: Self { .init(rawValue: 1 &<< 22) }
    @inlinable public static var channelTimeoutRecovery: Self { .init(rawValue: 1 &<< 25) }
    @inlinable public static var dynamicModeration: Self { .init(rawValue: 1 &<< 28) }
    @inlinable public static var scatteredRings: Self { .init(rawValue: 1 &<< 30) }
}

/// First word of the adapter's capabilities, in the answer to VERIFY_VF_DRIVER_VERSION.
@frozen public struct AdapterCapabilities: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// QUERY_HWC_TIMEOUT is known.
    @inlinable public static var channelTimeout: Self { .init(rawValue: 1 &<< 3) }
    /// The moderation doorbell is known.
    @inlinable public static var dynamicModeration: Self { .init(rawValue: 1 &<< 15) }
}

/// First word of the network adapter's capabilities, in the answer to MANA_QUERY_DEV_CONFIG.
@frozen public struct NetworkCapabilities: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Completions of eight frames.
    @inlinable public static var eightFrameCompletions: Self { .init(rawValue: 1 &<< 5) }
}
