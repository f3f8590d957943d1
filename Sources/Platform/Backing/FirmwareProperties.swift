// What firmware says of a device beyond its configuration space: the properties of ACPI's _DSD (ACPI 6.5 §6.2.5).

/// Named numbers of one device.
public struct FirmwareProperties: Sendable, Equatable {
    private let values: [String: UInt64]

    public init(_ values: [String: UInt64] = [:]) { self.values = values }

    /// nil: firmware has no such property.
    public subscript(name: String) -> UInt64? { values[name] }
}
