// A virtual MANA in this process, on a thread of its own, with whatever stands at the other end of its wire.

import Backing
import Clock
import Ethernet
import Interrupts
import Leases
import MANADriver
import MANAModel

/// The model, the thread that owns it, and the way for a driver to reach it.
public final class VirtualMANA {
    public let model: MANAModel
    public let backing: InProcess<MANAModel>
    public let census: Census
    private let loop: PollingLoop

    /// Starts the model's thread.
    ///
    /// - Parameters:
    ///   - port: the model's end of its wire.
    ///   - farEnd: what polls the other ends; the model's thread owns it too.
    ///   - name: in errors, and in the names of vectors.
    public init(
        _ options: MANAOptions,
        port: consuming WirePort,
        farEnd: [any Pollable],
        name: String = "virtual:mana",
        census: Census = Census()
    ) {
        let model = MANAModel(options: options, port: port, clock: .monotonic)
        let loop = PollingLoop([model] + farEnd)
        self.model = model
        self.loop = loop
        self.census = census
        backing = InProcess(model, name: name, loop: loop, census: census)
    }

    deinit { loop.stop() }

    /// Opens the card with our driver.
    ///
    /// - Parameter topology: the CPUs among which its vectors are spread.
    public func open(
        _ configuration: MANAConfiguration,
        topology: Topology
    ) throws(DeviceError) -> MANADevice<InProcess<MANAModel>> {
        try MANADevice(backing, configuration, topology: topology, clock: .monotonic, census: census)
    }

    /// Runs `body` where the model may be looked at.
    public func onModelThread<Result>(_ body: () -> Result) -> Result { backing.onOwner(body) }
}
