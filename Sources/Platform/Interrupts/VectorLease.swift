// A vector that the service lends.

/// A vector of a function, with its name and its place. Its end takes the vector from the device, then frees its number.
public struct VectorLease: ~Copyable, Sendable {
    /// As Linux's driver names it in `/proc/interrupts`, e.g. `mana_hwc@pci:0000:00:02.0`.
    public let name: String
    /// Where its handler is to run; nil: anywhere.
    public let cpus: CPUSet?
    // In this order they end: a number must not be lent again while its vector is still attached.
    private var lease: InterruptLease
    private let place: VectorPlace

    init(_ lease: consuming InterruptLease, name: String, cpus: CPUSet?, place: consuming VectorPlace) {
        self.name = name
        self.cpus = cpus
        self.lease = lease
        self.place = place
    }

    /// Of the MSI-X table.
    public var index: Int { place.index }

    /// Messages in all.
    public var firedCount: UInt64 { lease.firedCount }

    /// Whether the vector fired since the last call; clears that.
    public mutating func consume() -> Bool { lease.consume() }

    /// A descriptor that becomes readable when the vector fires. Asking for it makes the device's end signal it.
    public func eventDescriptor() -> Int32 { lease.eventDescriptor() }
}
