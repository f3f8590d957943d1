/// A device that is open for its one user. Its end closes it.
public struct OpenDevice<Device: VFIODevice>: ~Copyable, Sendable {
    public let device: Device

    /// Opens the device. Throws what the device does: `EBUSY` if somebody has it open.
    public init(_ device: Device) throws(VFIOError) {
        try device.open()
        self.device = device
    }

    deinit { device.close() }
}
