// Why a frame did not leave: what its completion says of it, and which counter of the function grows.
// Source: Linux enum mana_cqe_type, struct mana_query_gf_stat_resp (mana.h), mana_poll_tx_cq of 6.12 and 7.x.

import MANAWire

/// What is wrong with a send request. The raw value is the completion's vendor error, for whoever reads a trace.
package enum SendRefusal: UInt32, Error, Sendable, CaseIterable {
    /// It reaches beyond the tail, or is longer than a request may be: where the next one starts is unknown.
    case beyondTail = 1
    /// No memory, or memory under another key or where the device may not go.
    case memory = 2
    /// Sizes that do not go together: the format and its inline bytes, the headers and the first piece.
    case outOfBand = 3
    /// Names another queue than the one it was posted to.
    case otherQueue = 4
    /// Asks for what this adapter does not do: encapsulation.
    case unsupported = 5
    /// The headers are not where it says, or not what it says.
    case headers = 6
    case tooLong = 7
    case tooShort = 8
    case portDisabled = 9
    case portOffset = 10

    /// The completion's type.
    package var type: CompletionType {
        switch self {
        case .beyondTail, .memory, .outOfBand, .otherQueue, .unsupported: .invalidOutOfBand
        case .headers, .tooShort: .headerError
        case .tooLong: .lengthDrop
        case .portDisabled: .portDisabled
        case .portOffset: .portOutOfRange
        }
    }

    package var statistic: FunctionStatistic {
        switch self {
        case .beyondTail, .memory: .transmitRequest
        case .outOfBand, .otherQueue, .unsupported, .headers, .tooShort: .transmitOutOfBand
        case .tooLong: .transmitTooLong
        case .portDisabled: .transmitPortDisabled
        case .portOffset: .transmitPortOffset
        }
    }
}
