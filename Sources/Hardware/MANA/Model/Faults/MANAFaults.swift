// What is broken in a virtual MANA: for the tests of a driver, which must name it, count it and live on.

import MANAWire

/// What is broken in the device.
public struct MANAFaults: Sendable, Equatable {
    /// What BAR 0's registers read as instead, by offset of a 64-bit word.
    public var registers: [UInt64: UInt64] = [:]
    public var window = WindowFault.none
    /// Which request of the window goes wrong, from 0; nil: each. A function level reset begins anew.
    public var windowOccurrence: Int?
    /// What the device tells of the hardware channel instead.
    public var channelItems: [ChannelItem: UInt32] = [:]
    public var missingChannelItems: Set<ChannelItem> = []
    /// The first event, INIT_EQ_ID_DB, is not sent, or the last one, INIT_DONE.
    public var losesChannelQueue = false
    public var losesChannelDone = false
    public var requests: [RequestFault] = []
    /// Entries of completion and event rings.
    public var entries: [EntryFault] = []
    /// Test events are asked for and do not come.
    public var losesTestEvents = false
    /// Fences are asked for and do not come.
    public var losesFences = false
    /// CREATE_QUEUE refuses event queues on this vector and above.
    public var refusesVectorsFrom: Int?

    public init() {}
}

/// What is wrong with the shared-memory window.
public enum WindowFault: Sendable, Equatable {
    case none
    /// The device never lets go of it.
    case staysDevices
    /// The device takes it at a request and never gives it back.
    case neverAnswers
    /// The answer comes this late, in nanoseconds.
    case late(UInt64)
    /// The answer is these 32 bits, and nothing has been done.
    case answers(UInt32)
}
