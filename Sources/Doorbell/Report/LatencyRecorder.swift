// Latencies in an HDR histogram: three significant digits, from a nanosecond to an hour.

import Histogram

/// Records latencies of one kind.
struct LatencyRecorder {
    private var histogram = Histogram<UInt64>(
        highestTrackableValue: 3_600_000_000_000,
        numberOfSignificantValueDigits: .three
    )

    mutating func record(_ nanoseconds: UInt64) {
        // Beyond an hour is an hour: the histogram refuses more.
        histogram.record(min(nanoseconds, 3_600_000_000_000))
    }

    var latency: Latency {
        guard histogram.totalCount > 0 else { return Latency(count: 0, p50: 0, p99: 0, p999: 0) }
        return Latency(
            count: histogram.totalCount,
            p50: histogram.valueAtPercentile(50),
            p99: histogram.valueAtPercentile(99),
            p999: histogram.valueAtPercentile(99.9)
        )
    }
}
