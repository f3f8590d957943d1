// What a network driver counts. Names are Linux's own (`ethtool -S`): dashboards key on them.

/// One counter of a network device, under the name that Linux's driver gives it.
public struct NetdevStatistic: Sendable, Equatable {
    public let name: String
    public let value: UInt64

    public init(_ name: String, _ value: UInt64) {
        self.name = name
        self.value = value
    }
}

/// The state of a network device's link.
public struct LinkState: Sendable, Equatable {
    /// Megabits per second; 0 while the link is down.
    public var speed: Int
    public var isFullDuplex: Bool
    /// Pause frames are honoured, and sent (IEEE 802.3 Annex 28B).
    public var receivesPause: Bool
    public var sendsPause: Bool

    public static let down = LinkState(speed: 0, isFullDuplex: false, receivesPause: false, sendsPause: false)

    public init(speed: Int, isFullDuplex: Bool, receivesPause: Bool, sendsPause: Bool) {
        self.speed = speed
        self.isFullDuplex = isFullDuplex
        self.receivesPause = receivesPause
        self.sendsPause = sendsPause
    }

    public var isUp: Bool { speed != 0 }
}
