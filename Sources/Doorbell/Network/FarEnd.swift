// What a virtual card's wire can end in, as a command line names it.

import Ethernet

/// The other end of a wire.
public enum FarEnd: Sendable, Equatable {
    /// A TAP device of Linux, made if there is none.
    case tap(TAPEnd)
    /// The card itself: its frames come back.
    case loopback

    /// `tap:NAME`, `tap:NAME,trains` or `loopback`; nil for anything else.
    public init?(_ text: String) {
        if text == "loopback" {
            self = .loopback
        } else if text.hasPrefix("tap:") {
            let takesTrains = text.hasSuffix(",trains")
            let name = text.dropFirst(4).dropLast(takesTrains ? 7 : 0)
            guard !name.isEmpty else { return nil }
            self = .tap(TAPEnd(name: String(name), takesTrains: takesTrains))
        } else {
            return nil
        }
    }
}

/// Which TAP device, and how frames get there.
public struct TAPEnd: Sendable, Equatable {
    public var name: String
    /// TCP segments that belong together reach the device as one packet.
    public var takesTrains: Bool

    public init(name: String, takesTrains: Bool = false) {
        self.name = name
        self.takesTrains = takesTrains
    }
}
