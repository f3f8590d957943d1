// What a user of a clock can rely on, whatever the driver behind it does.

import PTP
import Testing

@Suite struct PTPClockTests {
    @Test(arguments: [
        (Int64(0), Int64(0)), (65536, 1000), (-65536, -1000), (66, 1), (-66, -1), (4_095_999_934, 62_499_999),
    ])
    func aScaledOffsetIsRoundedToPartsPerBillion(scaled: Int64, ppb: Int64) {
        #expect(ScaledPPM(rawValue: scaled).partsPerBillion == ppb)
    }

    @Test func partsPerBillionComeBack() {
        for ppb: Int32 in [0, 1, -1, 999, 1000, -1001, 62_499_999, -62_499_999, .max, .min] {
            #expect(ScaledPPM(partsPerBillion: ppb).partsPerBillion == Int64(ppb))
        }
    }

    @Test func anOffsetBeyondTheHardwareNeverReachesIt() throws {
        var clock = SteeredClock()
        try clock.steer(ScaledPPM(partsPerBillion: 1000))
        #expect(clock.offsets == [ScaledPPM(partsPerBillion: 1000)])
        for offset in [ScaledPPM(partsPerBillion: 1001), ScaledPPM(partsPerBillion: -1001), ScaledPPM(rawValue: .min)] {
            var refused = false
            do {
                try clock.steer(offset)
            } catch {
                if case .outOfRange(let came, let maximum) = error { refused = came == offset && maximum == 1000 }
            }
            #expect(refused)
        }
        #expect(clock.offsets.count == 1)
    }

    @Test func theDriversOwnErrorComesThrough() {
        var clock = SteeredClock()
        clock.isGone = true
        var seen: SteeredClock.Gone?
        do {
            try clock.steer(ScaledPPM(rawValue: 0))
        } catch {
            if case .clock(let failure) = error { seen = failure }
        }
        #expect(seen == SteeredClock.Gone())
    }

    @Test func timestampRequestsAreMappedAsByIGC() {
        typealias Configuration = HardwareTimestampConfiguration
        let all = Configuration(transmit: .on, receive: .all)
        // HWTSTAMP_FILTER_ALL, HWTSTAMP_FILTER_PTP_V2_EVENT, HWTSTAMP_FILTER_NTP_ALL
        for filter: Int32 in [1, 12, 15] {
            #expect(Configuration(requestedTransmit: 1, requestedFilter: filter) == all)
        }
        #expect(Configuration(requestedTransmit: 0, requestedFilter: 0) == Configuration())
        // HWTSTAMP_FILTER_SOME, and what no header knows.
        for filter: Int32 in [2, 16, -1] {
            #expect(Configuration(requestedTransmit: 1, requestedFilter: filter) == nil)
        }
        // HWTSTAMP_TX_ONESTEP_SYNC
        #expect(Configuration(requestedTransmit: 2, requestedFilter: 0) == nil)
    }
}

/// A clock of 1000 ppb either way that notes how it is steered.
private struct SteeredClock: PTPClock {
    struct Gone: Error, Equatable {}

    var maximumAdjustmentPPB: Int64 { 1000 }
    var offsets: [ScaledPPM] = []
    var isGone = false

    func time() throws(Gone) -> PTPReading { PTPReading(time: .zero, systemBefore: 0, systemAfter: 0) }
    func setTime(_ time: PTPTime) throws(Gone) {}
    func adjustTime(byNanoseconds delta: Int64) throws(Gone) {}

    mutating func adjustFrequency(_ offset: ScaledPPM) throws(Gone) {
        guard !isGone else { throw Gone() }
        offsets.append(offset)
    }
}
