// The card's clock through the PTP contract, on virtual time.

import Backing
import Clock
import I225Driver
import I225Model
import I225Wire
import PTP
import Registers
import TestCards
import Testing

@Suite("Clock", .overEveryBacking)
struct ClockTests {
    private static let second: UInt64 = 1_000_000_000

    private func time(_ seconds: Int64, _ nanoseconds: UInt32 = 0) throws -> PTPTime {
        try #require(PTPTime(seconds: seconds, nanoseconds: nanoseconds))
    }

    @Test("It shows the card's time, and when it was read")
    func reads() throws {
        let rig = Rig()
        let hooks = RegisterHooks()
        hooks.beforeAccess = { rig.clock.advance(nanoseconds: 700) }
        let slow = HookedBacking(rig.backing, hooks)
        let device = try rig.open(on: slow)
        let before = rig.clock.now
        let reading = try device.clock.time()
        #expect(reading.systemBefore == before)
        #expect(reading.systemAfter == before + 700)
        #expect(reading.time.unsignedNanoseconds == rig.model.deviceTime(atHostTime: before + 700))
    }

    @Test("It is set to any time that its 32 bits of seconds hold, and goes on from there")
    func sets() throws {
        let rig = Rig()
        let device = try rig.open()
        for target in [
            try time(0), try time(1, 999_999_999), try time(1_700_000_000, 5), try time(Int64(UInt32.max), 1),
        ] {
            try device.clock.setTime(target)
            #expect(try device.clock.time().time == target)
            rig.clock.advance(nanoseconds: 7)
            #expect(try device.clock.time().time == target.advanced(byNanoseconds: 7))
        }
    }

    @Test("A time before 1970, or beyond 32 bits of seconds, is refused and changes nothing")
    func refusesTimes() throws {
        let rig = Rig()
        let device = try rig.open()
        try device.clock.setTime(time(1000))
        for seconds in [-1, Int64(UInt32.max) + 1, .min, .max] {
            let wrong = try time(seconds, 999_999_999)
            let error = #expect(throws: DeviceError.self) { try device.clock.setTime(wrong) }
            #expect(error?.code == .invalidArgument)
        }
        #expect(try device.clock.time().time == time(1000))
    }

    @Test("It is moved forward and back by nanoseconds")
    func adjusts() throws {
        let rig = Rig()
        let device = try rig.open()
        try device.clock.setTime(time(1000, 500))
        for delta: Int64 in [1, -1, 999_999_499, -2_000_000_000, 500_000_000_000_000, -1_000_000] {
            let before = try device.clock.time().time
            try device.clock.adjustTime(byNanoseconds: delta)
            #expect(try device.clock.time().time == before.advanced(byNanoseconds: delta))
        }
    }

    @Test("A move that leads before 1970, beyond 32 bits of seconds or beyond 64 bits is refused and changes nothing")
    func refusesMoves() throws {
        let rig = Rig()
        let device = try rig.open()
        try device.clock.setTime(time(1000))
        for delta: Int64 in [-1_000_000_000_001, .min, .max, Int64(UInt32.max) * 1_000_000_000] {
            let error = #expect(throws: DeviceError.self) { try device.clock.adjustTime(byNanoseconds: delta) }
            #expect(error?.code == .invalidArgument)
        }
        #expect(try device.clock.time().time == time(1000))
        try device.clock.adjustTime(byNanoseconds: -1_000_000_000_000)
        #expect(try device.clock.time().time == .zero)
    }

    @Test(
        "Over 1000 s it drifts by what it was told, to within a unit of its register",
        arguments: [0, 1, -1, 1000, -1000, 123_456, -123_456, 62_499_999, -62_499_999]
    )
    func drifts(partsPerBillion: Int32) throws {
        let rig = Rig()
        let device = try rig.open()
        var clock = device.clock
        try clock.setTime(time(100_000))
        try clock.steer(ScaledPPM(partsPerBillion: partsPerBillion))
        rig.clock.advance(nanoseconds: 1000 * Self.second)
        let reading = try #require(try clock.time().time.unsignedNanoseconds)
        let drift = Int64(reading) - Int64(101_000 * Self.second)
        // TIMINCA counts 2^-32 ns in 3.2 ns: 73 ns in 1000 s. A unit of scaled ppm is 15 ns in 1000 s, rounded: 8 ns.
        #expect(abs(drift - Int64(partsPerBillion) * 1000) <= 73 + 8 + 1)
    }

    @Test("One part per million for 1000 s is a millisecond")
    func onePartPerMillion() throws {
        let rig = Rig()
        let device = try rig.open()
        try device.clock.setTime(time(0))
        try device.clock.adjustFrequency(ScaledPPM(rawValue: 65536))
        rig.clock.advance(nanoseconds: 1000 * Self.second)
        let reading = try #require(try device.clock.time().time.unsignedNanoseconds)
        #expect((1000 * Self.second + 999_900...1000 * Self.second + 1_000_000).contains(reading))
    }

    @Test("A new rate holds from now on; what has passed stays")
    func ratesFollowEachOther() throws {
        let rig = Rig()
        let device = try rig.open()
        try device.clock.setTime(time(0))
        for partsPerBillion: Int32 in [1_000_000, -1_000_000, 0] {
            try device.clock.adjustFrequency(ScaledPPM(partsPerBillion: partsPerBillion))
            rig.clock.advance(nanoseconds: 10 * Self.second)
        }
        let reading = try #require(try device.clock.time().time.unsignedNanoseconds)
        #expect((30 * Self.second - 5...30 * Self.second + 5).contains(reading))
    }

    @Test("A rate beyond what the card takes is refused and changes nothing")
    func refusesRates() throws {
        let rig = Rig()
        let device = try rig.open()
        var clock = device.clock
        let bar = try rig.backing.mapBAR(0)
        try clock.steer(ScaledPPM(partsPerBillion: 1000))
        let before = bar.read(I225Register.timeIncrement)
        for offset in [
            ScaledPPM(partsPerBillion: 62_500_001), ScaledPPM(partsPerBillion: -62_500_001),
            ScaledPPM(rawValue: .max), ScaledPPM(rawValue: .min),
        ] {
            let error = #expect(throws: PTPAdjustmentError<DeviceError>.self) { try clock.steer(offset) }
            guard case .outOfRange? = error else {
                Issue.record("\(offset.rawValue) gave \(String(describing: error))")
                continue
            }
        }
        #expect(bar.read(I225Register.timeIncrement) == before)
    }

    @Test("Without the check a rate is the nearest that the register holds", arguments: [false, true])
    func clampsRates(isSlower: Bool) throws {
        let rig = Rig()
        let device = try rig.open()
        let bar = try rig.backing.mapBAR(0)
        for magnitude in [Int64.max, 1 << 40, 1 << 34] {
            try device.clock.adjustFrequency(ScaledPPM(rawValue: isSlower ? -magnitude : magnitude))
            let increment = bar.read(I225Register.timeIncrement)
            #expect(increment[.correction] == 0x7FFF_FFFF)
            #expect(increment[.slower] == isSlower)
        }
        try device.clock.adjustFrequency(ScaledPPM(rawValue: .min))
        #expect(bar.read(I225Register.timeIncrement)[.slower])
    }

    @Test("Nanoseconds that are no nanoseconds are an error that says so")
    func impossibleTime() throws {
        let rig = Rig()
        let hooks = RegisterHooks()
        let device = try rig.open(on: HookedBacking(rig.backing, hooks))
        hooks.answer = { offset, value in offset == I225Register.systemTimeLow.offset ? 1_000_000_000 : value }
        let error = #expect(throws: DeviceError.self) { _ = try device.clock.time() }
        #expect(error?.code == .badContents)
        #expect(throws: DeviceError.self) { try device.clock.adjustTime(byNanoseconds: 1) }
    }

    @Test("A card that is pulled before, or between, the two reads of the time is gone", arguments: [0, 1])
    func pulled(readsBefore: Int) throws {
        let rig = Rig()
        let hooks = RegisterHooks()
        let device = try rig.open(on: HookedBacking(rig.backing, hooks))
        var reads = 0
        hooks.answer = { _, value in
            reads += 1
            return reads > readsBefore ? ~0 : value
        }
        let error = #expect(throws: DeviceError.self) { _ = try device.clock.time() }
        #expect(error?.code == .deviceGone)
    }
}
