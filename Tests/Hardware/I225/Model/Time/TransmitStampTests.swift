// The four slots, their order of causes, and their errata: section 6.4 of the I225 contract.

import Clock
import Ethernet
import I225Model
import I225Wire
import Interrupts
import Registers
import Testing

/// A card that sends stamped frames.
private struct StampBench {
    let rig: Rig
    let bench: TransmitBench

    init(_ change: (inout I225Options) -> Void = { _ in }) throws {
        rig = try Rig(change)
        rig.enableTraffic()
        rig.startClock()
        rig.setSystemTime(1000, 0)
        rig.write(I225Register.timeSyncMask, .with { $0[.transmitStamp] = true })
        rig.write(
            I225Register.transmitStampControl,
            .with {
                $0[.enabled] = true
                $0[.sampleAtPHY] = true
            }
        )
        bench = try TransmitBench(rig)
    }

    /// Sends a frame that asks for `slot`.
    func send(slot: Int, freeTimer: Bool = false) {
        bench.put(testFrame(64)) {
            $0[.stamp] = true
            $0[.stampSlot] = UInt32(slot)
        } options: {
            $0[.stampWithFreeTimer] = freeTimer
        }
        bench.ring()
    }

    var fullSlots: UInt32 { rig.read(I225Register.transmitStampControl)[.fullSlots] }

    func stamp(_ slot: Int) -> DeviceTime {
        let nanoseconds = rig.read(I225Register.transmitStampLow(slot))
        return DeviceTime(nanoseconds: nanoseconds, seconds: rig.read(I225Register.transmitStampHigh(slot)))
    }

    /// Whether a stamp was told of since the last look.
    func isTold() -> Bool { rig.read(I225Register.timeSyncCause)[.transmitStamp] }

    /// The wire time of the next frame at the far end.
    func wireTime() throws -> UInt64 { try #require(rig.takeWireTime()) }
}

@Suite("Transmit stamps")
struct TransmitStampTests {
    @Test("The stamp is the wire's time less the speed's latency", arguments: LinkSpeed.allCases)
    func latency(_ speed: LinkSpeed) throws {
        let bench = try StampBench { $0.linkSpeed = speed }
        bench.send(slot: 0)
        #expect(bench.fullSlots == 1)
        let wire = bench.rig.model.deviceTime(atHostTime: try bench.wireTime())
        #expect(bench.stamp(0).totalNanoseconds + speed.transmitLatency == wire)
    }

    @Test func aStampOfTheFreeTimerIsOfTimer1() throws {
        let bench = try StampBench()
        bench.send(slot: 0, freeTimer: true)
        let wire = bench.rig.model.freeTime(atHostTime: try bench.wireTime())
        #expect(bench.stamp(0).totalNanoseconds + LinkSpeed.megabits2500.transmitLatency == wire)
    }

    @Test("Reading the seconds empties the slot, and only it", arguments: 0..<4)
    func emptying(_ slot: Int) throws {
        let bench = try StampBench()
        for other in 0..<4 { bench.send(slot: other) }
        #expect(bench.fullSlots == 0xF)
        _ = bench.rig.read(I225Register.transmitStampLow(slot))
        #expect(bench.fullSlots == 0xF)
        _ = bench.rig.read(I225Register.transmitStampHigh(slot))
        #expect(bench.fullSlots == 0xF & ~(1 << UInt32(slot)))
    }

    @Test func theValueStaysReadableAndDiffersFromTheNextOne() throws {
        let bench = try StampBench()
        bench.send(slot: 0)
        let first = bench.stamp(0)
        #expect(bench.stamp(0) == first)
        bench.send(slot: 0)
        #expect(bench.stamp(0) != first)
    }

    @Test func stampsOfOneBurstNeverShareANanosecondEvenAtTheSlowestRate() throws {
        let bench = try StampBench()
        bench.rig.adjust(partsPerMillion: -62_499)
        for slot in 0..<4 {
            bench.bench.put(testFrame(64)) {
                $0[.stamp] = true
                $0[.stampSlot] = UInt32(slot)
            }
        }
        bench.bench.ring()
        let stamps = (0..<4).map { bench.stamp($0).totalNanoseconds }
        #expect(Set(stamps).count == 4)
        #expect(stamps == stamps.sorted())
    }

    @Test func aSlotThatIsFullKeepsItsStamp() throws {
        let bench = try StampBench()
        bench.send(slot: 2)
        let low = bench.rig.read(I225Register.transmitStampLow(2))
        bench.rig.advance(nanoseconds: 100)
        bench.send(slot: 2)
        #expect(bench.rig.read(I225Register.transmitStampLow(2)) == low)
        #expect(bench.rig.model.counters.stampsRefused == 1)
    }

    @Test func withoutTheEnableBitThereIsNoStampButTheFrameGoesOut() throws {
        let bench = try StampBench()
        bench.rig.write(I225Register.transmitStampControl, TransmitStampControl(raw: 0))
        bench.send(slot: 0)
        #expect(bench.fullSlots == 0)
        #expect(bench.rig.sent().count == 1)
        #expect(bench.rig.model.counters.stampsDisabled == 1)
    }

    @Test func theStampComesAfterDDByTheDelay() throws {
        let bench = try StampBench { $0.stampDelayNanoseconds = 10_000 }
        bench.send(slot: 1)
        #expect(bench.bench.isDone(0))
        #expect(bench.fullSlots == 0)
        #expect(bench.rig.model.nextDeadline == bench.rig.clock.now + 10_000)
        bench.rig.advance(nanoseconds: 9_999)
        #expect(bench.fullSlots == 0)
        bench.rig.advance(nanoseconds: 1)
        #expect(bench.fullSlots == 2)
        #expect(bench.isTold())
    }

    @Test func aSlotThatWaitsForItsStampIsOccupied() throws {
        let bench = try StampBench { $0.stampDelayNanoseconds = 10_000 }
        bench.send(slot: 1)
        bench.send(slot: 1)
        #expect(bench.rig.model.counters.stampsRefused == 1)
    }

    @Test func theInterruptIsVectorZerosWithTSAndTXTS() throws {
        let bench = try StampBench()
        bench.rig.enableInterrupts()
        let lease = try bench.rig.attach(0)
        bench.rig.write(I225Register.interruptMaskSet, .with { $0[.timeSync] = true })
        bench.send(slot: 3)
        #expect(lease.firedCount == 1)
        #expect(bench.rig.read(I225Register.interruptCause)[.timeSync])
        #expect(bench.isTold())
        #expect(!bench.isTold())
    }

    @Test func aLostStampLeavesItsSlotEmptyAndTheOthersAlone() throws {
        let bench = try StampBench { $0.stampFaults = [1: .lost] }
        for slot in 0..<3 { bench.send(slot: slot) }
        bench.rig.advance(nanoseconds: 1_000_000_000)
        #expect(bench.fullSlots == 0b101)
        #expect(bench.rig.model.counters.stampsLost == 1)
    }

    @Test func aLateStampComesLate() throws {
        let bench = try StampBench { $0.stampFaults = [0: .late(20_000_000)] }
        bench.send(slot: 0)
        bench.send(slot: 1)
        #expect(bench.fullSlots == 0b10)
        bench.rig.advance(nanoseconds: 20_000_000)
        #expect(bench.fullSlots == 0b11)
    }

    @Test func aDeviceResetEmptiesTheSlotsAlsoThoseThatWait() throws {
        let bench = try StampBench { $0.stampFaults = [1: .late(1000)] }
        bench.send(slot: 0)
        bench.send(slot: 1)
        bench.rig.modify(I225Register.deviceControl) { $0[.deviceReset] = true }
        bench.rig.advance(nanoseconds: 10_000)
        #expect(bench.fullSlots == 0)
        #expect(bench.stamp(0) == DeviceTime(nanoseconds: 0, seconds: 0))
    }

    @Test func withTheFirstErratumTheDeviceIsSilentUntilSlot0IsRead() throws {
        let bench = try StampBench { $0.stampErrata = .silentUntilSlot0IsRead }
        bench.send(slot: 1)
        #expect(bench.isTold())
        bench.send(slot: 2)
        bench.send(slot: 0)
        #expect(!bench.isTold())
        #expect(bench.fullSlots == 0b111)
        _ = bench.rig.read(I225Register.transmitStampHigh(1))
        bench.send(slot: 1)
        #expect(!bench.isTold())
        _ = bench.rig.read(I225Register.transmitStampHigh(0))
        bench.send(slot: 3)
        #expect(bench.isTold())
    }

    @Test func withTheSecondErratumReadingSlot0EmptiesAll() throws {
        let bench = try StampBench { $0.stampErrata = .slot0EmptiesAll }
        for slot in 0..<4 { bench.send(slot: slot) }
        _ = bench.rig.read(I225Register.transmitStampHigh(0))
        #expect(bench.fullSlots == 0)
    }
}
