// Where frames go: learning, flooding, ageing, and what a switch keeps back.

import Clock
import Ethernet
import Testing

@Suite struct LearningSwitchTests {
    @Test func unknownStationsAreFloodedToAndKnownOnesAreNot() throws {
        let bench = try SwitchBench(stations: 3)
        let request = frame(to: station(1), from: station(0))
        #expect(bench.send(request, from: 0))
        #expect(bench.received() == [[], [request], [request]])
        #expect(bench.network.port(of: station(0)) == 0)
        #expect(bench.network.port(of: station(1)) == nil)

        let answer = frame(to: station(0), from: station(1))
        #expect(bench.send(answer, from: 1))
        #expect(bench.received() == [[answer], [], []])

        #expect(bench.send(request, from: 0))
        #expect(bench.received() == [[], [request], []])

        #expect(bench.counters(0) == .with([\.received: 2, \.transmitted: 1, \.flooded: 1]))
        #expect(bench.counters(1) == .with([\.received: 1, \.transmitted: 2]))
        #expect(bench.counters(2) == .with([\.transmitted: 1]))
    }

    @Test(arguments: ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb", "33:33:00:00:00:01", "01:1b:19:00:00:00"])
    func groupsAreFloodedTo(group: String) throws {
        let bench = try SwitchBench(stations: 3)
        let sent = frame(to: try #require(MACAddress(group)), from: station(2))
        for round: UInt64 in 1...2 {
            #expect(bench.send(sent, from: 2))
            #expect(bench.received() == [[sent], [sent], []])
            #expect(bench.counters(2).flooded == round)
        }
    }

    @Test func noFrameGoesBackWhereItCameFrom() throws {
        let bench = try SwitchBench(stations: 2)
        #expect(bench.send(frame(to: .broadcast, from: station(0)), from: 0))
        #expect(bench.send(frame(to: .broadcast, from: station(5)), from: 0))
        _ = bench.received()

        #expect(bench.send(frame(to: station(5), from: station(0)), from: 0))
        #expect(bench.received() == [[], []])
        #expect(bench.counters(0).filtered == 1)
    }

    @Test(arguments: 0..<16)
    func addressesOfOneWireAreNotForwarded(last: Int) throws {
        let bench = try SwitchBench(stations: 2)
        let address = MACAddress(value: 0x0180_C200_0000 | UInt64(last))
        #expect(bench.send(frame(to: address, from: station(0)), from: 0))
        #expect(bench.received() == [[], []])
        #expect(bench.counters(0).reserved == 1)
        #expect(bench.network.port(of: station(0)) == 0, "the sender is a station like any other")
    }

    @Test func theFirstAddressAfterThoseIsForwarded() throws {
        let bench = try SwitchBench(stations: 2)
        let sent = frame(to: MACAddress(value: 0x0180_C200_0010), from: station(0))
        #expect(bench.send(sent, from: 0))
        #expect(bench.received() == [[], [sent]])
    }

    @Test func aStationThatMovesIsFollowed() throws {
        let bench = try SwitchBench(stations: 3)
        #expect(bench.send(frame(to: .broadcast, from: station(0)), from: 0))
        #expect(bench.send(frame(to: .broadcast, from: station(0)), from: 1))
        _ = bench.received()
        let sent = frame(to: station(0), from: station(2))
        #expect(bench.send(sent, from: 2))
        #expect(bench.received() == [[], [sent], []])
        #expect(bench.network.addressCounters == .with([\.learned: 2, \.moved: 1]))
    }

    @Test func aSilentStationIsForgotten() throws {
        let bench = try SwitchBench(stations: 3)
        #expect(bench.send(frame(to: .broadcast, from: station(0)), from: 0))
        bench.clock.advance(nanoseconds: 299_999_999_999)
        #expect(bench.network.port(of: station(0)) == 0)
        #expect(bench.send(frame(to: .broadcast, from: station(0)), from: 0))
        _ = bench.received()

        bench.clock.advance(nanoseconds: 299_999_999_999)
        #expect(bench.network.port(of: station(0)) == 0, "the last frame counts")
        bench.clock.advance(nanoseconds: 1)
        #expect(bench.network.port(of: station(0)) == nil)
        #expect(bench.network.stationCount == 0)

        let sent = frame(to: station(0), from: station(1))
        #expect(bench.send(sent, from: 1))
        #expect(bench.received() == [[sent], [], [sent]])
    }

    @Test(arguments: [MACAddress.broadcast, MACAddress(value: 0x0100_5E00_0001), MACAddress(value: 0)])
    func whatIsNoStationIsNotLearned(source: MACAddress) throws {
        let bench = try SwitchBench(stations: 2)
        #expect(bench.send(frame(to: station(1), from: source), from: 0))
        #expect(bench.network.stationCount == 0)
        #expect(bench.counters(1).transmitted == 1)
    }

    @Test func wireTimeAndTagGoThrough() throws {
        let bench = try SwitchBench(stations: 2)
        let sent = frame(to: .broadcast, from: station(0))
        #expect(bench.send(sent, from: 0, wireTime: 123_456_789_012, tag: 0xABCD))
        #expect(bench.stations[1].receive() == ReceivedFrame(bytes: sent, wireTime: 123_456_789_012, tag: 0xABCD))
    }

    @Test func framesKeepTheirOrder() throws {
        let bench = try SwitchBench(stations: 2)
        var expected: [[UInt8]] = []
        for number: UInt8 in 0..<200 {
            let sent = frame(to: .broadcast, from: station(0), length: 60 + Int(number), fill: number)
            #expect(bench.stations[0].send(sent))
            expected.append(sent)
        }
        while bench.network.poll() {}
        #expect(bench.stations[1].receiveAll() == expected)
    }

    @Test func oneBusyPortDoesNotStarveTheOther() throws {
        let bench = try SwitchBench(stations: 3)
        for _ in 0..<200 { #expect(bench.stations[0].send(frame(to: .broadcast, from: station(0)))) }
        let other = frame(to: .broadcast, from: station(1), fill: 1)
        #expect(bench.stations[1].send(other))
        #expect(bench.network.poll())
        let seen = bench.stations[2].receiveAll()
        #expect(seen.count == 65)
        #expect(seen.last == other)
    }

    @Test func portsMayBeManyAndComeLate() throws {
        let bench = try SwitchBench(stations: 20)
        let sent = frame(to: .broadcast, from: station(7))
        #expect(bench.send(sent, from: 7))
        #expect(bench.received().filter { $0 == [sent] }.count == 19)

        let (late, facing) = Station.onNewWire()
        #expect(bench.network.connect(try facing.take()) == 20)
        let answer = frame(to: station(7), from: station(20))
        #expect(late.send(answer))
        while bench.network.poll() {}
        #expect(bench.stations[7].receiveAll() == [answer])
        #expect(bench.network.counters(ofPort: 21) == nil)
        #expect(bench.network.counters(ofPort: -1) == nil)
    }
}
