// Clients that come and go: what stays, what goes, and who has to wait.

import Backing
import Clock
import Glibc
import Memory
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct ConnectionTests {
    /// A server at a path, with its clock.
    private final class Place {
        let path: String
        let clock = VirtualClock()
        let device: SampleDevice
        let server: VFIOUserServer<SampleDevice>
        var lines: [String] { box.lines }
        private let box = LineBox()

        init(_ name: String, options: VFIOUserServerOptions = VFIOUserServerOptions()) throws {
            path = "/tmp/doorbell-test-\(getpid())-\(name).sock"
            device = SampleDevice(clock: .virtual(clock))
            let box = box
            server = VFIOUserServer(device, listener: try UnixSocket.listen(path: path), options: options) {
                box.lines.append($0)
            }
        }

        // SAFETY: the path is a string for the call.
        deinit { unsafe unlink(path) }

        func connect() throws -> RawClient {
            let server = server
            return RawClient(try UnixSocket.connect(path: path)) { _ = server.poll() }
        }
    }

    private final class LineBox {
        var lines: [String] = []
    }

    private func switchOn(_ client: RawClient) throws {
        try client.write(region: Region.config, 0x04, [6, 0])
        try client.write(region: Region.config, 0x42, [0, 0x80])
    }

    @Test func aVanishedClientLeavesTheDeviceReset() throws {
        let place = try Place("reset")
        var witness = DescriptorWitness()
        do {
            let client = try place.connect()
            try client.negotiate()
            try switchOn(client)
            try client.write32(region: 0, SampleDevice.Offset.scratch, 5)
            let memory = try SharedMemory(byteCount: 4096, name: "client")
            try client.mapDMA(memory.fileDescriptor, iova: 0, size: 4096)
            let event = EventDescriptor()
            try client.setInterrupts(.eventDescriptors, .trigger, .msix, count: 1, descriptors: [event.raw])
            // A message that never ends, with a descriptor.
            let copy = try witness.copy()
            client.send(Array(client.message(.mapDMA) { $0.append(UInt64(0)) }.prefix(20)), descriptors: [copy.raw])
            _ = place.server.poll()
        }
        while place.server.hasClient { _ = place.server.poll() }
        #expect(place.device.resets == 1)
        #expect(place.device.host.memory.mappingCount == 0)
        #expect(!place.device.host.isRouted(0))
        let closed = witness.allClosed()
        #expect(closed)

        let next = try place.connect()
        try next.negotiate()
        #expect(try next.read(region: Region.config, 4, count: 2) == [0, 0])
        try switchOn(next)
        #expect(try next.read32(region: 0, SampleDevice.Offset.scratch) == 0)
        #expect(place.server.counters.connections == 2 && place.server.counters.disconnections == 1)
        #expect(place.lines == ["client connected", "client gone: it closed the connection", "client connected"])
    }

    @Test func stateIsKeptForAClientThatComesBack() throws {
        var options = VFIOUserServerOptions()
        options.keepsState = true
        let place = try Place("keep", options: options)
        do {
            let client = try place.connect()
            try client.negotiate()
            try switchOn(client)
            try client.write32(region: 0, SampleDevice.Offset.scratch, 5)
            let event = EventDescriptor()
            try client.setInterrupts(.eventDescriptors, .trigger, .msix, count: 1, descriptors: [event.raw])
        }
        while place.server.hasClient { _ = place.server.poll() }
        let polls = place.device.polls
        for _ in 0..<10 { _ = place.server.poll() }
        #expect(place.device.polls == polls, "the device stands still")
        #expect(place.server.nextDeadline == nil)
        #expect(place.server.wakeDescriptors.count == 1, "only the listening socket")

        let client = try place.connect()
        try client.negotiate()
        for _ in 0..<10 { _ = place.server.poll() }
        #expect(place.device.polls == polls, "still")
        #expect(try client.read32(region: 0, SampleDevice.Offset.scratch) == 5)
        #expect(place.device.polls > polls)
        #expect(place.device.resets == 0)
        // What fires before the client has attached its vector again is not lost.
        try client.write32(region: 0, SampleDevice.Offset.fire, 0)
        let event = EventDescriptor()
        try client.setInterrupts(.eventDescriptors, .trigger, .msix, count: 1, descriptors: [event.raw])
        let signals = event.take()
        #expect(signals == 1)
    }

    @Test func aSecondClientWaits() throws {
        let place = try Place("wait")
        let first = try place.connect()
        try first.negotiate()
        let second = try place.connect()
        second.send(second.message(.version) { VersionMessage(capabilities: nil).write(to: &$0) })
        #expect(second.receive(looks: 10) == .silence)
        #expect(try first.read32(region: Region.config, 0) == 0x0001_1D0B)
        first.hangUp()
        guard case .message(let reply) = second.receive() else {
            Issue.record("the second client was not served")
            return
        }
        #expect(reply.header.command == Command.version.rawValue && reply.errorNumber == 0)
    }

    /// A message that has begun must end, and a connection must begin.
    @Test(arguments: [true, false]) func nobodyHoldsThePlaceForNothing(hasNegotiated: Bool) throws {
        let place = try Place("slow-\(hasNegotiated)")
        let client = try place.connect()
        if hasNegotiated { try client.negotiate() }
        client.send(Array(client.message(.version) { _ in }.prefix(7)))
        _ = place.server.poll()
        place.clock.advance(nanoseconds: 4_999_999_999)
        _ = place.server.poll()
        #expect(place.server.hasClient)
        // More bytes, but no end: the time goes on.
        client.send([0])
        _ = place.server.poll()
        let deadline = try #require(place.server.nextDeadline)
        #expect(deadline <= place.clock.now + 1)
        place.clock.advance(nanoseconds: 2)
        for _ in 0..<3 { _ = place.server.poll() }
        #expect(!place.server.hasClient)
        #expect(place.server.counters.brokenConnections == 1)
        #expect(client.receive(looks: 3) == .closed)
    }

    @Test func aClientThatIsIdleMayStay() throws {
        let place = try Place("idle")
        let client = try place.connect()
        try client.negotiate()
        for _ in 0..<10 {
            place.clock.advance(nanoseconds: 60_000_000_000)
            _ = place.server.poll()
        }
        #expect(try client.read32(region: Region.config, 0) == 0x0001_1D0B)
        #expect(place.server.nextDeadline == nil)
    }

    /// Replies that the client does not take: the server reads no more commands, and waits for nothing.
    @Test func aClientThatDoesNotReadItsReplies() throws {
        let bench = try Bench()
        let read = bench.client.message(.readRegion) {
            RegionAccess(offset: 0, region: 2, count: 0x4000).write(to: &$0)
        }
        // Far more than the socket and the server hold together.
        let count = 100
        bench.client.send([[UInt8]](repeating: read, count: count).flatMap { $0 })
        for _ in 0..<100 { _ = bench.server.poll() }
        #expect(bench.server.counters.fullOutputs > 0)
        #expect(bench.server.counters.messages(.readRegion) < UInt64(count))
        #expect(bench.server.wakeDescriptors.count == 1, "the socket does not wake it meanwhile")
        #expect(bench.server.nextDeadline == bench.clock.now + 2_000_000)
        for _ in 0..<count {
            guard case .message(let reply) = bench.client.receive() else {
                Issue.record("a reply was lost")
                return
            }
            #expect(reply.payload.count == 16 + 0x4000)
        }
        #expect(bench.server.nextDeadline == nil)
    }

    @Test func aServerOfOneConnection() throws {
        let pair = try UnixSocket.pair()
        let server = VFIOUserServer(SampleDevice(clock: .virtual(VirtualClock())), connection: pair.first)
        #expect(server.hasClient && !server.isFinished)
        let client = RawClient(pair.second) { _ = server.poll() }
        try client.negotiate()
        client.hangUp()
        while !server.isFinished { _ = server.poll() }
        #expect(client.receive() == .closed)
    }

    @Test func aLoopServesIt() throws {
        let pair = try UnixSocket.pair()
        let device = SampleDevice(clock: .monotonic)
        let server = VFIOUserServer(device, connection: pair.first)
        let loop = PollingLoop([server], spinNanoseconds: 1000)
        defer { loop.stop() }
        // On a busy machine it may take a while until the loop has its turn.
        let client = RawClient(pair.second) { usleep(50_000) }
        try client.negotiate()
        for _ in 0..<3 {
            usleep(2000)  // the loop sleeps, and the next message wakes it
            #expect(try client.read32(region: Region.config, 0) == 0x0001_1D0B)
        }
    }
}
