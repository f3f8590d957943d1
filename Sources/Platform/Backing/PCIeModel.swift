// The device's side of a PCI function: the mirror image of `PCIeBacking`. A vfio-user server, the in-process backing
// and a test all drive a model through exactly this.

import Clock
import PCIe

/// A virtual PCI function.
///
/// All that comes in is hostile: an access of any size, offset and value has an answer, and a counter where it was
/// wrong. All methods are called on the model's owner thread. A model makes progress only when it is accessed or
/// polled; it takes time from its host's clock alone.
public protocol PCIeModel: Pollable {
    var identity: PCIeIdentity { get }
    var baseAddressRegisters: [BaseAddressRegister] { get }
    var vectorCount: Int { get }
    var host: DeviceHost { get }

    func readConfig(_ offset: UInt16, _ size: AccessSize) -> UInt64
    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt64)
    func read(bar: Int, _ offset: UInt64, _ size: AccessSize) -> UInt64
    /// When it returns the device has acted on the write: DMA that it stops has stopped.
    func write(bar: Int, _ offset: UInt64, _ size: AccessSize, _ value: UInt64)
    /// Function level reset: all state to power-on, DMA stopped.
    func reset()

    /// The doorbell that the register at `offset` is, if it is one: its number in `host.doorbells`.
    func doorbellIndex(bar: Int, _ offset: UInt64) -> Int?
}

extension PCIeModel {
    public var wakeDescriptors: [Int32] { [host.doorbells.wakeDescriptor] }
    public func setSleeping(_ sleeping: Bool) { host.doorbells.setSleeping(sleeping) }
}
