// Rings, heads and tails that lie: the queue stands, the device goes on, and mending them mends the queue.

import Backing
import Clock
import I225Model
import I225Wire
import Memory
import PCIe
import Registers
import Simulation
import Testing

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
