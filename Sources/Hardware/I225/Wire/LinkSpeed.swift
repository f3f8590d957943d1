// Link speeds, and how long a frame is on its way between the wire and the point that is stamped.
// Source: Linux igc.h (IGC_I225_TX_LATENCY_*, IGC_I225_RX_LATENCY_*) of 6.12 and 7.x.

import Registers

/// A speed of the link, in Mb/s.
@frozen public enum LinkSpeed: Int, Sendable, CaseIterable {
    case megabits10 = 10
    case megabits100 = 100
    case megabits1000 = 1000
    case megabits2500 = 2500

    /// Nanoseconds from the raw transmit stamp to the wire: software adds them.
    @inlinable public var transmitLatency: UInt64 {
        switch self {
        case .megabits10: 240
        case .megabits100: 58
        case .megabits1000: 80
        case .megabits2500: 1325
        }
    }

    /// Nanoseconds from the wire to the raw receive stamp: software subtracts them.
    @inlinable public var receiveLatency: UInt64 {
        switch self {
        case .megabits10: 6450
        case .megabits100: 185
        case .megabits1000: 300
        case .megabits2500: 1485
        }
    }
}

extension DeviceStatus {
    /// The speed that the bits give; it counts while the link is up.
    @inlinable public var speed: LinkSpeed {
        get {
            if self[.speed1000] { return self[.speed2500] ? .megabits2500 : .megabits1000 }
            return self[.speed100] ? .megabits100 : .megabits10
        }
        set {
            self[.speed100] = newValue == .megabits100
            self[.speed1000] = newValue == .megabits1000 || newValue == .megabits2500
            self[.speed2500] = newValue == .megabits2500
        }
    }
}
