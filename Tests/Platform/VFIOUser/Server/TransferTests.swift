// DMA_READ and DMA_WRITE: what the server asks of the client, and what becomes of it when the client answers, refuses, lies
// or is silent.

import Backing
import Clock
import Glibc
import Memory
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct TransferTests {
    private static let ring: UInt64 = 0x4000_0000

    /// A bench whose device has been told to fetch descriptors from memory that came without a file.
    private func begin(_ change: (inout VersionCapabilities) -> Void = { _ in }) throws -> (Bench, RawClient) {
        let bench = try Bench(isOn: false, change)
        try bench.switchOn()
        try bench.client.mapDMA(nil, iova: Self.ring, size: 0x1000)
        try bench.client.write(region: 0, SampleDevice.Offset.address, bytes { $0.append(Self.ring) })
        try bench.client.write32(region: 0, SampleDevice.Offset.remote, 1)
        return (bench, bench.served.twin ?? bench.client)
    }

    private func next(_ client: RawClient, _ command: Command) throws -> (RawReply, DMAAccess)? {
        guard case .message(let message) = client.receive(), message.header.command == command.rawValue,
            message.header.isCommand, message.header.wantsReply
        else { return nil }
        return (message, try DMAAccess(message.payload.raw))
    }

    private func state(_ bench: Bench) throws -> UInt32 {
        for _ in 0..<3 { _ = bench.server.poll() }
        return try bench.client.read32(region: 0, SampleDevice.Offset.remote)
    }

    private static let descriptors = (0..<48).map { UInt8(0x40 + $0) }

    @Test(arguments: [false, true]) func aReadAndAWrite(overTwin: Bool) throws {
        let (bench, way) = try begin { if overTwin { $0.twinSocket = .init(isSupported: true) } }
        #expect((bench.served.twin != nil) == overTwin)
        let (read, access) = try #require(try next(way, .readDMA))
        #expect(access == DMAAccess(iova: Self.ring, count: 48))
        // The server goes on meanwhile.
        #expect(try state(bench) == 1)
        way.answer(read) {
            access.write(to: &$0)
            $0.append(Self.descriptors.raw)
        }
        let (write, back) = try #require(try next(way, .writeDMA))
        #expect(back == DMAAccess(iova: Self.ring, count: 48))
        #expect(Array(write.payload.dropFirst(16)) == Self.descriptors)
        #expect(bench.device.host.memory.transfers.unconfirmedWrites == 1)
        way.answer(write) { back.write(to: &$0) }
        #expect(try state(bench) == 2)
        #expect(try bench.client.read32(region: 0, SampleDevice.Offset.value) == 0x4342_4140)
        #expect(bench.device.host.memory.transfers.unconfirmedWrites == 0)
        #expect(bench.server.counters.unexpectedReplies == 0)
    }

    /// No more than the client takes in one message.
    @Test func inParts() throws {
        let (bench, way) = try begin { $0.mostData = 20 }
        var commands: [(RawReply, DMAAccess)] = []
        for _ in 0..<3 { commands.append(try #require(try next(way, .readDMA))) }
        #expect(commands.map { $0.1.count } == [20, 20, 8])
        #expect(commands.map { $0.1.iova - Self.ring } == [0, 20, 40])
        // Answered in another order.
        for (command, access) in commands.reversed() {
            way.answer(command) {
                access.write(to: &$0)
                let start = Int(access.iova - Self.ring)
                $0.append(Array(Self.descriptors[start..<start + Int(access.count)]).raw)
            }
        }
        for _ in 0..<3 {
            let (command, access) = try #require(try next(way, .writeDMA))
            way.answer(command) { access.write(to: &$0) }
        }
        #expect(try state(bench) == 2)
        #expect(try bench.client.read32(region: 0, SampleDevice.Offset.value) == 0x4342_4140)
    }

    enum Lie: CaseIterable { case refusal, short, long, otherAddress, otherCount, nothing }

    @Test(arguments: Lie.allCases) func badAnswers(_ lie: Lie) throws {
        let (bench, way) = try begin()
        let (read, access) = try #require(try next(way, .readDMA))
        var said = access
        if lie == .otherAddress { said.iova += 16 }
        if lie == .otherCount { said.count -= 1 }
        let data = lie == .short ? 47 : lie == .long ? 49 : 48
        way.answer(read, errorNumber: lie == .refusal ? EFAULT : 0) {
            guard lie != .nothing else { return }
            said.write(to: &$0)
            $0.append([UInt8](repeating: 1, count: data).raw)
        }
        #expect(try state(bench) == 3)
        #expect(bench.device.host.memory.transfers.failures == 1)
        #expect(bench.server.hasClient)
    }

    @Test func anAnswerThatNobodyWaitsFor() throws {
        let (bench, way) = try begin()
        let (read, access) = try #require(try next(way, .readDMA))
        for (identifier, command) in [(read.header.identifier &+ 1, read.header.command), (read.header.identifier, 12)]
        {
            let other = RawReply(
                header: MessageHeader(identifier: identifier, command: command, flags: 0),
                payload: [],
                descriptorCount: 0
            )
            way.answer(other) { access.write(to: &$0) }
        }
        #expect(try state(bench) == 1)
        #expect(bench.server.counters.unexpectedReplies == 2)
    }

    @Test func aClientThatDoesNotAnswer() throws {
        let (bench, way) = try begin()
        _ = try #require(try next(way, .readDMA))
        bench.clock.advance(nanoseconds: 5_000_000_001)
        _ = bench.server.poll()
        #expect(!bench.server.hasClient)
        #expect(bench.device.resets == 1)
    }

    /// Memory that is unmapped before the client was asked is not asked for.
    /// Answers to what was asked later do not give the oldest more time.
    @Test func aClientThatDoesNotAnswerTheOldest() throws {
        let (bench, way) = try begin { $0.mostData = 20 }
        var commands: [(RawReply, DMAAccess)] = []
        for _ in 0..<3 { commands.append(try #require(try next(way, .readDMA))) }
        for (command, access) in commands.dropFirst() {
            bench.clock.advance(nanoseconds: 2_000_000_000)
            way.answer(command) {
                access.write(to: &$0)
                $0.append(Array(Self.descriptors.prefix(Int(access.count))).raw)
            }
            _ = bench.server.poll()
        }
        #expect(bench.server.hasClient)
        bench.clock.advance(nanoseconds: 1_000_000_001)
        for _ in 0..<3 { _ = bench.server.poll() }
        #expect(!bench.server.hasClient)
    }

    @Test func unmappedMeanwhile() throws {
        let bench = try Bench()
        try bench.client.mapDMA(nil, iova: Self.ring, size: 0x1000)
        try bench.client.write(region: 0, SampleDevice.Offset.address, bytes { $0.append(Self.ring) })
        let start = bench.client.message(.writeRegion, noReply: true) {
            RegionAccess(offset: SampleDevice.Offset.remote, region: 0, count: 4).write(to: &$0)
            $0.append(UInt32(1))
        }
        let unmap = bench.client.message(.unmapDMA) {
            UnmapDMARequest(flags: 0, iova: Self.ring, size: 0x1000).write(to: &$0)
        }
        bench.client.send(start + unmap)
        guard case .message(let reply) = bench.client.receive() else {
            Issue.record("no reply to DMA_UNMAP")
            return
        }
        #expect(reply.header.command == Command.unmapDMA.rawValue && reply.errorNumber == 0)
        #expect(try state(bench) == 3)
    }

    @Test func aCommandOverTheSecondSocketIsRefused() throws {
        let (bench, _) = try begin { $0.twinSocket = .init(isSupported: true) }
        let twin = try #require(bench.served.twin)
        _ = try #require(try next(twin, .readDMA))
        #expect(throws: RawRefusal(EINVAL)) {
            try twin.ask(.getDeviceInfo) { DeviceInfo(flags: 0, regionCount: 0, interruptCount: 0).write(to: &$0) }
        }
        #expect(bench.server.hasClient)
    }

    @Test func theSecondSocketIsTheClient() throws {
        let (bench, _) = try begin { $0.twinSocket = .init(isSupported: true) }
        bench.served.twin?.hangUp()
        for _ in 0..<3 { _ = bench.server.poll() }
        #expect(!bench.server.hasClient)
    }
}
