// An eventfd as a client has it.

import CLinux
import VFIOUser

/// An eventfd, and what was signalled on it.
public struct EventDescriptor: ~Copyable {
    private let descriptor: OwnedDescriptor

    public init() { descriptor = OwnedDescriptor(owning: clinux_eventfd()) }

    public var raw: Int32 { descriptor.raw }

    /// Signals since the last call.
    public func take() -> UInt64 { clinux_drain_eventfd(descriptor.raw) }
}
