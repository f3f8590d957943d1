// Clock arithmetic at its edges: before the start, across a second, at the ends of the integers.

import PTP
import Testing

@Suite struct PTPTimeTests {
    @Test(arguments: [
        (Int64(0), Int64(0), UInt32(0)),
        (1, 0, 1),
        (999_999_999, 0, 999_999_999),
        (1_000_000_000, 1, 0),
        (-1, -1, 999_999_999),
        (-1_000_000_000, -1, 0),
        (-1_000_000_001, -2, 999_999_999),
        (.max, 9_223_372_036, 854_775_807),
        (.min, -9_223_372_037, 145_224_192),
    ])
    func nanosecondsBecomeSecondsAndBack(total: Int64, seconds: Int64, nanoseconds: UInt32) {
        let time = PTPTime(totalNanoseconds: total)
        #expect(time.seconds == seconds)
        #expect(time.nanoseconds == nanoseconds)
        #expect(time.totalNanoseconds == total)
    }

    @Test func aStampOf64BitsComesBack() {
        for stamp in [0, 1, 999_999_999, 1_000_000_000, UInt64.max] {
            #expect(PTPTime(totalNanoseconds: stamp).unsignedNanoseconds == stamp)
        }
        #expect(PTPTime(totalNanoseconds: Int64(-1)).unsignedNanoseconds == nil)
        #expect(PTPTime(totalNanoseconds: UInt64.max).totalNanoseconds == nil)
    }

    @Test func nanosecondsOfASecondOrMoreAreRefused() throws {
        #expect(PTPTime(seconds: 0, nanoseconds: 1_000_000_000) == nil)
        let last = try #require(PTPTime(seconds: 0, nanoseconds: 999_999_999))
        #expect(last.totalNanoseconds == 999_999_999)
    }

    @Test func timeMovesAcrossASecond() throws {
        let time = try #require(PTPTime(seconds: 5, nanoseconds: 999_999_999))
        #expect(time.advanced(byNanoseconds: 1) == PTPTime(seconds: 6, nanoseconds: 0))
        #expect(time.advanced(byNanoseconds: -1_000_000_000) == PTPTime(seconds: 4, nanoseconds: 999_999_999))
        #expect(PTPTime.zero.advanced(byNanoseconds: -1) == PTPTime(seconds: -1, nanoseconds: 999_999_999))
        #expect(PTPTime.zero.advanced(byNanoseconds: .min) == PTPTime(totalNanoseconds: Int64.min))
    }

    @Test func timeThatWouldOverflowIsNil() throws {
        let last = try #require(PTPTime(seconds: .max, nanoseconds: 999_999_999))
        let first = try #require(PTPTime(seconds: .min, nanoseconds: 0))
        #expect(last.advanced(byNanoseconds: 1) == nil)
        #expect(first.advanced(byNanoseconds: -1) == nil)
        #expect(last.totalNanoseconds == nil)
        #expect(first.totalNanoseconds == nil)
        #expect(last.unsignedNanoseconds == nil)
        #expect(last.nanoseconds(since: first) == nil)
        #expect(first.nanoseconds(since: last) == nil)
    }

    @Test func theCarryMayUndoAnOverflow() throws {
        let time = try #require(PTPTime(seconds: .min, nanoseconds: 500_000_000))
        #expect(time.advanced(byNanoseconds: -1) == PTPTime(seconds: .min, nanoseconds: 499_999_999))
        #expect(time.advanced(byNanoseconds: -500_000_000) == PTPTime(seconds: .min, nanoseconds: 0))
        #expect(time.advanced(byNanoseconds: -500_000_001) == nil)
    }

    @Test func differenceAndAdvanceAgree() throws {
        let times: [Int64] = [0, 1, -1, 999_999_999, -999_999_999, 1_500_000_000, -1_500_000_000, 1 << 60, -(1 << 60)]
        for a in times {
            for b in times {
                let from = PTPTime(totalNanoseconds: a)
                let to = PTPTime(totalNanoseconds: b)
                let difference = try #require(to.nanoseconds(since: from))
                #expect(difference == b - a)
                #expect(from.advanced(byNanoseconds: difference) == to)
                #expect((from < to) == (a < b))
            }
        }
    }

    @Test func itReadsAsSecondsWithNineDecimals() {
        #expect(PTPTime(totalNanoseconds: Int64(1_000_000_042)).description == "1.000000042")
        #expect(PTPTime.zero.description == "0.000000000")
    }
}
