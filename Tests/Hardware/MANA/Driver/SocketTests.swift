// The same driver on a card behind a vfio-user socket: doorbells of 64 bits, vectors one by one, shared memory.

import Backing
import Clock
import Ethernet
import Leases
import MANADriver
import MANAModel
import MANAWire
import Memory
import Netdev
import TestQueues
import Testing
import VFIOUser

/// The server of a test's card. It works while its client waits, on the client's thread.
private final class CardServer: @unchecked Sendable {
    // SAFETY (Sendable): the test's one thread has both ends.
    private var server: VFIOUserServer<MANAModel>

    init(_ model: MANAModel, _ socket: consuming OwnedDescriptor) {
        server = VFIOUserServer(model, connection: socket)
    }

    func takeTurn() { _ = server.poll() }
}

@Suite("MANA: over a socket")
struct SocketTests {
    @Test("Bring-up, frames both ways, interrupts and the end, as in one process")
    func wholeLife() throws {
        let clock = VirtualClock(startNanoseconds: 1_000_000_000)
        let census = Census()
        let wire = WirePair()
        var farEnd = wire.second
        let model = MANAModel(options: MANAOptions(), port: wire.first, clock: .virtual(clock))
        let sockets = try UnixSocket.pair()
        let server = CardServer(model, sockets.second)
        var options = VFIOUserOptions()
        options.whileWaiting = { server.takeTurn() }
        let client = try VFIOUserBacking(sockets.first, name: "test:mana", options: options, census: census)
        func settle() {
            for _ in 0..<64 {
                server.takeTurn()
                _ = client.poll()
            }
        }
        let hooks = CardHooks()
        hooks.beforeLoad = {
            server.takeTurn()
            _ = client.poll()
        }
        let backing = PolledBacking(base: client, hooks: hooks)
        do {
            let device = try MANADevice(
                backing,
                MANAConfiguration(),
                topology: Rig.eightCPUs,
                clock: .virtual(clock),
                census: census
            )
            #expect(hooks.attached.map(\.index) == Array(0..<9))
            let port = try device.openPort()
            var stack = try Stack(port.openQueuePair(0, entries: 128), on: backing, buffers: 256, refills: true)
            stack.provide(128)
            try port.steer()
            settle()
            stack.pair.arm()
            settle()
            #expect(model.holdings.workQueues == 2)
            for number: UInt8 in 0..<200 {
                same(stack.send(testFrame(number)), true)
                // SAFETY: bytes have no padding.
                #expect(unsafe farEnd.transmit.send(testFrame(number, length: 100).span.bytes, wireTime: clock.now))
                settle()
                let sent = farEnd.receive.receive()
                #expect(sent == testFrame(number))
                same(isReadable(stack.pair.eventDescriptor), true)
                same(stack.receive().map(\.bytes), [testFrame(number, length: 100)])
                same(stack.reap(), 1)
                stack.pair.arm()
            }
            #expect(model.counters.badTails == 0 && model.counters.strayDoorbells == 0)
        }
        settle()
        #expect(model.holdings == MANAHoldings())
        #expect(census.outstanding.filter { $0.key != "connection" }.isEmpty, "\(census.outstanding)")
    }
}
