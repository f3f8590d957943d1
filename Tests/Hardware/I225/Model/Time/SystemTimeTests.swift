// SYSTIM, TIMINCA, TSICR: section 6.1 of the I225 contract.

import Clock
import I225Model
import I225Wire
import Interrupts
import Registers
import Testing

extension Rig {
    /// Timer 0 as a driver reads it: low, which latches, then high.
    func systemTime() -> DeviceTime {
        let nanoseconds = read(I225Register.systemTimeLow)
        return DeviceTime(nanoseconds: nanoseconds, seconds: read(I225Register.systemTimeHigh))
    }

    func setSystemTime(_ seconds: UInt32, _ nanoseconds: UInt32) {
        write(I225Register.systemTimeLow, nanoseconds)
        write(I225Register.systemTimeHigh, seconds)
    }

    /// Starts timer 0 as Linux does at every reset.
    func startClock() { write(I225Register.auxiliaryControl, AuxiliaryControl(raw: 0)) }

    /// TIMINCA for a rate in parts per million, as Linux computes it (igc_ptp_adjfine_i225).
    func adjust(partsPerMillion: Int) {
        let scaled = UInt64(partsPerMillion.magnitude) << 16
        write(
            I225Register.timeIncrement,
            .with {
                $0[.correction] = UInt32(scaled * 16384 / 78125)
                $0[.slower] = partsPerMillion < 0
            }
        )
    }
}

@Suite("System time")
struct SystemTimeTests {
    @Test func theClockStandsUntilTSAUXCIsCleared() throws {
        let rig = try Rig()
        rig.setSystemTime(7, 100)
        rig.advance(nanoseconds: 1000)
        #expect(rig.systemTime() == DeviceTime(nanoseconds: 100, seconds: 7))
        rig.startClock()
        rig.advance(nanoseconds: 1000)
        #expect(rig.systemTime() == DeviceTime(nanoseconds: 1100, seconds: 7))
    }

    @Test func aWriteCommitsWithTheHighHalf() throws {
        let rig = try Rig()
        rig.startClock()
        rig.write(I225Register.systemTimeLow, 5)
        rig.advance(nanoseconds: 50)
        rig.write(I225Register.systemTimeHigh, 3)
        #expect(rig.systemTime() == DeviceTime(nanoseconds: 5, seconds: 3))
    }

    @Test func readingTheLowHalfLatchesTheHighOne() throws {
        let rig = try Rig()
        rig.startClock()
        rig.setSystemTime(9, 999_999_999)
        let low = rig.read(I225Register.systemTimeLow)
        rig.advance(nanoseconds: 10)
        #expect(
            DeviceTime(nanoseconds: low, seconds: rig.read(I225Register.systemTimeHigh)).totalNanoseconds
                == 9_999_999_999
        )
        #expect(rig.systemTime() == DeviceTime(nanoseconds: 9, seconds: 10))
    }

    @Test func onePartPerMillionIs13743Units() throws {
        let rig = try Rig()
        rig.startClock()
        rig.adjust(partsPerMillion: 1)
        #expect(rig.read(I225Register.timeIncrement)[.correction] == 13_743)
        rig.setSystemTime(0, 0)
        rig.advance(nanoseconds: 1_000_000_000_000)
        // 1000 s at 1 ppm: a millisecond more, less what Linux's arithmetic cuts off (13743.9 to 13743).
        let gained = Int64(rig.systemTime().totalNanoseconds) - 1_000_000_000_000
        #expect((999_900...1_000_100).contains(gained))
    }

    @Test("Rates are exact", arguments: [false, true])
    func exactRate(_ slower: Bool) throws {
        let rig = try Rig()
        rig.startClock()
        rig.write(
            I225Register.timeIncrement,
            .with {
                $0[.correction] = 0x4000_0000
                $0[.slower] = slower
            }
        )
        rig.setSystemTime(100, 0)
        // 2^30 units of 2^-32 ns are 0.25 ns per 3.2 ns: 78.125 ms per second.
        rig.advance(nanoseconds: 1_000_000_000)
        let expected: UInt64 = slower ? 100_921_875_000 : 101_078_125_000
        #expect(rig.systemTime().totalNanoseconds == expected)
    }

    @Test func aChangeOfRateDoesNotJump() throws {
        let rig = try Rig()
        rig.startClock()
        rig.setSystemTime(50, 0)
        for rate in [62_000, -62_000, 1, 0, -1] {
            rig.advance(nanoseconds: 123_457)
            let before = rig.systemTime()
            rig.adjust(partsPerMillion: rate)
            #expect(rig.systemTime() == before)
        }
    }

    @Test func timer1IsFreeOfTimer0sRateAndSteps() throws {
        let rig = try Rig()
        rig.startClock()
        let start = rig.read(I225Register.freeTimeLow)
        rig.adjust(partsPerMillion: 60_000)
        rig.setSystemTime(1000, 0)
        rig.advance(nanoseconds: 12_345)
        #expect(rig.read(I225Register.freeTimeLow) == start + 12_345)
    }

    @Test func nanosecondsBeyondASecondAreCarried() throws {
        let rig = try Rig()
        rig.startClock()
        rig.setSystemTime(1, 0xFFFF_FFFF)
        #expect(rig.systemTime() == DeviceTime(nanoseconds: 294_967_295, seconds: 5))
    }

    @Test func secondsWrapAt32Bits() throws {
        let rig = try Rig()
        rig.startClock()
        rig.setSystemTime(0xFFFF_FFFF, 999_999_999)
        rig.advance(nanoseconds: 1)
        #expect(rig.systemTime() == DeviceTime(nanoseconds: 0, seconds: 0))
    }

    @Test func aWrapOfTheSecondIsACauseAtItsDeadline() throws {
        let rig = try Rig()
        rig.startClock()
        rig.linkUp()
        rig.setSystemTime(5, 900_000_000)
        rig.write(I225Register.timeSyncMask, .with { $0[.secondWrapped] = true })
        for _ in 0..<100 {
            guard let deadline = rig.model.nextDeadline else { break }
            rig.advance(nanoseconds: max(1, deadline - rig.clock.now))
            if rig.read(I225Register.timeSyncCause)[.secondWrapped] { break }
        }
        #expect(rig.systemTime() == DeviceTime(nanoseconds: 0, seconds: 6))
        #expect(!rig.read(I225Register.timeSyncCause)[.secondWrapped])
    }

    @Test func aWrapIsVisibleWithoutItsMaskAndSilent() throws {
        let rig = try Rig()
        rig.startClock()
        rig.setSystemTime(5, 999_999_999)
        rig.advance(nanoseconds: 1)
        #expect(!rig.read(I225Register.interruptCause)[.timeSync])
        #expect(rig.read(I225Register.timeSyncCause)[.secondWrapped])
        rig.advance(nanoseconds: 1_000_000_000)
        rig.write(I225Register.timeSyncMask, .with { $0[.secondWrapped] = true })
        #expect(!rig.read(I225Register.interruptCause)[.timeSync])
    }

    @Test func aStepOverASecondIsNoWrap() throws {
        let rig = try Rig()
        rig.startClock()
        rig.write(I225Register.timeSyncMask, .with { $0[.secondWrapped] = true })
        _ = rig.read(I225Register.timeSyncCause)
        rig.setSystemTime(77, 0)
        rig.poll()
        #expect(rig.read(I225Register.timeSyncCause).raw == 0)
    }

    @Test func aTargetTimeMatchesOnceAndSwitchesItselfOff() throws {
        let rig = try Rig()
        rig.startClock()
        rig.setSystemTime(10, 0)
        rig.write(I225Register.targetTimeLow0, TargetTimeLow(raw: 500))
        rig.write(I225Register.targetTimeHigh0, 10)
        rig.write(I225Register.auxiliaryControl, .with { $0[.targetTime0] = true })
        rig.advance(nanoseconds: 499)
        #expect(!rig.read(I225Register.timeSyncCause)[.targetTime0])
        rig.advance(nanoseconds: 1)
        #expect(rig.read(I225Register.timeSyncCause)[.targetTime0])
        #expect(!rig.read(I225Register.auxiliaryControl)[.targetTime0])
        rig.advance(nanoseconds: 1000)
        #expect(!rig.read(I225Register.timeSyncCause)[.targetTime0])
    }

    @Test func anEventIsStampedOnceUntilItIsRead() throws {
        let rig = try Rig()
        rig.startClock()
        rig.write(I225Register.auxiliaryControl, .with { $0[.event0] = true })
        rig.setSystemTime(20, 0)
        rig.advance(nanoseconds: 42)
        rig.model.captureEvent(0)
        rig.advance(nanoseconds: 100)
        rig.model.captureEvent(0)
        #expect(rig.read(I225Register.timeSyncCause)[.event0])
        #expect(rig.read(I225Register.auxiliaryStampLow0) == 42)
        #expect(rig.read(I225Register.auxiliaryStampHigh0) == 20)
        rig.model.captureEvent(0)
        #expect(rig.read(I225Register.auxiliaryStampLow0) == 142)
    }

    @Test func aDisabledEventIsNotStamped() throws {
        let rig = try Rig()
        rig.startClock()
        rig.model.captureEvent(1)
        #expect(rig.read(I225Register.timeSyncCause).raw == 0)
        #expect(rig.read(I225Register.auxiliaryStampLow1) == 0)
    }

    /// An `ifup` of Linux reads ICR and not TSICR: the next event must be told of although its bit is still set.
    @Test func everyEnabledEventRaisesTheInterruptAlsoIfItsBitIsSet() throws {
        let rig = try Rig()
        rig.startClock()
        rig.write(I225Register.auxiliaryControl, .with { $0[.event0] = true })
        rig.write(I225Register.timeSyncMask, .with { $0[.event0] = true })
        for _ in 0..<2 {
            rig.model.captureEvent(0)
            #expect(rig.read(I225Register.interruptCause)[.timeSync])
            _ = rig.read(I225Register.auxiliaryStampHigh0)
        }
        #expect(rig.read(I225Register.timeSyncCause)[.event0])
    }

    @Test func theModelTellsTheDeviceTimeOfAHostTime() throws {
        let rig = try Rig()
        rig.startClock()
        rig.setSystemTime(3, 0)
        #expect(rig.model.deviceTime(atHostTime: rig.clock.now + 17) == 3_000_000_017)
        #expect(rig.model.deviceTime(atHostTime: rig.clock.now - 17) == 2_999_999_983)
    }
}
