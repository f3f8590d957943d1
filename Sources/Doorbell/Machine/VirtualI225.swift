// A virtual I225 in this process, on a thread of its own, with whatever stands at the other end of its wire.

import Backing
import Clock
import Ethernet
import I225Driver
import I225Model
import Leases

/// The model, the thread that owns it, and the way for a driver to reach it.
public final class VirtualI225 {
    public let model: I225Model
    public let backing: InProcess<I225Model>
    public let census: Census
    private let loop: PollingLoop

    /// Starts the model's thread.
    ///
    /// - Parameters:
    ///   - port: the model's end of its wire.
    ///   - farEnd: what polls the other ends; the model's thread owns it too.
    ///   - capture: gets a copy of every frame, with the card's time.
    ///   - name: in errors.
    public init(
        _ options: I225Options,
        port: consuming WirePort,
        farEnd: [any Pollable],
        capture: consuming FrameProducer? = nil,
        name: String = "virtual:i225",
        census: Census = Census()
    ) {
        let model = I225Model(options: options, port: port, clock: .monotonic)
        model.capture = capture
        let loop = PollingLoop([model] + farEnd)
        self.model = model
        self.loop = loop
        self.census = census
        backing = InProcess(model, name: name, loop: loop, census: census)
    }

    deinit { loop.stop() }

    /// Opens the card with our driver.
    public func open(
        _ configuration: I225Configuration
    ) throws(DeviceError) -> I225Device<InProcess<I225Model>> {
        try I225Device(backing, configuration, clock: .monotonic, census: census)
    }

    /// Runs `body` where the model may be looked at.
    public func onModelThread<Result>(_ body: () -> Result) -> Result { backing.onOwner(body) }
}
