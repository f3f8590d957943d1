// The figures of the story of BARs, and what of them cannot be.

import GraceHopperDriver
import GraceHopperWire

/// The figures of the story of BARs.
public struct BarFigures: Codable, Sendable {
    /// Of the GPU that was lent, and of it what is there at the end.
    public let memoryByteCount: UInt64
    public let allocatedByteCount: UInt64
    public let splits: [SplitFigures]
    public let edges: [EdgeFigures]
    public let calls: [CallFigures]
    public let bandwidth: [BandwidthRun]
    /// 8-byte reads behind the memory, each a message.
    public let messagesPerSecond: Double
}

/// How one part's memory is split.
public struct SplitFigures: Codable, Sendable, Equatable {
    public let part: String
    public let memory: UInt64
    public let usable: UInt64
    public let reserved: UInt64
    /// Bytes of the BARs 4 and 2; 0: there is none.
    public let usableBAR: UInt64
    public let reservedBAR: UInt64

    init(_ split: BarStory.Split) throws {
        var card = GraceHopperCard()
        card.memory = MemorySize(byteCount: split.memory)
        if let part = GraceHopperPart.of(device: split.device) { card.part = part }
        let gpu = try VirtualGraceHopper(card.options)
        part = card.part.name
        memory = split.memory
        guard case .memory(let found) = gpu.device.lending else {
            (usable, reserved, usableBAR, reservedBAR) = (0, 0, 0, 0)
            return
        }
        usable = found.usable.byteCount
        reserved = found.reserved?.byteCount ?? 0
        usableBAR = found.usable.barByteCount
        reservedBAR = found.reserved?.barByteCount ?? 0
    }

    func problem(_ expected: BarStory.Split) -> String? {
        let found = [usable, reserved, usableBAR, reservedBAR]
        let wanted = [expected.usable, expected.reserved, expected.usableBAR, expected.reservedBAR]
        return found == wanted
            ? nil : "\(part) of \(MemorySize(byteCount: memory)): split and BARs \(found), expected \(wanted)"
    }
}

/// What came of an access at an edge.
public struct EdgeFigures: Codable, Sendable, Equatable {
    public let region: Int
    public let place: String
    public let offset: UInt64
    public let count: Int
    public let expected: String
    public let file: String
    /// nil: a machine has no such address.
    public let machine: String?

    init(_ edge: EdgeCase, file: EdgeOutcome, machine: EdgeOutcome?) {
        region = edge.region
        place = edge.place
        offset = edge.offset
        count = edge.count
        expected = edge.expected.description
        self.file = file.description
        self.machine = machine?.description
    }

    var problem: String? {
        guard file == expected, machine == nil || machine == expected else {
            return "region \(region), \(place): \(file) as a file, \(machine ?? "-") in a machine, expected \(expected)"
        }
        return nil
    }
}

/// What came of another call.
public struct CallFigures: Codable, Sendable, Equatable {
    /// `file` or `machine`.
    public let caller: String
    public let call: String
    public let outcome: String
    public let expected: String

    init(_ caller: String, _ call: String, _ outcome: String, _ expected: String) {
        self.caller = caller
        self.call = call
        self.outcome = outcome
        self.expected = expected
    }

    var problem: String? { outcome == expected ? nil : "\(caller), \(call): \(outcome), expected \(expected)" }
}
