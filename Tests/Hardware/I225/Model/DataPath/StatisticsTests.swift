// Counters against known traffic, and that reading clears them.

import Backing
import I225Model
import I225Wire
import Registers
import Testing

@Suite("Statistics")
struct StatisticsTests {
    @Test func sentFramesAreCountedBySizeAndKindWithTheirCRC() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try TransmitBench(rig)
        for length in [60, 61, 123, 124, 251, 252, 507, 508, 1019, 1020, 1514] { bench.put(testFrame(length)) }
        bench.put(testFrame(60, to: [UInt8](repeating: 0xFF, count: 6)))
        bench.put(testFrame(60, to: [0x33, 0x33, 0, 0, 0, 1]))
        bench.ring()
        #expect(rig.read(I225Register.goodPacketsTransmitted) == 13)
        let octets: Int = [60, 61, 123, 124, 251, 252, 507, 508, 1019, 1020, 1514, 60, 60].reduce(0) { $0 + $1 + 4 }
        #expect(rig.read(I225Register.goodOctetsTransmitted) == UInt32(octets))
        #expect(rig.read(I225Register.goodOctetsTransmittedHigh) == 0)
        #expect(rig.read(I225Register.broadcastsTransmitted) == 1)
        #expect(rig.read(I225Register.multicastsTransmitted) == 1)
        let sizes = [
            I225Register.transmitted64, I225Register.transmitted127, I225Register.transmitted255,
            I225Register.transmitted511, I225Register.transmitted1023, I225Register.transmitted1522,
        ]
        #expect(sizes.map { rig.read($0) } == [3, 2, 2, 2, 2, 2])
    }

    @Test func aReadClears() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try ReceiveBench(rig)
        rig.arriveAndPoll(testFrame(64))
        #expect(bench.head == 1)
        #expect(rig.read(I225Register.goodPacketsReceived) == 1)
        #expect(rig.read(I225Register.goodPacketsReceived) == 0)
        #expect(rig.read(I225Register.totalPacketsReceived) == 1)
        #expect(rig.read(I225Register.goodOctetsReceived) == 68)
        rig.arriveAndPoll(testFrame(64))
        #expect(rig.read(I225Register.goodOctetsReceived) == 68)
    }

    @Test func aWriteDoesNothing() throws {
        let rig = try Rig()
        rig.write(I225Register.goodPacketsReceived, 77)
        #expect(rig.read(I225Register.goodPacketsReceived) == 0)
    }

    @Test("Every counter of the table can be read", arguments: I225Statistic.all.map(\.register.offset))
    func everyCounter(_ offset: UInt32) throws {
        let rig = try Rig()
        #expect(rig.bar.load(offset) == 0)
        #expect(rig.model.counters.unknownAccesses == 0)
    }

    @Test func namesOfEthtoolAreUnique() {
        let names = I225Statistic.all.compactMap(\.ethtoolName)
        #expect(Set(names).count == names.count)
        #expect(names.contains("rx_packets"))
    }
}
