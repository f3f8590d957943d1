// A server that is attacked. Whatever a client has done to it: nothing of that client is left behind, and the next one,
// who behaves, drives the device.

import Backing
import Clock
import Glibc
import Memory
import PCIe
import Testing
import VFIOUser
import VFIOUserTestClient

/// A listening server of a sample device, on a virtual clock, and the client that attacks it.
final class Siege {
    let clock = VirtualClock()
    let device: SampleDevice
    let server: VFIOUserServer<SampleDevice>
    private let path: String
    private let log = Log()
    private var attacker: RawClient?
    /// What was sent, and must be closed in the end.
    private var sent: [HostileDescriptor] = []

    private final class Log { var lines: [String] = [] }

    /// - Parameter negotiates: the attacker has sent VERSION, and memory space, bus master and MSI-X are on.
    init(options: VFIOUserServerOptions = VFIOUserServerOptions(), negotiates: Bool = true) throws {
        path = "/tmp/doorbell-siege-\(getpid())-\(UInt64.random(in: 0...(.max))).sock"
        device = SampleDevice(clock: .virtual(clock))
        let log = log
        server = VFIOUserServer(device, listener: try UnixSocket.listen(path: path), options: options) {
            log.lines.append($0)
        }
        // Past the start: a test may wait for a time before now.
        clock.advance(nanoseconds: 1_000_000_000)
        try connect(negotiates: negotiates)
    }

    // SAFETY: the path is a string for the call.
    deinit { unsafe unlink(path) }

    var lines: [String] { log.lines }
    /// Mappings that the device has.
    var mappingCount: Int { device.host.memory.mappingCount }

    var client: RawClient {
        guard let attacker else { preconditionFailure("the attacker has gone") }
        return attacker
    }

    /// A client at the door, not served before the one at hand has gone.
    func newcomer() throws -> RawClient {
        let server = server
        return RawClient(try UnixSocket.connect(path: path)) { _ = server.poll() }
    }

    func connect(negotiates: Bool = true) throws {
        attacker = try newcomer()
        guard negotiates else { return }
        try client.negotiate()
        try switchOn(client)
    }

    func switchOn(_ client: RawClient) throws {
        try client.write(region: Region.config, 0x04, [6, 0])
        try client.write(region: Region.config, 0x42, [0, 0x80])
    }

    /// A new descriptor, of which nothing may be left when the client has gone.
    func descriptor(_ kind: HostileDescriptor.Kind) -> HostileDescriptor {
        let descriptor = HostileDescriptor(kind)
        sent.append(descriptor)
        return descriptor
    }

    func poll(_ count: Int = 1) {
        for _ in 0..<count { _ = server.poll() }
    }

    /// Sends the attack, and checks the answer, and that the connection goes on.
    func strike(_ attack: Attack, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let refusals = Command(rawValue: attack.command).map { server.counters.refusals($0) } ?? 0
        let descriptors = attack.descriptors.map { descriptor($0).raw }
        client.send(attack.message(identifier: 0xBAD), descriptors: descriptors)
        guard case .message(let reply) = client.receive() else {
            Issue.record("no answer", sourceLocation: sourceLocation)
            return
        }
        #expect(reply.header.identifier == 0xBAD && reply.header.command == attack.command && reply.header.isReply)
        #expect(reply.errorNumber == attack.errorNumber, sourceLocation: sourceLocation)
        if attack.errorNumber != 0 {
            #expect(reply.header.messageSize == 16 && reply.descriptorCount == 0, sourceLocation: sourceLocation)
            if let command = Command(rawValue: attack.command) {
                #expect(server.counters.refusals(command) == refusals + 1, sourceLocation: sourceLocation)
            }
        }
        let name = try client.read32(region: Region.config, 0)
        #expect(name == 0x0001_1D0B, sourceLocation: sourceLocation)
    }

    /// The same, posted: nobody hears of it, and it does the same.
    func strikeSilently(_ attack: Attack, sourceLocation: SourceLocation = #_sourceLocation) throws {
        client.send(
            attack.message(identifier: 0xBAD, noReply: true),
            descriptors: attack.descriptors.map { descriptor($0).raw }
        )
        let name = try client.read32(region: Region.config, 0)
        #expect(name == 0x0001_1D0B, "an answer to what wanted none", sourceLocation: sourceLocation)
    }

    /// The attacker goes, and comes again.
    func leaveAndReturn() throws {
        attacker = nil
        for _ in 0..<1000 where server.hasClient { poll() }
        #expect(!server.hasClient)
        #expect(mappingCount == 0)
        try connect()
    }

    /// The attacker goes. What it has left, and whether the next one is served.
    func settle(sourceLocation: SourceLocation = #_sourceLocation) throws {
        attacker = nil
        for _ in 0..<1000 where server.hasClient { poll() }
        #expect(!server.hasClient, "the server lets go", sourceLocation: sourceLocation)
        #expect(mappingCount == 0, sourceLocation: sourceLocation)
        #expect(
            (0..<SampleDevice.vectors).allSatisfy { !device.host.isRouted($0) },
            sourceLocation: sourceLocation
        )
        for descriptor in sent {
            let kind = descriptor.kind.rawValue
            #expect(!descriptor.identity.isMapped, "\(kind) is still mapped", sourceLocation: sourceLocation)
            guard descriptor.kind.isOurs else { continue }
            #expect(
                descriptor.identity.openCount() == descriptor.kind.ownCount,
                "\(kind) is still open",
                sourceLocation: sourceLocation
            )
        }
        #expect(
            server.counters.connections == server.counters.disconnections,
            sourceLocation: sourceLocation
        )
        try serveSomebody(sourceLocation: sourceLocation)
    }

    /// A well-behaved client connects, has the device do everything once, and goes.
    func serveSomebody(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let memory = try SharedMemory(byteCount: 0x2000, name: "guest")
        let event = EventDescriptor()
        do {
            let client = try newcomer()
            try client.negotiate()
            #expect(try client.read(region: Region.config, 4, count: 2) == [0, 0], sourceLocation: sourceLocation)
            try switchOn(client)
            #expect(
                try client.read32(region: 0, SampleDevice.Offset.scratch) == 0,
                "the last client's value",
                sourceLocation: sourceLocation
            )
            try client.write32(region: 0, SampleDevice.Offset.scratch, 0x1234_5678)
            #expect(
                try client.read32(region: 0, SampleDevice.Offset.scratch) == 0x1234_5678,
                sourceLocation: sourceLocation
            )
            try client.mapDMA(memory.fileDescriptor, iova: 0x10_0000, size: 0x2000)
            #expect(
                try transfer(client, 2, at: 0x10_1000, 0xCAFE_0001).isAllowed,
                sourceLocation: sourceLocation
            )
            #expect(
                try transfer(client, 1, at: 0x10_1000).value == 0xCAFE_0001,
                sourceLocation: sourceLocation
            )
            // SAFETY: inside the memory.
            let word = unsafe memory.base.load(fromByteOffset: 0x1000, as: UInt32.self)
            #expect(word == 0xCAFE_0001, sourceLocation: sourceLocation)
            try client.setInterrupts(
                .eventDescriptors,
                .trigger,
                .msix,
                start: 3,
                count: 1,
                descriptors: [event.raw]
            )
            try client.write32(region: 0, SampleDevice.Offset.fire, 3)
            let signals = event.take()
            #expect(signals == 1, sourceLocation: sourceLocation)
        }
        for _ in 0..<1000 where server.hasClient { poll() }
        #expect(mappingCount == 0, sourceLocation: sourceLocation)
        // What the good client gave is gone with it.
        #expect(FileIdentity(event.raw).openCount() == 1, sourceLocation: sourceLocation)
    }

    /// Has the device move a word by DMA.
    func transfer(
        _ client: RawClient,
        _ direction: UInt32,
        at iova: UInt64,
        _ value: UInt32 = 0
    ) throws -> (isAllowed: Bool, value: UInt32) {
        try client.write(region: 0, SampleDevice.Offset.address, bytes { $0.append(iova) })
        try client.write32(region: 0, SampleDevice.Offset.value, value)
        try client.write32(region: 0, SampleDevice.Offset.transfer, direction)
        return (
            try client.read32(region: 0, SampleDevice.Offset.transfer) == 1,
            try client.read32(region: 0, SampleDevice.Offset.value)
        )
    }
}
