// The MANA as `doorbell serve` has it.

import Clock
import Ethernet
import MANAModel
import MANAWire

/// What can be chosen of served MANAs.
public struct MANACard: Sendable {
    /// Which of the adapter's functions it is.
    public enum Function: String, Sendable, CaseIterable {
        /// What a guest in Azure sees.
        case virtual = "vf"
        case physical = "pf"
        /// A physical function with a virtual one's registers; Linux 6.12 does not know it.
        case physical2 = "pf2"
    }

    public var function = Function.virtual
    /// The vectors that it says may be used (max_msix); nil: as many as the model offers.
    public var vectors: UInt32?
    /// Entries of its MSI-X table.
    public var tableVectors: Int?
    /// Queues of a port and direction.
    public var queues: Int?
    public var ports: Int?

    public init() {}

    /// Why no card is like that; nil: one can be.
    public var objection: String? {
        if let tableVectors, !(1...2048).contains(tableVectors) { return "an MSI-X table has 1 to 2048 vectors" }
        if let queues, !(1...64).contains(queues) { return "a port has 1 to 64 queues" }
        if let ports, !(1...16).contains(ports) { return "a card has 1 to 16 ports" }
        return nil
    }

    fileprivate var options: MANAOptions {
        var options = MANAOptions()
        options.deviceID =
            switch function {
            case .virtual: .virtualFunction
            case .physical: .physicalFunction
            case .physical2: .physicalFunction2
            }
        if let vectors { options.limits.vectors = vectors }
        if let tableVectors { options.limits.tableVectors = tableVectors }
        if let queues { options.limits.portQueues = queues }
        if let ports { options.limits.ports = ports }
        return options
    }
}

extension MANACard: NetworkCardDescription {
    var firstAddress: StationAddress { StationAddress(MANAOptions().macAddress) }

    func make(address: MACAddress, port: consuming WirePort) -> MANAModel {
        var options = options
        options.macAddress = address
        return MANAModel(options: options, port: port, clock: .monotonic)
    }
}

extension MANAModel: ServedNetworkModel {
    var passage: FramePassage? {
        let counters = counters
        return FramePassage(
            framesTransmitted: counters.framesSent,
            framesReceived: counters.framesReceived,
            framesDropped: counters.framesDropped
        )
    }

    var refusedDMA: UInt64 { counters.dmaFaults }

    func setCable(plugged: Bool) { setLink(up: plugged) }

    func trace(_ log: @escaping (String) -> Void) { onDriverStep = { log("\($0)") } }
}
