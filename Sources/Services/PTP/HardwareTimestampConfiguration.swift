// Which frames a device stamps. Source of truth: `struct hwtstamp_config` of linux/net_tstamp.h.

/// What SIOCSHWTSTAMP sets.
public struct HardwareTimestampConfiguration: Hashable, Sendable {
    /// `tx_type`
    public enum Transmit: Int32, Sendable {
        /// HWTSTAMP_TX_OFF: requests end without a stamp.
        case off = 0
        /// HWTSTAMP_TX_ON: frames that ask for a stamp get one.
        case on = 1
    }

    /// `rx_filter`
    public enum ReceiveFilter: Int32, Sendable {
        /// HWTSTAMP_FILTER_NONE
        case none = 0
        /// HWTSTAMP_FILTER_ALL
        case all = 1
    }

    public var transmit: Transmit
    public var receive: ReceiveFilter

    /// After reset nothing is stamped.
    public init(transmit: Transmit = .off, receive: ReceiveFilter = .none) {
        self.transmit = transmit
        self.receive = receive
    }

    /// The configuration that a device which stamps all frames or none makes of a request, as Linux's igc does
    /// (`igc_ptp_set_timestamp_mode`): every known filter for some frames becomes the one for all. Nil, which is ERANGE,
    /// for a transmit type or a filter that is none of the header's.
    public init?(requestedTransmit: Int32, requestedFilter: Int32) {
        guard let transmit = Transmit(rawValue: requestedTransmit) else { return nil }
        switch requestedFilter {
        case ReceiveFilter.none.rawValue: receive = .none
        // All of the header but HWTSTAMP_FILTER_SOME, which names no frames.
        case 1, 3...15: receive = .all
        default: return nil
        }
        self.transmit = transmit
    }
}
