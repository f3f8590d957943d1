// Headers that lie, and bytes that come as they should not: piecemeal, in floods, never to an end, cut off anywhere.

import Clock
import Glibc
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct HostileHeaderTests {
    private static func header(size: UInt32, command: UInt16 = 4, flags: UInt32 = 0) -> [UInt8] {
        bytes { MessageHeader(identifier: 1, command: command, messageSize: size, flags: flags).write(to: &$0) }
    }

    /// Where the next message begins cannot be known: the connection ends, without a word.
    @Test(
        arguments: [
            0, 1, 4, 8, 15, UInt32(MessageInput.mostMessageBytes) + 1, 1 << 24, 0x7FFF_FFFF, 0x8000_0000, .max,
        ],
        [true, false]
    )
    func sizeThatNoMessageHas(size: UInt32, isFirst: Bool) throws {
        let siege = try Siege(negotiates: !isFirst)
        siege.client.send(Self.header(size: size) + [UInt8](repeating: 0, count: 64))
        #expect(siege.client.receive() == .closed)
        #expect(siege.server.counters.brokenConnections == 1)
        try siege.settle()
    }

    /// A header that claims more than follows swallows the next message; one that claims less makes it begin in the
    /// middle. The server loses the client at worst.
    @Test(arguments: [16, 17, 20, 31, 33, 40, 4096, UInt32(MessageInput.mostMessageBytes)]) func sizeThatLies(
        size: UInt32
    ) throws {
        let siege = try Siege()
        var message = siege.client.message(.getRegionInfo) { RegionInfo(index: 0).writeRequest(to: &$0) }
        message.replaceSubrange(4..<8, with: bytes { $0.append(size) })
        for _ in 0..<10 { siege.client.send(message) }
        siege.poll(50)
        siege.clock.advance(nanoseconds: 6_000_000_000)
        siege.poll(5)
        try siege.settle()
    }

    /// Bits that a command has not.
    @Test(arguments: [0x20, 0x40, 0x80, 0x100, 0x8000_0000, 0xFFFF_FFF0] as [UInt32]) func flags(flags: UInt32) throws {
        let siege = try Siege()
        siege.client.send(Self.header(size: 16, command: Command.resetDevice.rawValue, flags: flags))
        if flags & MessageHeader.noReply == 0 {
            guard case .message(let reply) = siege.client.receive() else {
                Issue.record("no answer")
                return
            }
            #expect(reply.errorNumber == EINVAL)
        }
        #expect(try siege.client.read32(region: Region.config, 0) == 0x0001_1D0B)
        #expect(siege.device.resets == 0)
        try siege.settle()
    }

    /// An errno in a command means nothing.
    @Test func errorNumberInACommand() throws {
        let siege = try Siege()
        var message = Self.header(size: 16, command: Command.resetDevice.rawValue)
        message.replaceSubrange(12..<16, with: [255, 255, 255, 255])
        siege.client.send(message)
        #expect(siege.client.receive() != .closed)
        #expect(siege.device.resets == 1)
        try siege.settle()
    }
}

@Suite struct HostileStreamTests {
    /// One of each, with their descriptors.
    private func oneOfEach(_ siege: Siege) -> [(bytes: [UInt8], descriptors: [Int32])] {
        let client = siege.client
        let event = siege.descriptor(.event).raw
        let memory = siege.descriptor(.memory).raw
        return [
            (
                client.message(.mapDMA) {
                    MapDMARequest(flags: 3, fileOffset: 0, iova: 0, size: 0x1000).write(to: &$0)
                },
                [memory]
            ),
            (
                client.message(.getDeviceInfo) {
                    $0.append(UInt64(16)); $0.append(UInt64(0))
                }, []
            ),
            (client.message(.getRegionInfo) { RegionInfo(argumentSize: 64, index: 2).writeRequest(to: &$0) }, []),
            (
                client.message(.getRegionIODescriptors) {
                    IODescriptorsRequest(argumentSize: 64, index: 0).write(to: &$0)
                }, []
            ),
            (
                client.message(.getInterruptInfo) {
                    $0.append(UInt64(16)); $0.append(UInt64(2))
                }, []
            ),
            (
                client.message(.setInterrupts) {
                    SetInterruptsRequest(data: .eventDescriptors, action: .trigger, index: 2, start: 0, count: 1)
                        .write(to: &$0)
                }, [event]
            ),
            (client.message(.readRegion) { RegionAccess(offset: 0, region: 0, count: 4).write(to: &$0) }, []),
            (
                client.message(.writeRegion) {
                    RegionAccess(offset: 0, region: 0, count: 4).write(to: &$0)
                    $0.append(UInt32(0))
                }, []
            ),
            (
                client.message(.writeRegionMultiple) {
                    $0.append(UInt64(1))
                    RegionWrites.write(RegionAccess(offset: 0, region: 0, count: 4), 0, to: &$0)
                }, []
            ),
            (client.message(.unmapDMA) { UnmapDMARequest(flags: 0, iova: 0, size: 0x1000).write(to: &$0) }, []),
            (client.message(.resetDevice) { _ in }, []),
            (client.message(.deviceFeature) { $0.append(UInt64(8)) }, []),
        ]
    }

    /// A message is the same whether it comes at once or byte by byte.
    @Test func byteByByte() throws {
        let siege = try Siege()
        for message in oneOfEach(siege) {
            for (index, byte) in message.bytes.enumerated() {
                siege.client.send([byte], descriptors: index == 0 ? message.descriptors : [])
                siege.poll()
            }
            guard case .message(let reply) = siege.client.receive() else {
                Issue.record("no answer")
                return
            }
            let isFeature = reply.header.command == Command.deviceFeature.rawValue
            #expect(reply.errorNumber == (isFeature ? ENOTSUP : 0), "\(reply.header)")
        }
        try siege.settle()
    }

    /// Every command carried out and not answered, those whose answer has descriptors among them; then an answer.
    @Test func nobodyWantsAnAnswer() throws {
        let siege = try Siege()
        for _ in 0..<20 {
            for message in oneOfEach(siege) {
                var bytes = message.bytes
                bytes[8] = UInt8(MessageHeader.noReply)
                siege.client.send(bytes, descriptors: message.descriptors)
                siege.poll()
            }
            try siege.switchOn(siege.client)
            #expect(try siege.client.read32(region: Region.config, 0) == 0x0001_1D0B)
        }
        #expect(siege.server.counters.messages(.getRegionIODescriptors) == 20)
        try siege.settle()
    }

    /// All of it in one send: many messages in one receive, each answered, in order.
    @Test func allAtOnce() throws {
        let siege = try Siege()
        let all = oneOfEach(siege).filter { $0.descriptors.isEmpty }
        siege.client.send(Array(repeating: all, count: 20).joined().flatMap { $0.bytes })
        for _ in 0..<20 {
            for message in all {
                guard case .message(let reply) = siege.client.receive() else {
                    Issue.record("no answer")
                    return
                }
                #expect(bytes { $0.append(reply.header.identifier) } == Array(message.bytes.prefix(2)))
            }
        }
        try siege.settle()
    }

    /// The client goes at every byte of every message, in every way that a stream can end.
    @Test func goneAtEveryByte() throws {
        let siege = try Siege()
        let messages = oneOfEach(siege)
        var connections: UInt64 = 1
        for message in messages {
            for length in 0..<message.bytes.count {
                siege.client.send(
                    Array(message.bytes.prefix(length)),
                    descriptors: length > 0 ? message.descriptors : []
                )
                if length % 3 != 0 { siege.poll() }
                if length % 2 == 0 { siege.client.hangUp() }
                try siege.leaveAndReturn()
                connections += 1
            }
        }
        #expect(siege.server.counters.connections == connections)
        #expect(siege.server.counters.brokenConnections == 0, "going is no offence")
        try siege.settle()
    }

    /// The client goes with commands still unread, and with replies that it never took.
    @Test(arguments: [1, 10, 1000]) func goneInAFlood(count: Int) throws {
        let siege = try Siege()
        for round in 0..<10 {
            let flood = (0..<count).flatMap { _ in
                siege.client.message(.readRegion) { RegionAccess(offset: 0, region: 2, count: 256).write(to: &$0) }
            }
            siege.client.send(flood)
            siege.poll(round)
            try siege.leaveAndReturn()
        }
        try siege.settle()
    }

    /// Half a message, then silence.
    @Test(arguments: [1, 15, 16, 17, 31]) func halfAMessage(length: Int) throws {
        let siege = try Siege()
        let memory = siege.descriptor(.memory)
        let message = siege.client.message(.mapDMA) {
            MapDMARequest(flags: 3, fileOffset: 0, iova: 0, size: 4096).write(to: &$0)
        }
        siege.client.send(Array(message.prefix(length)), descriptors: [memory.raw])
        siege.poll()
        siege.clock.advance(nanoseconds: 4_000_000_000)
        siege.poll()
        #expect(siege.server.hasClient)
        siege.clock.advance(nanoseconds: 1_000_000_001)
        siege.poll(2)
        #expect(!siege.server.hasClient && siege.server.counters.brokenConnections == 1)
        #expect(siege.client.receive() == .closed)
        try siege.settle()
    }

    /// One byte now and then keeps nobody's place: the time is that of the message, not of the byte.
    @Test func drip() throws {
        let siege = try Siege()
        siege.client.send(
            bytes { MessageHeader(identifier: 1, command: 4, messageSize: 1 << 20, flags: 0).write(to: &$0) }
        )
        var seconds = 0
        while siege.server.hasClient, seconds < 100 {
            siege.client.send([0])
            siege.poll()
            siege.clock.advance(nanoseconds: 1_000_000_000)
            seconds += 1
        }
        #expect(seconds <= 7)
        try siege.settle()
    }

    /// A client that is never idle is not a slow one: each message has its own time, even if one is always half there.
    @Test func alwaysBusy() throws {
        let siege = try Siege()
        let read = siege.client.message(.readRegion) { RegionAccess(offset: 0, region: 0, count: 4).write(to: &$0) }
        var stream = [UInt8](read.prefix(7))
        siege.client.send(stream)
        for _ in 0..<100 {
            stream = Array(read.dropFirst(7)) + read.prefix(7)
            siege.client.send(stream)
            siege.poll()
            guard case .message = siege.client.receive() else {
                Issue.record("the client was sent away")
                return
            }
            siege.clock.advance(nanoseconds: 1_000_000_000)
        }
        #expect(siege.server.counters.brokenConnections == 0)
        try siege.settle()
    }

    /// Replies that nobody reads pile up in the socket, not in the server.
    @Test func neverReads() throws {
        let siege = try Siege()
        let read = siege.client.message(.readRegion) {
            RegionAccess(offset: 0, region: 2, count: 0x4000).write(to: &$0)
        }
        for _ in 0..<100 { siege.client.send(read) }
        for _ in 0..<200 {
            siege.poll()
            siege.clock.advance(nanoseconds: 1_000_000_000)
        }
        let carriedOut = siege.server.counters.messages(.readRegion)
        #expect(carriedOut < 90)
        #expect(siege.server.hasClient, "it may come back to them")
        // The device has its turn all the same.
        let polls = siege.device.polls
        siege.poll(10)
        #expect(siege.device.polls == polls + 10)
        try siege.settle()
    }

    /// Posted writes without end: the device has its turn after every few.
    @Test func posts() throws {
        let siege = try Siege()
        let polls = siege.device.polls
        for round in 0..<50 {
            let flood = (0..<200).flatMap { index in
                siege.client.message(.writeRegion, noReply: true) {
                    RegionAccess(offset: SampleDevice.Offset.scratch, region: 0, count: 4).write(to: &$0)
                    $0.append(UInt32(round * 200 + index))
                }
            }
            siege.client.send(flood)
            siege.poll()
        }
        #expect(try siege.client.read32(region: 0, SampleDevice.Offset.scratch) == 9999)
        #expect(UInt64(siege.device.polls - polls) >= siege.server.counters.postedWrites / 64)
        try siege.settle()
    }

    /// A message of 43690 writes, again and again, is one turn each.
    @Test func largePosts() throws {
        let siege = try Siege()
        let flood = siege.client.message(.writeRegionMultiple, noReply: true) {
            $0.append(UInt64(40000))
            for index in 0..<40000 {
                RegionWrites.write(RegionAccess(offset: 0, region: 0, count: 4), UInt64(index), to: &$0)
            }
        }
        for _ in 0..<5 {
            let polls = siege.device.polls
            siege.client.send(flood)
            #expect(try siege.client.read32(region: 0, SampleDevice.Offset.scratch) == 39999)
            #expect(siege.device.polls > polls)
        }
        try siege.settle()
    }

    /// Descriptors with every message, needed or not, thousands of them: none stays.
    @Test func descriptorsWithEverything() throws {
        let siege = try Siege()
        let event = siege.descriptor(.event)
        let sixteen = [Int32](repeating: event.raw, count: 16)
        let read = siege.client.message(.readRegion) { RegionAccess(offset: 0, region: 0, count: 4).write(to: &$0) }
        for _ in 0..<500 {
            siege.client.send(read, descriptors: sixteen)
            guard case .message = siege.client.receive() else {
                Issue.record("no answer")
                return
            }
        }
        // The last message's may be there until the next one comes.
        #expect(event.identity.openCount() <= 1 + 16)
        try siege.settle()
    }

    /// A message that never ends, with sixteen descriptors for each byte of it.
    @Test func descriptorsForEveryByte() throws {
        let siege = try Siege()
        let event = siege.descriptor(.event)
        siege.client.send(
            bytes { MessageHeader(identifier: 1, command: 4, messageSize: 1 << 20, flags: 0).write(to: &$0) }
        )
        for _ in 0..<200 where siege.server.hasClient {
            siege.client.send([0], descriptors: [Int32](repeating: event.raw, count: 16))
            siege.poll()
            #expect(event.identity.openCount() <= 1 + 3 * 16)
        }
        #expect(!siege.server.hasClient && siege.server.counters.brokenConnections == 1)
        try siege.settle()
    }

    /// Noise from the first byte on, and after VERSION.
    @Test(arguments: [true, false], 0..<50) func noise(isFirst: Bool, seed: UInt64) throws {
        let siege = try Siege(negotiates: !isFirst)
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        for _ in 0..<50 where siege.server.hasClient {
            let noise = (0..<64).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 56)
            }
            siege.client.send(noise)
            siege.poll()
        }
        try siege.settle()
    }

    /// Nobody can fill the log.
    @Test func theLogIsBounded() throws {
        let siege = try Siege()
        let attack = Attack("", number: 99) { _ in }
        for _ in 0..<1000 { try siege.strikeSilently(attack) }
        for _ in 0..<1000 { try siege.leaveAndReturn() }
        #expect(siege.lines.count == 64)
        siege.clock.advance(nanoseconds: 2_000_000_000)
        try siege.leaveAndReturn()
        #expect(siege.lines.count == 64 + 3)
        #expect(siege.lines.dropLast(2).last?.hasSuffix("lines were not logged)") == true)
        #expect(siege.server.counters.connections == 1002)
        try siege.settle()
    }
}
