// A Grace Hopper GPU with our variant driver over it: what firmware says, how the memory is split, what a VM gets.

import Backing
import Clock
import Glibc
import GraceHopperDriver
import GraceHopperModel
import GraceHopperWire
import Memory
import PCIe
import VFIOVariant

/// What `doorbell inspect gracehopper` shows.
public struct GraceHopperListing: Codable, JSONDocument, Sendable {
    /// A part of the memory, and the BAR that shows it.
    public struct Part: Codable, Sendable, Equatable {
        public let name: String
        public let region: Int
        public let address: UInt64
        public let byteCount: UInt64
        public let barByteCount: UInt64
    }

    /// A region as VFIO's users see it; those of no bytes are left out.
    public struct Region: Codable, Sendable, Equatable {
        public let index: Int
        public let byteCount: UInt64
        public let is64Bit: Bool
        public let isPrefetchable: Bool
        /// Bytes from the region's start that can be mapped; 0: none.
        public let mappableByteCount: UInt64
        /// How they are cached; nil: none are.
        public let caching: String?
    }

    public let device: String
    public let vendor: UInt16
    public let id: UInt16
    public let part: String
    public let properties: [String: UInt64]
    /// Why nothing but the function itself is lent; nil: memory is.
    public let plainReason: String?
    public let parts: [Part]
    public let regions: [Region]

    /// Opens a GPU, and looks.
    ///
    /// - Throws: what the driver says of memory that it cannot split.
    public init(_ card: GraceHopperCard) throws {
        let gpu = try VirtualGraceHopper(card.options, clock: .virtual(VirtualClock()))
        let model = gpu.model
        let driver = gpu.device
        try driver.open()
        defer { driver.close() }
        device = driver.name
        vendor = driver.identity.vendor
        id = driver.identity.device
        part = model.options.part.name
        var properties: [String: UInt64] = [:]
        for name in [MemoryProperties.base, MemoryProperties.byteCount] { properties[name] = model.properties[name] }
        self.properties = properties
        switch driver.lending {
        case .memory(let split):
            plainReason = nil
            parts =
                [Part(split.usable, "usable", region: 4)]
                + (split.reserved.map { [Part($0, "reserved", region: 2)] } ?? [])
        case .plain(let reason):
            plainReason = reason
            parts = []
        }
        regions = (0..<VFIORegion.count).compactMap { index in
            // Throws for regions that PCI functions have and this one does not (VGA).
            guard let region = try? driver.region(index), region.byteCount > 0 else { return nil }
            return Region(region, index: index)
        }
    }

    public var text: String {
        var lines = ["\(device): \(part) (\(String(vendor, radix: 16)):\(String(id, radix: 16)))"]
        for (name, value) in properties.sorted(by: { $0.key < $1.key }) { lines.append("\(name) = \(hex(value))") }
        lines.append("")
        if let plainReason {
            lines.append("lent as it is: \(plainReason)")
        } else {
            var table = TextTable(["memory", "address", "bytes", "size", "region", "BAR"])
            for part in parts {
                table.add([
                    part.name, hex(part.address), hex(part.byteCount), "\(MemorySize(byteCount: part.byteCount))",
                    "\(part.region)", "\(MemorySize(byteCount: part.barByteCount))",
                ])
            }
            lines.append(table.text)
        }
        lines.append("")
        var table = TextTable(["region", "size", "kind", "to be mapped", "caching"])
        for region in regions {
            table.add([
                "\(region.index)", "\(MemorySize(byteCount: region.byteCount))", region.kind,
                region.mappableByteCount > 0 ? hex(region.mappableByteCount) : "-", region.caching ?? "-",
            ])
        }
        lines.append(table.text)
        return lines.joined(separator: "\n")
    }
}

extension GraceHopperListing.Part {
    fileprivate init(_ part: MemoryPart, _ name: String, region: Int) {
        self.name = name
        self.region = region
        address = part.base
        byteCount = part.byteCount
        barByteCount = part.barByteCount
    }
}

extension GraceHopperListing.Region {
    fileprivate init(_ region: VFIORegion, index: Int) {
        self.index = index
        byteCount = region.byteCount
        is64Bit = region.is64Bit
        isPrefetchable = region.isPrefetchable
        mappableByteCount = region.memory?.areas.last?.upperBound ?? 0
        caching =
            switch region.memory?.caching {
            case .writeBack: "write-back"
            case .writeCombining: "write-combining"
            case nil: nil
            }
    }

    fileprivate var kind: String {
        guard index < VFIORegion.rom else { return index == VFIORegion.config ? "configuration space" : "ROM" }
        return "BAR, \(is64Bit ? 64 : 32)-bit\(isPrefetchable ? ", prefetchable" : "")"
    }
}
