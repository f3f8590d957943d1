// What a MANA's driver does by the shared-memory window and the hardware channel, for logs and for tests of its order.

import MANAWire

/// One step of a driver.
public enum DriverStep: Equatable, Sendable, CustomStringConvertible {
    case establishedChannel
    case destroyedChannel
    /// A request, and the status of its answer.
    case asked(RequestKind, ResponseStatus)

    public var description: String {
        switch self {
        case .establishedChannel: "channel established"
        case .destroyedChannel: "channel destroyed"
        case .asked(let kind, .success): "request \(hex(kind.rawValue))"
        case .asked(let kind, let status): "request \(hex(kind.rawValue)): status \(hex(status.rawValue))"
        }
    }
}

private func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
