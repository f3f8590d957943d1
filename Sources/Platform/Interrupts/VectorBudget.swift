// How many vectors a driver can use: the least of what there is and what is wanted.

/// The limits on a function's vectors. One of them is the command channel's; the others are queues'.
public struct VectorBudget: Equatable, Sendable {
    /// Vectors of the MSI-X table.
    public var tableCount: Int
    /// What the device says it grants.
    public var offered: Int
    public var onlineCPUs: Int
    /// Queues that the driver will open at most. (A limit on queues that is not one on vectors leaves vectors idle: Linux's
    /// mana opens 64 and takes one vector per CPU.)
    public var queues: Int

    public init(tableCount: Int, offered: Int, onlineCPUs: Int, queues: Int) {
        self.tableCount = tableCount
        self.offered = offered
        self.onlineCPUs = onlineCPUs
        self.queues = queues
    }

    /// As many as can be used, 0 if the device grants none.
    public var usable: Int {
        max(0, min(tableCount, offered, max(0, onlineCPUs) + 1, max(0, queues) + 1))
    }
}
