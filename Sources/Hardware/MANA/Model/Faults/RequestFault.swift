// A request of the hardware channel whose answer goes wrong: what a driver waits for, holds against its request and believes.
// Source: Linux mana_hwc_send_request, mana_hwc_handle_resp (hw_channel.c) of 6.12 and 7.x.

import MANAWire

/// A request whose answer goes wrong.
public struct RequestFault: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// Carried out, and never answered.
        case lost
        /// Carried out, and answered this much later, in nanoseconds.
        case late(UInt64)
        /// Not carried out: refused with this status.
        case refused(ResponseStatus)
        // Carried out; the answer's header has this instead.
        case status(ResponseStatus)
        case messageID(UInt16)
        case messageType(UInt32)
        case version(UInt16)
        case device(AdapterDevice)
        case activity(UInt32)
        /// Carried out; bytes of the answer, as its completion tells.
        case bytes(Int)
        /// Carried out; the completion names another request of the receive ring.
        case offset(UInt32)
        /// Carried out; the completion names another queue.
        case queue(UInt32)
        /// Carried out and answered twice, if there is a second buffer.
        case twice
        /// Carried out; from byte `at` of the answer on these bytes stand instead.
        case contents(at: Int, [UInt8])
    }

    /// nil: any request.
    public var request: RequestKind?
    /// Which of them, from 0; nil: each.
    public var occurrence: Int?
    public var kind: Kind

    public init(_ kind: Kind, of request: RequestKind? = nil, occurrence: Int? = 0) {
        self.kind = kind
        self.request = request
        self.occurrence = occurrence
    }
}
