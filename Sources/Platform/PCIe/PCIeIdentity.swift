/// Who a PCI function says it is (PCI Local Bus 3.0 §6.1).
public struct PCIeIdentity: Sendable, Equatable {
    public var vendor: UInt16
    public var device: UInt16
    public var subsystemVendor: UInt16
    public var subsystem: UInt16
    /// Base class, subclass and programming interface, e.g. 0x020000 for an Ethernet controller.
    public var classCode: UInt32
    public var revision: UInt8

    public init(
        vendor: UInt16,
        device: UInt16,
        subsystemVendor: UInt16 = 0,
        subsystem: UInt16 = 0,
        classCode: UInt32,
        revision: UInt8
    ) {
        self.vendor = vendor
        self.device = device
        self.subsystemVendor = subsystemVendor
        self.subsystem = subsystem
        self.classCode = classCode
        self.revision = revision
    }
}
