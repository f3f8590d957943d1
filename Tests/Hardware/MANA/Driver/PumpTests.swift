// The stack's stand-in on a queue pair: frames between a host's wire and the card's.

import Backing
import Clock
import Ethernet
import Leases
import MANADriver
import MANAModel
import MANAWire
import Memory
import Netdev
import Testing

@Suite("MANA: pump", .overEveryBacking)
struct PumpTests {
    @Test("Frames pass both ways, and everything is given back", arguments: [1, 4])
    func passes(framesPerCompletion: Int) throws {
        let rig = Rig()
        var host: WirePort
        do {
            var configuration = MANAConfiguration()
            configuration.framesPerCompletion = framesPerCompletion
            let device = try rig.open(configuration)
            let port = try device.openPort()
            let memory = try rig.backing.allocateDMA(byteCount: 256 * 2048, .both, purpose: "test-buffers")
            let wire = WirePair()
            host = wire.second
            let pump = NetdevPump(
                queue: try port.openQueuePair(0, entries: 128),
                port: wire.first,
                buffers: BufferPool(memory: memory, bufferBytes: 2048),
                clock: .virtual(rig.clock)
            )
            try port.steer()
            for number in 0..<1000 {
                let frame = testFrame(UInt8(truncatingIfNeeded: number), length: 60 + number)
                // SAFETY: bytes have no padding.
                #expect(unsafe host.transmit.send(frame.span.bytes, wireTime: 0))
                #expect(rig.send(frame))
                for _ in 0..<4 {
                    _ = pump.poll()
                    rig.settle()
                    rig.clock.advance(nanoseconds: 100_000)
                }
                #expect(rig.arrivals() == [frame], "\(number)")
                let arrived = host.receive.receive()
                #expect(arrived == frame, "\(number)")
            }
            #expect(pump.counters.transmitted == 1000 && pump.counters.received == 1000)
            #expect(pump.counters.receiveErrors == 0)
        }
        #expect(rig.isClean, "\(rig.census.outstanding) \(rig.model.holdings)")
    }
}
