// Configuration space in the form of `lspci -xxxx`, which `lspci -F FILE` reads (pciutils, lib/dump.c).

import Backing
import Clock
import Ethernet
import GraceHopperModel
import I225Model
import MANAModel
import PCIe

/// The virtual devices as `lspci` shows a machine's.
public struct DeviceListing: Codable, JSONDocument, Sendable {
    /// One function: where it would be, who it is, and all its configuration space after firmware has placed its BARs.
    public struct Function: Codable, Sendable {
        public let address: String
        public let name: String
        public let vendor: UInt16
        public let device: UInt16
        public let classCode: UInt32
        public let configSpace: [UInt8]
    }

    public let functions: [Function]

    /// The functions with these names, or all there are; nil if one is unknown.
    public init?(_ names: [String]) throws {
        let catalogue: [(name: String, make: () throws -> any PCIeModel)] = [
            ("i225", { I225Model(options: I225Options(), port: .loopback(), clock: .virtual(VirtualClock())) }),
            ("mana", { MANAModel(options: MANAOptions(), port: .loopback(), clock: .virtual(VirtualClock())) }),
            ("gracehopper", { try GraceHopperModel(options: .init(), clock: .virtual(VirtualClock())) }),
        ]
        guard names.allSatisfy({ name in catalogue.contains { $0.name == name } }) else { return nil }
        let chosen = names.isEmpty ? catalogue : catalogue.filter { names.contains($0.name) }
        functions = try chosen.enumerated().map { Function(try $1.make(), name: $1.name, slot: $0) }
    }

    /// What `lspci -F` reads.
    public var hexDump: String {
        functions.map { function in
            let rows = stride(from: 0, to: function.configSpace.count, by: 16).map { start in
                let bytes = function.configSpace[start..<start + 16].map { hex(Int($0), digits: 2) }
                return hex(start, digits: 2) + ": " + bytes.joined(separator: " ")
            }
            return "\(function.address) \(function.name)\n" + rows.joined(separator: "\n") + "\n"
        }.joined(separator: "\n")
    }

    /// A line per function, as `lspci -n` prints it.
    public var text: String {
        functions.map { function in
            let identity = "\(hex(Int(function.vendor), digits: 4)):\(hex(Int(function.device), digits: 4))"
            return "\(function.address) \(hex(Int(function.classCode >> 8), digits: 4)): \(identity) \(function.name)"
        }.joined(separator: "\n")
    }
}

extension DeviceListing.Function {
    fileprivate init(_ model: any PCIeModel, name: String, slot: Int) {
        model.assignBARs()
        self.name = name
        address = "\(hex(slot, digits: 2)):00.0"
        vendor = model.identity.vendor
        device = model.identity.device
        classCode = model.identity.classCode
        configSpace = (0..<UInt16(ConfigSpace.byteCount)).map {
            UInt8(truncatingIfNeeded: model.readConfig($0, .byte))
        }
    }
}

private func hex(_ value: Int, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}
