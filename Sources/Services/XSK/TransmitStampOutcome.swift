// How a request for a transmit timestamp ended. The kernel's ABI has only the stamp, so a program there cannot tell
// "no stamp" from what was in the field before; here every request ends with one of these.

/// How a request for a transmit timestamp ended.
@frozen public enum TransmitStampOutcome: Equatable, Sendable {
    /// The frame left at this time of the card's clock.
    case stamped(nanoseconds: UInt64)
    /// All of the card's stamp registers were taken, and the user chose not to wait.
    case noSlot
    /// The frame was sent, but no stamp came before the deadline.
    case timedOut
    /// The queue or the pool was taken down before the stamp came.
    case tornDown
    /// Stamping is switched off on the device.
    case disabled

    /// The word in the metadata's status field. 0 is left for "not ended yet".
    @inlinable public var status: UInt64 {
        switch self {
        case .stamped: return 1
        case .noSlot: return 2
        case .timedOut: return 3
        case .tornDown: return 4
        case .disabled: return 5
        }
    }

    /// The word in the metadata's timestamp field: 0 for every end without a stamp.
    @inlinable public var timestamp: UInt64 {
        guard case .stamped(let nanoseconds) = self else { return 0 }
        return nanoseconds
    }

    /// The outcome that a driver wrote as these two words; nil while there is none.
    @inlinable public init?(status: UInt64, timestamp: UInt64) {
        switch status {
        case 1: self = .stamped(nanoseconds: timestamp)
        case 2: self = .noSlot
        case 3: self = .timedOut
        case 4: self = .tornDown
        case 5: self = .disabled
        default: return nil
        }
    }
}
