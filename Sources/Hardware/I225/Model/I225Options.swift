// What a virtual I225 is like: who it says it is, how long its PHY and its stamps take, and what is broken in it.

import I225Wire

/// The configuration of an `I225Model`. The default is a healthy I225-V with a 2.5 Gb/s link.
public struct I225Options: Sendable {
    public var deviceID = I225DeviceID.i225V
    /// Unicast and not zero, unless a driver's refusal is wanted. In order of transmission.
    public var macAddress: InlineArray<6, UInt8> = [0x02, 0x1B, 0x21, 0x02, 0x25, 0x00]
    /// The version that `ethtool -i` shows.
    public var firmwareVersion: UInt16 = 0x1057
    /// The fastest speed that the link partner offers.
    public var linkSpeed = LinkSpeed.megabits2500
    /// From "the PHY may" to "the link is up". Real parts take 2 to 3 s.
    public var autonegotiationNanoseconds: UInt64 = 5_000_000
    /// From the DD of a frame to its stamp. Real parts are never at 0.
    public var stampDelayNanoseconds: UInt64 = 0
    public var stampErrata: StampErrata = []
    /// What happens to the n-th stamp, counted from 0 over all slots.
    public var stampFaults: [Int: StampFault] = [:]
    /// Messages of one vector that tell of sent frames alone come no closer than this, nor closer than EITR says. More
    /// than 0 where a message costs its receiver more than late news of sent frames do.
    public var transmitMessageGapNanoseconds: UInt64 = 0
    /// Frames per queue and direction in one poll: what one queue may hold up the others.
    public var pollBudget = 64
    public var faults: I225Faults = []

    public init() {}
}

/// Errata of the stamp slots that a driver must cope with (Linux igc_ptp_tx_hwtstamp).
public struct StampErrata: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// After a stamp in slots 1 to 3 TSICR.TXTS is not raised again until TXSTMPH_0 has been read.
    public static let silentUntilSlot0IsRead = StampErrata(rawValue: 1)
    /// A read of TXSTMPH_0 empties all slots.
    public static let slot0EmptiesAll = StampErrata(rawValue: 2)
}

/// What goes wrong with one stamp.
public enum StampFault: Sendable, Equatable {
    /// The slot stays empty.
    case lost
    /// It comes this much later than the others, in nanoseconds.
    case late(UInt64)
}

/// What is broken in the device.
public struct I225Faults: OptionSet, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The NVM's words do not add up.
    public static let nvmChecksumWrong = I225Faults(rawValue: 1)
    /// EERD and EEWR never say done.
    public static let nvmNeverAnswers = I225Faults(rawValue: 2)
    /// There is no NVM: EECD says so, and the receive address stays empty.
    public static let nvmAbsent = I225Faults(rawValue: 4)
    /// Firmware holds the semaphores of NVM and PHY for ever.
    public static let firmwareKeepsSemaphores = I225Faults(rawValue: 8)
    /// Accesses to the PHY end with an error.
    public static let phyAbsent = I225Faults(rawValue: 16)
    /// Accesses to the PHY never end.
    public static let phyNeverAnswers = I225Faults(rawValue: 32)
    /// PHPM never says that the PHY's reset has ended.
    public static let phyResetNeverEnds = I225Faults(rawValue: 64)
    /// EECD never says that the defaults are loaded.
    public static let defaultsNeverLoaded = I225Faults(rawValue: 128)
    /// STATUS never says that requests on PCIe have stopped.
    public static let masterNeverStops = I225Faults(rawValue: 256)
}
