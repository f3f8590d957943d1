// Whatever a driver writes, the device answers with a counter, goes on, and touches nothing that was not lent.

import Backing
import Clock
import I225Model
import I225Wire
import Memory
import PCIe
import Registers
import Simulation
import Testing

@Suite("Hostile register accesses")
struct HostileAccessTests {
    @Test func oddReadsAreServedFromTheWordsAround() throws {
        let rig = try Rig()
        rig.write(I225Register.flowControlAddressLow, 0x4433_2211)
        rig.write(I225Register.flowControlAddressHigh, 0x6655)
        #expect(rig.model.read(bar: 0, 0x29, .byte) == 0x22)
        #expect(rig.model.read(bar: 0, 0x2A, .word) == 0x4433)
        #expect(rig.model.read(bar: 0, 0x2B, .word) == 0x5544)
        #expect(rig.model.read(bar: 0, 0x2A, .doubleWord) == 0x6655_4433)
        #expect(rig.model.read(bar: 0, 0x28, .quadWord) == 0x0000_6655_4433_2211)
        #expect(rig.model.read(bar: 0, 0x29, .quadWord) == 0x0000_0066_5544_3322)
    }

    @Test func narrowAndUnalignedWritesAreDroppedAndCounted() throws {
        let rig = try Rig()
        rig.model.write(bar: 0, 0x28, .byte, 0xFF)
        rig.model.write(bar: 0, 0x28, .word, 0xFFFF)
        rig.model.write(bar: 0, 0x29, .doubleWord, 0xFFFF_FFFF)
        rig.model.write(bar: 0, 0x2A, .quadWord, ~0)
        #expect(rig.read(I225Register.flowControlAddressLow) == 0)
        #expect(rig.model.counters.oddWrites == 4)
    }

    @Test func aWriteOf8BytesIsTwoOf4() throws {
        let rig = try Rig()
        rig.model.write(bar: 0, 0x28, .quadWord, 0x0000_1234_89AB_CDEF)
        #expect(rig.read(I225Register.flowControlAddressLow) == 0x89AB_CDEF)
        #expect(rig.read(I225Register.flowControlAddressHigh) == 0x1234)
    }

    @Test(
        "Accesses outside the BARs",
        arguments: [
            (0, UInt64(0x20000)), (0, 0x1FFFE), (0, UInt64.max), (0, UInt64.max - 3), (3, 0x4000), (3, UInt64.max),
            (1, 0), (7, 8),
            (-1, 0),
        ]
    )
    func outside(_ bar: Int, _ offset: UInt64) throws {
        let rig = try Rig()
        for size in AccessSize.allCases {
            _ = rig.model.read(bar: bar, offset, size)
            rig.model.write(bar: bar, offset, size, ~0)
        }
        #expect(rig.model.counters.unknownAccesses + rig.model.counters.oddWrites > 0)
        #expect(rig.read(I225Register.deviceControl).raw == 0)
    }

    @Test(
        "Any configuration access has an answer",
        arguments: AccessSize.allCases
    )
    func configuration(_ size: AccessSize) throws {
        let rig = try Rig()
        for offset: UInt16 in [0, 1, 3, 0x3D, 0x41, 0xFD, 0xFFF, 0x1000, 0xFFFD, 0xFFFF] {
            _ = rig.model.readConfig(offset, size)
            rig.model.writeConfig(offset, size, 0)
        }
        #expect(rig.model.readConfig(0, .word) == 0x8086)
    }

    @Test("Random accesses to all registers", arguments: [UInt64(1), 2, 3, 4])
    func random(_ seed: UInt64) throws {
        let rig = try Rig()
        rig.enableTraffic()
        var random = SeededRandom(seed: seed)
        let rows = I225RegisterMap.map.rows
        for step in 0..<20_000 {
            let row = rows[Int.random(in: 0..<rows.count, using: &random)]
            let offset = UInt64(row.offset) + UInt64(Int.random(in: 0..<row.count, using: &random)) * UInt64(row.stride)
            if Bool.random(using: &random) {
                rig.model.write(bar: 0, offset, .doubleWord, UInt64.random(in: 0...0xFFFF_FFFF, using: &random))
            } else {
                _ = rig.model.read(bar: 0, offset, .doubleWord)
            }
            if step % 16 == 0 {
                rig.arrive(testFrame(Int.random(in: 1...2000, using: &random)))
                rig.clock.advance(nanoseconds: UInt64.random(in: 0...1_000_000_000, using: &random))
                rig.poll(limit: 4)
                _ = rig.model.nextDeadline
                _ = rig.sent()
            }
        }
        // It is still a device: a reset makes it as new.
        try rig.device.reset()
        try rig.device.writeConfig(ConfigSpace.Offset.command, .word, 0x6)
        rig.enableTraffic()
        let bench = try TransmitBench(rig)
        _ = rig.sent()
        bench.put(testFrame(64))
        bench.ring()
        #expect(rig.sent() == [testFrame(64)])
    }
}

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

@Suite("Hostile rings")
struct HostileRingTests {
    @Test func aTailBeyondTheRingIsIgnoredAndCountedOnceUntilItIsMended() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try TransmitBench(rig)
        bench.put(testFrame(64))
        bench.ring(16)
        bench.ring(16)
        bench.ring(0xFFFF)
        #expect(bench.head == 0)
        #expect(rig.model.counters.badTails == 2)
        bench.ring(1)
        #expect(rig.sent().count == 1)
    }

    @Test func aReceiveTailBeyondTheRingGivesNoDescriptors() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try ReceiveBench(rig, provide: 999)
        rig.arriveAndPoll(testFrame(64))
        #expect(bench.head == 0)
        #expect(rig.model.counters.badTails == 1)
        bench.provide(3)
        rig.poll()
        #expect(bench.head == 1)
    }

    @Test("A ring that cannot be reached", arguments: [UInt64(0), 0x80, 0xFFFF_FFFF_FFFF_FF80])
    func unreachableRing(_ base: UInt64) throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try TransmitBench(rig)
        rig.write(I225Register.transmitBaseLow[0], UInt32(truncatingIfNeeded: base))
        rig.write(I225Register.transmitBaseHigh[0], UInt32(base >> 32))
        bench.put(testFrame(64))
        bench.ring()
        rig.poll()
        #expect(rig.model.counters.unreachableRings == 1)
        #expect(bench.head == 0)
        rig.write(I225Register.transmitBaseLow[0], UInt32(truncatingIfNeeded: bench.ring.iova))
        rig.write(I225Register.transmitBaseHigh[0], UInt32(bench.ring.iova >> 32))
        rig.poll()
        #expect(rig.sent().count == 1)
    }

    @Test func aRingThatRunsOutOfItsMappingIsNotUsedAtAll() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try TransmitBench(rig)
        rig.write(I225Register.transmitLength[0], 0xF_FF80)
        bench.put(testFrame(64))
        bench.ring()
        #expect(rig.sent().isEmpty)
        #expect(rig.model.counters.unreachableRings == 1)
    }

    @Test func anUnalignedBaseLosesItsLowBits() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try TransmitBench(rig)
        rig.write(I225Register.transmitBaseLow[0], UInt32(truncatingIfNeeded: bench.ring.iova) | 0x7F)
        bench.put(testFrame(64))
        bench.ring()
        #expect(rig.sent().count == 1)
    }

    /// A client may lend memory at an address that its IOVA's low bits do not show.
    @Test func memoryAtAnOddPlaceCannotHoldARing() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try TransmitBench(rig)
        let lent = try Lent(rig, byteCount: 8192)
        // SAFETY: `lent` outlives the mapping.
        try unsafe rig.model.host.memory.map(iova: 0x8000_0000, base: lent.buffer.base + 4, byteCount: 4096, .both)
        rig.write(I225Register.transmitBaseLow[0], 0x8000_0000)
        rig.write(I225Register.transmitBaseHigh[0], 0)
        bench.ring(1)
        #expect(rig.model.counters.unreachableRings == 1)
    }

    @Test func aHeadBeyondTheRingStopsTheQueueUntilItIsMended() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try TransmitBench(rig)
        rig.write(I225Register.transmitHead[0], 0xFFFF)
        bench.put(testFrame(64))
        bench.ring()
        #expect(rig.sent().isEmpty)
        rig.write(I225Register.transmitHead[0], 0)
        rig.poll()
        #expect(rig.sent().count == 1)
    }

    @Test func anEnabledQueueWithoutARingDoesNothing() throws {
        let rig = try Rig()
        rig.enableTraffic()
        rig.write(I225Register.transmitQueueControl[1], .with { $0[.enabled] = true })
        rig.write(I225Register.receiveQueueControl[1], .with { $0[.enabled] = true })
        rig.write(I225Register.transmitTail[1], 5)
        rig.poll()
        #expect(rig.model.counters.dmaFaults == 0)
    }

    @Test("Random descriptors in random rings", arguments: [UInt64(11), 12, 13])
    func randomRings(_ seed: UInt64) throws {
        let rig = try Rig()
        rig.enableTraffic()
        var random = SeededRandom(seed: seed)
        let bench = try TransmitBench(rig, count: 64)
        let receiver = try ReceiveBench(rig, count: 64)
        for _ in 0..<300 {
            for word in 0..<64 {
                // Half of the addresses are good ones.
                let good = bench.bufferAddress(Int.random(in: 0..<64, using: &random))
                let address = Bool.random(using: &random) ? good : UInt64.random(in: 0...UInt64.max, using: &random)
                bench.ring.setWord(address, at: word * 16)
                bench.ring.setWord(UInt64.random(in: 0...UInt64.max, using: &random), at: word * 16 + 8)
                receiver.ring.setWord(UInt64.random(in: 0...UInt64.max, using: &random), at: word * 16)
            }
            rig.write(I225Register.transmitTail[0], UInt32.random(in: 0...80, using: &random))
            rig.write(I225Register.receiveTail[0], UInt32.random(in: 0...80, using: &random))
            for _ in 0..<8 { rig.arrive(testFrame(Int.random(in: 14...1500, using: &random))) }
            rig.poll(limit: 50)
            _ = rig.sent()
        }
        #expect(rig.model.counters.malformedTransmits > 0)
        #expect(rig.model.counters.dmaFaults > 0)
    }
}
