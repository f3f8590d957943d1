// REGION_WRITE_MULTI as it should not be. All of its writes are made, or none.

import Glibc
import Testing
import VFIOUser
import VFIOUserTestClient

@Suite struct HostileWriteMultipleTests {
    private static func request(
        claims claimed: UInt64? = nil,
        _ writes: [(region: UInt32, offset: UInt64, count: UInt32)],
        rest: Int = 0
    ) -> (inout MessageBuffer) -> Void {
        {
            $0.append(claimed ?? UInt64(writes.count))
            for write in writes {
                let access = RegionAccess(offset: write.offset, region: write.region, count: write.count)
                RegionWrites.write(access, 0x0101_0101_0101_0101, to: &$0)
            }
            $0.append(byteCount: rest) { _ in }
        }
    }

    private static let good: (region: UInt32, offset: UInt64, count: UInt32) = (0, SampleDevice.Offset.scratch, 4)

    static let attacks =
        (0..<8).map { length in
            Attack("\(length) bytes", .writeRegionMultiple) { $0.append(byteCount: length) { _ in } }
        } + [
            Attack("one more than there are", .writeRegionMultiple, write: request(claims: 2, [good])),
            Attack("2^64-1", .writeRegionMultiple, write: request(claims: .max, [good])),
            Attack(
                "a number that wraps in bytes",
                .writeRegionMultiple,
                write: request(claims: 0x0AAA_AAAA_AAAA_AAAB, [good])
            ),
            Attack("one fewer than there are", .writeRegionMultiple, write: request(claims: 1, [good, good])),
            Attack("none, and one", .writeRegionMultiple, write: request(claims: 0, [good])),
            Attack("a byte short", .writeRegionMultiple, write: request(claims: 2, [good], rest: 23)),
            Attack("a byte too many", .writeRegionMultiple, write: request([good], rest: 1)),
            Attack("9 bytes", .writeRegionMultiple, write: request([good, (2, 0, 9)])),
            Attack("2^32-1 bytes", .writeRegionMultiple, write: request([good, (2, 0, .max)])),
            Attack("a region that is none", .writeRegionMultiple, write: request([good, (9, 0, 4)])),
            Attack("an absent BAR", .writeRegionMultiple, write: request([good, (1, 0, 4)])),
            Attack("across an end", .writeRegionMultiple, write: request([good, (0, 0xFFD, 4)])),
            Attack("behind an end", .writeRegionMultiple, write: request([good, (7, 4096, 4)])),
            Attack("at 2^64-1", .writeRegionMultiple, write: request([good, (0, .max, 8)])),
            Attack(
                "the last of 1000",
                .writeRegionMultiple,
                write: request(.init(repeating: good, count: 999) + [(0, .max, 8)])
            ),
        ]

    @Test(arguments: attacks) func isRefused(_ attack: Attack) throws {
        let siege = try Siege()
        try siege.strike(attack)
        try siege.strikeSilently(attack)
        #expect(try siege.client.read32(region: 0, SampleDevice.Offset.scratch) == 0, "none of them was made")
        #expect(siege.server.counters.multipleWrites == 0)
        try siege.settle()
    }

    @Test func oddOnes() throws {
        let siege = try Siege()
        try siege.strike(Attack("none", .writeRegionMultiple, 0, write: Self.request([])))
        try siege.strike(
            Attack("of no bytes", .writeRegionMultiple, 0, write: Self.request([(0, 0, 0), (9 - 2, 0, 0)]))
        )
        // As many as a message holds.
        let most = ((1 << 20) - 8) / 24
        try siege.strike(
            Attack("most", .writeRegionMultiple, 0, write: Self.request(.init(repeating: Self.good, count: most)))
        )
        #expect(try siege.client.read32(region: 0, SampleDevice.Offset.scratch) == 0x0101_0101)
        try siege.settle()
    }
}
