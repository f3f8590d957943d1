// Frames from the wire: into the buffers in the order in which they were posted, and what a completion says of them.

import Ethernet
import MANAModel
import MANAWire
import TestFrames
import Testing

/// A frame to the station that is nothing known.
func arriving(_ length: Int, seed: Int = 0, to destination: [UInt8] = PathRig.station) -> [UInt8] {
    let header = destination + [0x02, 0, 0, 0, 0, 0x99, 0x88, 0xB5]
    return header + (header.count..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ seed) }
}

/// `frame` addressed to the station.
func toStation(_ frame: [UInt8]) -> [UInt8] { PathRig.station + frame[6...] }

@Suite(.bothMemoryWays) struct ReceiveTests {
    private func rig(_ change: (inout DataPathLimits) -> Void = { _ in }) throws -> (PathRig, BenchReceive) {
        let rig = try PathRig(change)
        let queue = rig.makeReceive()
        rig.path.ports[0].defaultQueue = 0
        return (rig, queue)
    }

    @Test func aFrameReachesItsBuffer() throws {
        let (rig, queue) = try rig()
        queue.provide(4)
        rig.arrive(arriving(100))
        rig.poll()
        let completion = try #require(queue.takeRaw())
        #expect(completion.type == .received)
        #expect(completion.data.head.raw == 0x41)
        #expect(completion[0] == ReceivedItem(length: 100))
        #expect(completion.verdict.raw == 0)
        #expect(completion.requestOffset == 0)
        #expect(rig.count(.receiveUnicastPackets) == 1)
        #expect(rig.count(.receiveUnicastBytes) == 100)
        rig.arrive(arriving(200))
        rig.poll()
        #expect(try #require(queue.takeRaw()).requestOffset == 32)
    }

    @Test func framesComeInOrderForManyLaps() throws {
        let (rig, queue) = try rig()
        var expected: [[UInt8]] = []
        var found: [[UInt8]] = []
        // 128 requests and 64 completions fit a ring of one page.
        for round in 0..<20 {
            queue.provide(25, bytes: 600)
            for index in 0..<25 {
                let frame = arriving(60 + (round * 25 + index) % 500, seed: index)
                rig.arrive(frame)
                expected.append(frame)
            }
            rig.poll()
            found += queue.take().map(\.bytes)
        }
        #expect(found == expected)
        #expect(queue.outstanding == 0)
    }

    @Test func framesForOthersAreNotTaken() throws {
        let (rig, queue) = try rig()
        queue.provide(4)
        rig.arrive(arriving(60, to: [0x02, 0x15, 0x5D, 0x00, 0x00, 0x02]))
        let broadcast = arriving(61, to: [UInt8](repeating: 0xFF, count: 6))
        let multicast = arriving(62, to: [0x33, 0x33, 0, 0, 0, 1])
        rig.arrive(broadcast)
        rig.arrive(multicast)
        rig.poll()
        #expect(queue.take().map(\.bytes) == [broadcast, multicast])
        #expect(rig.framesFiltered == 1)
        #expect(rig.count(.receiveBroadcastPackets) == 1)
        #expect(rig.count(.receiveMulticastBytes) == 62)
    }

    @Test func aPortWithoutFilterTakesNoUnicast() throws {
        let (rig, queue) = try rig()
        queue.provide(2)
        rig.path.ports[0].setAddress(nil)
        rig.arrive(arriving(60))
        rig.poll()
        #expect(queue.take().isEmpty)
        rig.path.ports[0].setAddress(MACAddress(bytes: InlineArray { PathRig.station[$0] }))
        rig.arrive(arriving(60))
        rig.poll()
        #expect(queue.take().count == 1)
    }

    @Test func aPortThatDoesNotReceiveCountsWhatItMisses() throws {
        let (rig, queue) = try rig()
        queue.provide(2)
        rig.path.ports[0].receives = false
        rig.arrive(arriving(60))
        rig.poll()
        #expect(queue.take().isEmpty)
        #expect(rig.count(.receivePortDisabled) == 1)
    }

    @Test func framesOfBadLengthAreDropped() throws {
        let (rig, queue) = try rig { $0.longestFrame = 1514 }
        queue.provide(4, bytes: 2048)
        for length in [0, 1, 13, 1519] { rig.arrive(Array(arriving(1519).prefix(length))) }
        rig.arrive(arriving(14))
        rig.arrive(arriving(1514))
        rig.poll()
        #expect(queue.take().map(\.bytes.count) == [14, 1514])
        #expect(rig.framesOfBadLength == 4)
    }

    @Test func eventsComeOncePerArming() throws {
        let (rig, queue) = try rig()
        queue.provide(8)
        rig.arrive(arriving(60))
        rig.poll()
        #expect(rig.takeEvents().isEmpty)
        _ = queue.take()
        queue.arm()
        for _ in 0..<3 { rig.arrive(arriving(60)) }
        rig.poll()
        #expect(rig.takeEvents() == [16])
        #expect(rig.takeVectors() == [3])
        rig.arrive(arriving(60))
        rig.poll()
        #expect(rig.takeEvents().isEmpty)
        // Not all was read: arming tells at once.
        queue.arm()
        #expect(rig.takeEvents() == [16])
    }

    // MARK: What is said of a frame

    private func verdict(_ frame: [UInt8]) throws -> UInt32 {
        let (rig, queue) = try rig()
        queue.provide(1)
        rig.arrive(frame)
        rig.poll()
        return try #require(queue.take().first).verdict
    }

    @Test func checksumsAreJudged() throws {
        let stream = toStation(ipv4Frame(6, tcp(payload(20))))
        #expect(try verdict(stream) == 1 << 25 | 1 << 27)
        var spoiled = stream
        spoiled[60] ^= 1
        #expect(try verdict(spoiled) == 1 << 25 | 1 << 28)
        let datagram = toStation(ipv4Frame(17, udp(payload(20))))
        #expect(try verdict(datagram) == 1 << 25 | 1 << 29)
        spoiled = datagram
        spoiled[44] ^= 1
        #expect(try verdict(spoiled) == 1 << 25 | 1 << 30)
        // The time to live is under the header's checksum alone.
        spoiled = datagram
        spoiled[22] ^= 1
        #expect(try verdict(spoiled) == 1 << 26 | 1 << 29)
        // Linux believes TCP's and UDP's checksum where the IP header is right too, and in IPv6 that has none.
        #expect(try verdict(toStation(ipv6Frame(6, tcp(payload(20))))) == 1 << 25 | 1 << 27)
        #expect(try verdict(toStation(ipv6Frame(17, udp(payload(20))))) == 1 << 25 | 1 << 29)
        #expect(try verdict(toStation(ipv6Frame(58, payload(20)))) == 1 << 25)
        #expect(try verdict(arriving(60)) == 0)
    }

    @Test func tagsAreTakenOut() throws {
        let (rig, queue) = try rig()
        queue.provide(2, bytes: 600)
        let plain = toStation(ipv4Frame(17, udp(payload(500))))
        rig.arrive(toStation(ipv4Frame(17, tags: [0xA123], udp(payload(500)))))
        // Of two tags the inner one stays.
        rig.arrive(toStation(ipv4Frame(17, tags: [0x0001, 0x0002], udp(payload(40)))))
        rig.poll()
        let found = queue.take()
        #expect(found.map(\.bytes) == [plain, toStation(ipv4Frame(17, tags: [0x0002], udp(payload(40))))])
        #expect(found.map { $0.verdict & 0x1FFF } == [0x1123, 0x1001])
        #expect(found.map { $0.verdict >> 29 } == [1, 1])
    }

    // MARK: Buffers

    @Test func aFrameMayLieInSeveralPieces() throws {
        let (rig, queue) = try rig()
        func pieces(_ sizes: [Int]) -> [MemoryPiece] { sizes.map { rig.buffer([UInt8](repeating: 0, count: $0)) } }
        queue.post(pieces([14, 20, 100]))
        queue.post(pieces([10, 4, 0, 2, 300]))
        queue.post(pieces([100, 100]))
        queue.ring()
        let tagged = toStation(ipv4Frame(17, tags: [7], udp(payload(60))))
        rig.arrive(arriving(100))
        rig.arrive(tagged)
        rig.arrive(arriving(60))
        rig.poll()
        let plain = toStation(ipv4Frame(17, udp(payload(60))))
        #expect(queue.take().map(\.bytes) == [arriving(100), plain, arriving(60)])
    }

    @Test func aFrameThatDoesNotFitIsToldOfAndTheDriverStaysInStep() throws {
        let (rig, queue) = try rig()
        queue.provide(1, bytes: 100)
        queue.provide(1, bytes: 99)
        queue.provide(2, bytes: 100)
        for seed in 0..<3 { rig.arrive(arriving(100, seed: seed)) }
        rig.poll()
        #expect(queue.take().map(\.bytes) == [arriving(100, seed: 0), arriving(100, seed: 2)])
        #expect(queue.outstanding == 1)
        #expect(rig.framesDropped == 1)
    }

    @Test func aBufferThatIsNotTheDevicesIsToldOfAndPassedOver() throws {
        let (rig, queue) = try rig()
        for change in 0..<3 {
            var piece = rig.buffer([UInt8](repeating: 0, count: 100))
            switch change {
            case 0: piece.key = 0
            case 1: piece.address = 0xDEAD_0000_0000
            default: piece.address += 4090
            }
            queue.post([piece])
        }
        queue.provide(1, bytes: 100)
        for seed in 0..<4 { rig.arrive(arriving(100, seed: seed)) }
        rig.poll()
        #expect(queue.take().map(\.bytes) == [arriving(100, seed: 3)])
        #expect(queue.outstanding == 0)
        #expect(rig.badBuffers == 3)
    }

    // MARK: Without requests

    @Test func framesWaitForRequests() throws {
        let (rig, queue) = try rig()
        rig.arrive(arriving(60))
        rig.arrive(arriving(61))
        rig.poll()
        #expect(rig.count(.receiveNoRequest) == 0)
        queue.provide(1)
        rig.poll()
        #expect(queue.take().map(\.bytes) == [arriving(60)])
        queue.provide(1)
        rig.poll()
        #expect(queue.take().map(\.bytes) == [arriving(61)])
    }

    @Test func framesBeyondThePacketBufferAreDiscarded() throws {
        let (rig, queue) = try rig { $0.packetBufferBytes = 2000 }
        for seed in 0..<10 { rig.arrive(arriving(484, seed: seed)) }
        rig.poll()
        // Records of 500 bytes, rounded up to 512: three stay.
        #expect(rig.count(.receiveNoRequest) == 7)
        queue.provide(10)
        rig.poll()
        #expect(queue.take().map(\.bytes) == (7..<10).map { arriving(484, seed: $0) })
    }

    @Test func withoutPacketBufferFramesAreDiscardedAtOnce() throws {
        let (rig, queue) = try rig { $0.packetBufferBytes = 0 }
        queue.provide(1)
        rig.poll()
        rig.arrive(arriving(60))
        rig.arrive(arriving(60))
        rig.poll()
        #expect(queue.take().count == 1)
        #expect(rig.count(.receiveNoRequest) == 1)
    }

    @Test func aQueueThatIsGoneGetsNothing() throws {
        let (rig, queue) = try rig()
        queue.provide(4)
        rig.path.removeReceive(0)
        rig.arrive(arriving(60))
        rig.poll()
        #expect(rig.framesDropped == 1)
        queue.ring()
        #expect(rig.strayDoorbells == 1)
    }

    // MARK: The fence

    @Test func theFenceComesBehindEverything() throws {
        let (rig, queue) = try rig()
        queue.provide(4)
        queue.arm()
        rig.arrive(arriving(60))
        rig.poll()
        _ = rig.takeEvents()
        _ = queue.takeRaw()
        queue.arm()
        rig.path.fence(0, &rig.events)
        let completion = try #require(queue.takeRaw())
        #expect(completion.type == .fence)
        #expect(rig.takeEvents() == [16])
    }
}
