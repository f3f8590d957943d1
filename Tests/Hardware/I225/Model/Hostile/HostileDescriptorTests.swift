// Descriptors and buffers that lie: a counter, a completed descriptor, and nothing touched that was not lent.

import Backing
import Clock
import I225Model
import I225Wire
import Memory
import PCIe
import Registers
import Simulation
import Testing

@Suite("Hostile descriptors")
struct HostileDescriptorTests {
    private func bench() throws -> (Rig, TransmitBench) {
        let rig = try Rig()
        rig.enableTraffic()
        return (rig, try TransmitBench(rig))
    }

    private func sendGoodFrame(_ rig: Rig, _ bench: TransmitBench) {
        let frame = testFrame(99, seed: 9)
        bench.put(frame)
        bench.ring()
        #expect(rig.sent() == [frame])
    }

    @Test(
        "A buffer outside the IOVA space",
        arguments: [UInt64(0), 0x1000, 0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFC0, 0x7FFF_FFFF_FFFF_FFFF]
    )
    func unreachableBuffer(_ address: UInt64) throws {
        let (rig, bench) = try bench()
        var command = TransmitCommand.dataDescriptor
        command[.length] = 64
        command[.endOfPacket] = true
        command[.reportStatus] = true
        let plain = bench.put(
            TransmitDataDescriptor(bufferAddress: address, command: command, options: TransmitOptions(raw: 0))
        )
        command[.insertVLAN] = true
        let tagged = bench.put(
            TransmitDataDescriptor(bufferAddress: address, command: command, options: TransmitOptions(raw: 0))
        )
        bench.ring()
        #expect(rig.sent().isEmpty)
        #expect(bench.isDone(plain) && bench.isDone(tagged))
        #expect(rig.model.counters.dmaFaults == 2)
        sendGoodFrame(rig, bench)
    }

    @Test("A buffer that the device may only write")
    func writeOnlyBuffer() throws {
        let (rig, bench) = try bench()
        let lent = try Lent(rig, byteCount: 4096, .deviceWrites)
        var command = TransmitCommand.dataDescriptor
        command[.length] = 64
        command[.endOfPacket] = true
        bench.put(TransmitDataDescriptor(bufferAddress: lent.iova, command: command, options: .init(raw: 0)))
        bench.ring()
        #expect(rig.sent().isEmpty)
        #expect(rig.model.counters.dmaFaults == 1)
        sendGoodFrame(rig, bench)
    }

    @Test("Lengths that no frame has", arguments: [UInt32(0), 1, 13, 9729, 65535])
    func badLength(_ length: UInt32) throws {
        let (rig, bench) = try bench()
        let slot = bench.put(testFrame(64)) { $0[.length] = length }
        bench.ring()
        #expect(rig.sent().isEmpty)
        #expect(bench.isDone(slot))
        #expect(rig.model.counters.malformedTransmits == 1)
        sendGoodFrame(rig, bench)
    }

    @Test("Every reserved type of descriptor", arguments: [UInt64(0), 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    func reservedType(_ type: UInt64) throws {
        let (rig, bench) = try bench()
        let slot = bench.put(low: bench.bufferAddress(0), high: 0x2900_0040 | type << 20)
        bench.ring()
        #expect(rig.sent().isEmpty)
        #expect(bench.isDone(slot))
        #expect(rig.model.counters.malformedTransmits == 1)
        sendGoodFrame(rig, bench)
    }

    @Test func aFrameOfTooManyPiecesIsDroppedNotWaitedFor() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try TransmitBench(rig, count: 256)
        for _ in 0..<200 { bench.put(testFrame(20)) { $0[.endOfPacket] = false } }
        bench.put(testFrame(20))
        bench.ring()
        #expect(bench.head == 201)
        #expect(rig.model.counters.malformedTransmits >= 3)
        _ = rig.sent()
        sendGoodFrame(rig, bench)
    }

    @Test func aContextInTheMiddleOfAFrameSpoilsTheFrame() throws {
        let (rig, bench) = try bench()
        bench.put(testFrame(64)) { $0[.endOfPacket] = false }
        bench.put(TransmitContextDescriptor(vlanTag: 1))
        bench.ring()
        #expect(rig.model.counters.malformedTransmits == 1)
        sendGoodFrame(rig, bench)
    }

    @Test("Offloads beyond the frame", arguments: [UInt64(1), 2, 3])
    func randomContexts(_ seed: UInt64) throws {
        let (rig, bench) = try bench()
        var random = SeededRandom(seed: seed)
        for _ in 0..<2000 {
            let context = UInt64.random(in: 0...UInt64.max, using: &random) & ~(0xF << 20) | 0x2020_0000
            bench.put(low: UInt64.random(in: 0...UInt64.max, using: &random), high: context)
            bench.put(testFrame(Int.random(in: 14...1500, using: &random))) {
                $0[.insertVLAN] = Bool.random(using: &random)
                $0[.segment] = Bool.random(using: &random)
                $0[.stamp] = Bool.random(using: &random)
            } options: {
                $0.raw = UInt32.random(in: 0...UInt32.max, using: &random)
            }
            bench.ring()
            for frame in rig.sent() { #expect(frame.count <= I225.longestFrameBytes) }
        }
        #expect(rig.model.counters.dmaFaults == 0)
        sendGoodFrame(rig, bench)
    }

    @Test("A receive buffer outside the IOVA space costs its frame, and its descriptor comes back in error")
    func unreachableReceiveBuffer() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try ReceiveBench(rig)
        bench.setBuffer(0, 0xDEAD_BEEF_0000)
        rig.arriveAndPoll(testFrame(64, seed: 1))
        rig.arriveAndPoll(testFrame(64, seed: 2))
        #expect(bench.writeBack(0).status[.receiveError])
        #expect(bench.writeBack(0).length != 0)
        #expect(bench.bytes(1) == testFrame(64, seed: 2))
        #expect(rig.model.counters.dmaFaults == 1)
        #expect(rig.model.counters.framesDropped == 1)
    }

    @Test func aReceiveBufferThatTheDeviceMayOnlyReadIsNotWritten() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try ReceiveBench(rig)
        let lent = try Lent(rig, byteCount: 4096, .deviceReads)
        bench.setBuffer(0, lent.iova)
        rig.arriveAndPoll(testFrame(64))
        #expect(lent.bytes(at: 0, count: 64) == [UInt8](repeating: 0, count: 64))
        #expect(rig.model.counters.dmaFaults == 1)
    }

    @Test func aBufferThatEndsAtTheEndOfItsMappingIsNotOverrun() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try ReceiveBench(rig)
        let lent = try Lent(rig, byteCount: 4096)
        bench.setBuffer(0, lent.iova + 4096 - 63)
        bench.setBuffer(1, lent.iova + 4096 - 64)
        rig.arriveAndPoll(testFrame(64))
        rig.arriveAndPoll(testFrame(64))
        #expect(bench.writeBack(0).status[.receiveError])
        #expect(!bench.writeBack(1).status[.receiveError])
        #expect(rig.model.counters.dmaFaults == 1)
    }

    @Test("Frames that no station sends", arguments: [1, 13, 9728])
    func strangeFrames(_ length: Int) throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try ReceiveBench(rig)
        rig.write(I225Register.longestPacket, 1522)
        rig.arriveAndPoll(testFrame(length))
        #expect(bench.head == 0)
        #expect(rig.model.counters.framesOfBadLength == 1)
    }

    @Test func aQueueWithoutBufferSizeDropsItsFrames() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try ReceiveBench(rig, bufferKilobytes: 0)
        rig.arriveAndPoll(testFrame(64))
        #expect(bench.head == 0)
        #expect(rig.model.counters.framesDropped == 1)
    }

    @Test func aFrameThatTheRingCanNeverHoldIsDroppedNotWaitedFor() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try ReceiveBench(rig, count: 8, bufferKilobytes: 1)
        rig.write(I225Register.longestPacket, 9732)
        rig.arriveAndPoll(testFrame(9000))
        rig.arriveAndPoll(testFrame(64))
        #expect(rig.model.counters.framesDropped == 1)
        #expect(bench.head == 1)
    }
}
