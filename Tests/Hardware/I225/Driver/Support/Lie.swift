// What a device may say about a received frame that cannot be so.

import I225Wire
import Testing

/// A lie about one received frame.
struct Lie: Sendable, CustomTestStringConvertible {
    let name: String
    let length: UInt16
    let status: ReceiveStatus
    var testDescription: String { name }
}

let liesAboutFrames = [
    Lie(name: "64 KB", length: 0xFFFF, status: .whole),
    Lie(name: "a byte more than the chunk has", length: 3841, status: .whole),
    Lie(name: "damaged", length: 60, status: .whole.with(.receiveError)),
    Lie(name: "a stamp and 1 byte", length: 1, status: .whole.with(.stamped)),
    Lie(name: "a stamp and 15 bytes", length: 15, status: .whole.with(.stamped)),
    Lie(name: "a stamp and no frame", length: 16, status: .whole.with(.stamped)),
    Lie(name: "all bits, 64 KB", length: 0xFFFF, status: ReceiveStatus(raw: ~0)),
]
