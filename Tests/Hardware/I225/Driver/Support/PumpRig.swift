// A pump between a host's wire and the card's, with the far ends of both in the test's hands.

import Backing
import Clock
import Ethernet
import I225Driver
import I225Model
import Interrupts
import Memory
import Netdev

/// An open card whose queue pair 0 is under a pump.
final class PumpRig {
    typealias Queue = I225QueuePair<CardBacking>

    let rig = Rig()
    let device: I225Device<CardBacking>
    let pump: NetdevPump<Queue>
    /// The host's end of its wire.
    var host: WirePort

    init(bufferBytes: Int = 2048, hostWireBytes: Int = 256 * 1024, isWoken: Bool = false) throws {
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        configuration.maximumFrameBytes = 9728
        var device = try rig.open(configuration)
        var vectors = InlineArray<4, VectorLease?> { _ in nil }
        if isWoken { vectors = try device.enableInterrupts(queueCount: 1) }
        let queue = try device.openQueuePair(0, entries: 64, vector: vectors[0].take())
        let memory = try rig.backing.allocateDMA(byteCount: 128 * bufferBytes, .both, purpose: "test-buffers")
        let buffers = BufferPool(memory: memory, bufferBytes: bufferBytes)
        let wire = WirePair(capacity: hostWireBytes)
        pump = NetdevPump(queue: queue, port: wire.first, buffers: buffers, clock: .virtual(rig.clock))
        host = wire.second
        self.device = device
    }

    /// Lets pump and card work until neither has anything to do.
    func run() {
        while true {
            let pumped = pump.poll()
            guard rig.model.poll() || pumped else { return }
        }
    }

    /// Sends a frame from the host.
    func send(_ frame: [UInt8]) -> Bool {
        // SAFETY: bytes have no padding.
        unsafe host.transmit.send(frame.span.bytes, wireTime: rig.clock.now)
    }

    /// All frames that have arrived at the host.
    func arrivals() -> [[UInt8]] {
        var frames: [[UInt8]] = []
        while let frame = host.receive.receive() { frames.append(frame) }
        return frames
    }
}
