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

        init(_ status: VectorStatus) {
            index = status.index
            name = status.name
            cpus = status.cpus?.description
            fired = status.firedCount
        }
    }

    /// How the backing names the device.
    public let device: String
    /// Vectors of its MSI-X table.
    public let tableCount: Int
    public let vectors: [Vector]

    init(device: String, tableCount: Int, _ statuses: [VectorStatus]) {
        self.device = device
        self.tableCount = tableCount
        vectors = statuses.map(Vector.init)
    }

    /// A line per vector.
    public var text: String {
        var table = TextTable(["name", "index", "CPUs", "fired"])
        for vector in vectors { table.add([vector.name, "\(vector.index)", vector.cpus ?? "any", "\(vector.fired)"]) }
        return "\(device): \(vectors.count) of \(tableCount) vectors on loan\n" + table.text
    }
}
