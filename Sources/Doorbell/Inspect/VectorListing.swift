// The interrupt vectors of a device, as /proc/interrupts and /proc/irq show a machine's.

import Interrupts

/// The vectors that a device's driver has on loan.
public struct VectorListing: Codable, JSONDocument, Sendable {
    /// One of them.
    public struct Vector: Codable, Equatable, Sendable {
        public let index: Int
        public let name: String
        /// In the kernel's list form; nil: anywhere.
        public let cpus: String?
        public let fired: UInt64
    }

    /// How the backing names the device.
    public let device: String
    /// Vectors of its MSI-X table.
    public let tableCount: Int
    public let vectors: [Vector]

    init(device: String, tableCount: Int, _ statuses: [VectorStatus]) {
        self.device = device
        self.tableCount = tableCount
        vectors = statuses.map {
            Vector(index: $0.index, name: $0.name, cpus: $0.cpus?.description, fired: $0.firedCount)
        }
    }

    /// A line per vector.
    public var text: String {
        var table = TextTable(["name", "index", "CPUs", "fired"])
        for vector in vectors { table.add([vector.name, "\(vector.index)", vector.cpus ?? "any", "\(vector.fired)"]) }
        return "\(device): \(vectors.count) of \(tableCount) vectors on loan\n" + table.text
    }
}
