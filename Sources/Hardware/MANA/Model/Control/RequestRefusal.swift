// Why a request is not carried out. Linux tells success, "more entries" and "unsupported" apart and takes any other status
// for an error (mana_hwc_send_request, hw_channel.c); the values are a Windows host's own.

import MANAWire

/// A request that has no effect.
enum RequestRefusal: UInt32, Error {
    /// A field that cannot be.
    case invalid = 0xC000_000D
    /// A handle or an id that nothing has.
    case notFound = 0xC000_0225
    /// None is left.
    case exhausted = 0xC000_009A
    /// Not for this function.
    case notPermitted = 0xC000_0022
    /// Not at this time: something must come first.
    case notReady = 0xC000_00A3
    case unsupported = 0xFFFF_FFFF

    var status: ResponseStatus { .init(rawValue: rawValue) }
}
