// What a device has out on loan: the other side of a driver's leases.

/// What a driver has taken and not given back.
public struct MANAHoldings: Sendable, Equatable {
    public var regions = 0
    /// Protection domains, memory registrations, pieces of device memory, doorbell pages.
    public var protections = 0
    public var eventQueues = 0
    public var workQueues = 0
    public var filters = 0
    public var hardwarePorts = 0
    public var isRegistered = false

    public init() {}
}
