// REGION_READ and REGION_WRITE as they should not be: regions that are none, across the ends of those that are, counts
// that the data contradicts.

import Glibc
import Testing
import VFIOUser
import VFIOUserTestClient

/// Ranges that are not inside any region: (region, offset, count).
private let outside: [(UInt32, UInt64, UInt32)] = [
    (9, 0, 4), (255, 0, 4), (.max, 0, 4), (0x8000_0000, 0, 4), (1, 0, 1), (3, 0, 4), (5, 0, 8), (6, 0, 1), (8, 0, 1),
    (0, 0x1000, 1), (0, 0xFFF, 2), (0, 0xFFD, 4), (0, 0xFF9, 8), (0, 0, 0x1001), (0, .max, 1), (0, .max - 3, 4),
    (0, .max - 3, 8), (0, 1 << 63, 4), (0, 1 << 32, 4), (0, 0, 1 << 20), (0, 0, (1 << 20) + 1), (0, 0, .max),
    (0, .max, .max), (2, 0x4000, 1), (2, 0x3FFF, 2), (2, 0x3000, 0x1001), (2, 1, 0x4000),
    (7, 4096, 1), (7, 4095, 2), (7, 0, 4097), (7, .max, 2), (7, 0x1_0000, 4), (7, 0, .max), (0, 0x1001, 0),
]

@Suite struct HostileRegionReadTests {
    private static func request(_ region: UInt32, _ offset: UInt64, _ count: UInt32) -> (inout MessageBuffer) -> Void {
        { RegionAccess(offset: offset, region: region, count: count).write(to: &$0) }
    }

    static let attacks =
        Attack.wrongLengths(.readRegion, right: 16, write: request(0, 0, 4))
        + outside.map { region, offset, count in
            Attack("\(count) of \(region) at \(offset)", .readRegion, write: request(region, offset, count))
        }

    @Test(arguments: attacks) func isRefused(_ attack: Attack) throws {
        let siege = try Siege()
        try siege.strike(attack)
        try siege.strikeSilently(attack)
        try siege.settle()
    }

    /// Every size at every offset near an end: all bytes or an error, nothing between.
    @Test(arguments: [(0, 0x1000), (SampleDevice.memoryBAR, 0x4000), (Region.config, 4096)])
    func nearTheEnd(region: Int, size: Int) throws {
        let siege = try Siege()
        for offset in size - 20...size + 2 {
            for count in 0...24 {
                let fits = offset + count <= size
                let read = try? siege.client.read(region: region, UInt64(offset), count: count)
                #expect(read?.count == (fits ? count : nil), "\(count) at \(offset)")
                let data = [UInt8](repeating: 0, count: count)
                let written = refusal { () throws(RawRefusal) in
                    try siege.client.write(region: region, UInt64(offset), data)
                }
                #expect(written == (fits ? nil : RawRefusal(EINVAL)), "\(count) at \(offset)")
            }
        }
        try siege.settle()
    }

    /// The device is off: it answers as a bus without a device does.
    @Test func ofADeviceThatIsOff() throws {
        let siege = try Siege()
        try siege.client.write(region: Region.config, 4, [0, 0])
        #expect(try siege.client.read(region: 0, 0, count: 16) == [UInt8](repeating: 0xFF, count: 16))
        #expect(try siege.client.read(region: 2, 0x3FF0, count: 16) == [UInt8](repeating: 0xFF, count: 16))
        try siege.settle()
    }

    /// No reply is wanted to a question: none comes, and nothing stays behind.
    @Test func whoAsksAndWantsNoAnswer() throws {
        let siege = try Siege()
        for _ in 0..<100 {
            siege.client.send(siege.client.message(.readRegion, noReply: true, Self.request(2, 0, 0x4000)))
        }
        #expect(try siege.client.read32(region: Region.config, 0) == 0x0001_1D0B)
        #expect(siege.server.counters.messages(.readRegion) == 101)
        try siege.settle()
    }
}

@Suite struct HostileRegionWriteTests {
    private static func request(
        _ region: UInt32,
        _ offset: UInt64,
        _ count: UInt32,
        data: Int
    ) -> (inout MessageBuffer) -> Void {
        {
            RegionAccess(offset: offset, region: region, count: count).write(to: &$0)
            $0.append(byteCount: data) { _ in }
        }
    }

    static let attacks =
        (0..<16).map { length in Attack("\(length) bytes", .writeRegion) { $0.append(byteCount: length) { _ in } } }
        + outside.map { region, offset, count in
            // With all of its data, as far as a message has room.
            Attack(
                "\(count) of \(region) at \(offset)",
                .writeRegion,
                write: request(region, offset, count, data: Int(min(count, 1 << 20)))
            )
        }
        + [(4, 0), (4, 3), (4, 5), (0, 1), (0, 4), (8, 4), (1, 8), (.max, 4), (1 << 20, 4), (4, 1 << 20)].map {
            count,
            data in
            Attack("\(count) with \(data) bytes of data", .writeRegion, write: request(0, 0, count, data: data))
        }

    @Test(arguments: attacks) func isRefused(_ attack: Attack) throws {
        let siege = try Siege()
        try siege.client.write32(region: 0, SampleDevice.Offset.scratch, 0xABCD)
        try siege.strike(attack)
        try siege.strikeSilently(attack)
        #expect(try siege.client.read32(region: 0, SampleDevice.Offset.scratch) == 0xABCD, "no part of it was done")
        try siege.settle()
    }

    @Test func withDescriptors() throws {
        let siege = try Siege()
        try siege.strike(Attack("", .writeRegion, 0, [.memory, .event], write: Self.request(0, 0, 4, data: 4)))
        try siege.settle()
    }

    /// Configuration space written with noise, again and again, in all sizes. It still is the device that it was.
    @Test func allOfConfigurationSpace() throws {
        let siege = try Siege()
        var random = SystemRandomNumberGenerator()
        for count in [1, 2, 3, 4, 5, 8, 64, 255, 4096] {
            for _ in 0..<20 {
                let offset = UInt64.random(in: 0...UInt64(4096 - count), using: &random)
                let data = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
                try siege.client.write(region: Region.config, offset, data)
            }
        }
        #expect(try siege.client.read32(region: Region.config, 0) == 0x0001_1D0B)
        try siege.settle()
    }
}
