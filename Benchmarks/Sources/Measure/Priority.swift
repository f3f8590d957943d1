import Foundation

/// Puts this process, and the ones that it starts, before the rest of the machine, where that is allowed. Both sides of a
/// ratio gain the same.
public func raisePriority() {
    _ = nice(-20)
}
