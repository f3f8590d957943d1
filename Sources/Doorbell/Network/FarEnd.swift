// What a virtual card's wire can end in, as a command line names it.

import Ethernet

/// The other end of a wire.
public enum FarEnd: Sendable, Equatable {
    /// A TAP device of Linux, made if there is none.
    case tap(String)
    /// The card itself: its frames come back.
    case loopback

    /// `tap:NAME` or `loopback`; nil for anything else.
    public init?(_ text: String) {
        if text == "loopback" {
            self = .loopback
        } else if text.hasPrefix("tap:"), text.count > 4 {
            self = .tap(String(text.dropFirst(4)))
        } else {
            return nil
        }
    }
}
