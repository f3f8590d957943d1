// The I225 as `doorbell serve` has it.

import Clock
import Ethernet
import I225Model

/// What can be chosen of served I225s.
public struct I225Card: Sendable {
    /// What goes wrong with stamps, on every card.
    public var stampFaults: [StampFaultRule] = []

    public init() {}
}

extension I225Card: NetworkCardDescription {
    var firstAddress: StationAddress { StationAddress(MACAddress(value: 0x021B_2102_2500)) }

    func make(address: MACAddress, port: consuming WirePort) -> I225Model {
        var options = I225Options()
        options.macAddress = address.bytes
        // A message wakes QEMU's main loop, which then keeps a guest's CPU from its next register write: with none held
        // back, a quarter of that CPU's time went there (Guests/README.md, "How fast").
        options.transmitMessageGapNanoseconds = 200_000
        for rule in stampFaults { options.stampFaults[rule.number] = rule.fault }
        return I225Model(options: options, port: port, clock: .monotonic)
    }
}

extension I225Model: ServedNetworkModel {
    var passage: FramePassage? {
        let counters = counters
        return FramePassage(
            framesTransmitted: counters.framesTransmitted,
            framesReceived: counters.framesReceived,
            framesDropped: counters.framesDropped
        )
    }

    var refusedDMA: UInt64 { counters.dmaFaults }

    /// It has no word for that.
    func requestReset() {}

    /// Its driver asks by registers alone, and there are too many of them.
    func trace(_ log: @escaping (String) -> Void) {}
}
