// How fast memory is through a mapped BAR, and by read and write, beside plain memory of the same kind: a shared file.

import Clock
import Glibc
import Memory
import VFIOVariant

/// One way to the memory.
public struct BandwidthRun: Codable, Sendable {
    /// E.g. `mapped BAR`, `read 4 KiB`.
    public let way: String
    public let bytesPerSecond: Double
    /// Of plain memory's; nil for plain memory itself.
    public let ratio: Double?
}

enum Bandwidth {
    /// Beyond what a CPU's caches hold.
    static let windowBytes = 64 << 20
    /// The fastest of so many.
    private static let rounds = 5

    /// Copies to and from the first bytes of region 4 in every way; what did not arrive.
    static func measure(_ file: borrowing VFIOFile) throws -> (runs: [BandwidthRun], problems: [String]) {
        let region = 4
        var problems: [String] = []
        let plain = try SharedMemory(byteCount: windowBytes, name: "plain")
        let source = try SharedMemory(byteCount: windowBytes, name: "source")
        let mapping = try file.map(byteCount: windowBytes, at: Int64(region) << VFIOFile.regionShift)
        // SAFETY: as long as the file, and nobody else writes there.
        unsafe memset(source.base, 0x5A, windowBytes)
        let (plainBase, sourceBase, base) = unsafe (plain.base, source.base, mapping.base)
        // Plain memory and the BAR take turns: what else the machine does hits both alike.
        var plainTime = UInt64.max
        var mappedTime = UInt64.max
        for _ in 0..<rounds {
            plainTime = min(plainTime, time { unsafe memcpy(plainBase, sourceBase, windowBytes) })
            mappedTime = min(mappedTime, time { unsafe memcpy(base, sourceBase, windowBytes) })
        }
        if unsafe memcmp(base, sourceBase, windowBytes) != 0 { problems.append("the mapped BAR lost bytes") }
        let plainRate = rate(windowBytes, plainTime)
        var runs = [BandwidthRun(way: "plain memory, copied to", bytesPerSecond: plainRate, ratio: nil)]
        func add(_ way: String, _ byteCount: Int, _ nanoseconds: UInt64) {
            let rate = rate(byteCount, nanoseconds)
            runs.append(BandwidthRun(way: way, bytesPerSecond: rate, ratio: rate / plainRate))
        }
        add("mapped BAR, copied to", windowBytes, mappedTime)
        for (name, count) in [("4 KiB", 4096), ("1 MiB", 1 << 20)] {
            let total = 16 << 20
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 3 &+ count) }
            var writing = UInt64.max
            var reading = UInt64.max
            var seen: [UInt8] = []
            for _ in 0..<rounds {
                var start = DeviceClock.monotonic.now
                for place in stride(from: 0, to: total, by: count) {
                    try file.write(bytes, region: region, at: UInt64(place))
                }
                writing = min(writing, DeviceClock.monotonic.now &- start)
                start = DeviceClock.monotonic.now
                for place in stride(from: 0, to: total, by: count) {
                    seen = try file.read(count, region: region, at: UInt64(place))
                }
                reading = min(reading, DeviceClock.monotonic.now &- start)
            }
            if seen != bytes { problems.append("read and write of \(name) lost bytes") }
            add("write \(name)", total, writing)
            add("read \(name)", total, reading)
        }
        return (runs, problems)
    }

    private static func time(_ body: () -> Void) -> UInt64 {
        let start = DeviceClock.monotonic.now
        body()
        return DeviceClock.monotonic.now &- start
    }

    private static func rate(_ byteCount: Int, _ nanoseconds: UInt64) -> Double {
        Double(byteCount) * 1e9 / Double(max(1, nanoseconds))
    }
}
