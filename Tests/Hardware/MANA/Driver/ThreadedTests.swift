// Two threads and real time: the model under a polling loop, the driver on the test's thread, asleep between frames.

import Backing
import Clock
import Ethernet
import Glibc
import Leases
import MANADriver
import MANAModel
import MANAWire
import Memory
import Netdev
import TestQueues
import Testing

@Suite("MANA: two threads")
struct ThreadedTests {
    /// Waits, 10 s at most, until the descriptor is readable; whether it is.
    private func sleep(on descriptor: Int32?) -> Bool {
        guard let descriptor else { return false }
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // SAFETY: the address of one local.
        return unsafe poll(&wait, 1, 10_000) == 1
    }

    @Test("Every frame wakes the sleeping owner of its queue pair, in both directions")
    func wakes() throws {
        let census = Census()
        let wire = WirePair()
        var farEnd = wire.second
        let model = MANAModel(options: MANAOptions(), port: wire.first, clock: .monotonic)
        let loop = PollingLoop([model], spinNanoseconds: 0)
        defer { loop.stop() }
        let card = InProcess(model, name: "test:mana", loop: loop, census: census)
        do {
            let device = try MANADevice(
                card,
                MANAConfiguration(),
                topology: Rig.eightCPUs,
                clock: .monotonic,
                census: census
            )
            let port = try device.openPort()
            var stack = try Stack(port.openQueuePair(0, entries: 128), on: card, buffers: 256, refills: true)
            stack.provide(128)
            try port.steer()
            for number in 0..<500 {
                let frame = testFrame(UInt8(truncatingIfNeeded: number), length: 60 + number % 100)
                stack.pair.arm()
                same(stack.receive().count, 0)
                // SAFETY: bytes have no padding.
                #expect(unsafe farEnd.transmit.send(frame.span.bytes, wireTime: 0))
                let isAwake = sleep(on: stack.pair.eventDescriptor)
                try #require(isAwake, "frame \(number) woke nobody")
                same(stack.receive().map(\.bytes), [frame])
                same(stack.reap(), 0)

                stack.pair.arm()
                same(stack.send(frame), true)
                let isSent = sleep(on: stack.pair.eventDescriptor)
                try #require(isSent, "frame \(number) was sent, and nobody knows")
                same(stack.reap(), 1)
                let out = farEnd.receive.receive()
                #expect(out == frame)
            }
        }
        #expect(census.outstanding.isEmpty, "\(census.outstanding)")
    }
}
