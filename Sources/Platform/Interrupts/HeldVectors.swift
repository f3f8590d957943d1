// The vectors that one owner has, by number, until it hands them on or gives them back.

/// Leases by the number of their vector. Its end returns all of them, highest first.
public struct HeldVectors: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): handed over by consuming; the slots never leave it.
    /// An array cannot have noncopyable elements.
    private final class Slot {
        var lease: VectorLease?
        init(_ lease: consuming VectorLease) { self.lease = consume lease }

        func eventDescriptor() -> Int32? {
            switch lease {
            case .some(let lease): lease.eventDescriptor()
            case .none: nil
            }
        }
    }

    private var slots: [Slot?] = []
    public private(set) var count = 0

    public init() {}

    deinit { for index in slots.indices.reversed() { slots[index]?.lease = nil } }

    public func contains(_ index: Int) -> Bool { slots.indices.contains(index) && slots[index] != nil }

    /// Keeps a lease.
    public mutating func add(_ lease: consuming VectorLease) {
        let index = lease.index
        while slots.count <= index { slots.append(nil) }
        // The service lends a number once at a time.
        precondition(slots[index] == nil, "a vector has one holder")
        slots[index] = Slot(lease)
        count += 1
    }

    /// Hands vector `index` on, e.g. to the owner of a queue; nil if it is not here.
    public mutating func take(_ index: Int) -> VectorLease? {
        guard contains(index) else { return nil }
        let slot = slots[index]
        slots[index] = nil
        count -= 1
        return slot?.lease.take()
    }

    /// Whether vector `index` fired since the last call; clears that. False if it is not here.
    public mutating func consume(_ index: Int) -> Bool {
        guard contains(index) else { return false }
        return slots[index]?.lease?.consume() ?? false
    }

    /// A descriptor that becomes readable when vector `index` fires; nil if it is not here.
    public func eventDescriptor(_ index: Int) -> Int32? {
        contains(index) ? slots[index]?.eventDescriptor() : nil
    }

    /// Gives the vectors from `limit` on back, highest first: what was taken before it was known what can be used.
    public mutating func giveBack(from limit: Int) {
        for index in slots.indices.reversed() where index >= max(0, limit) { _ = take(index) }
    }
}
