// What a hostile or overloaded network does to the switch: lengths, full wires, made-up addresses, ends that went away.

import Clock
import Ethernet
import Simulation
import Testing

@Suite struct SwitchLimitsTests {
    @Test(arguments: 0..<14)
    func framesWithoutAHeaderGoNowhere(length: Int) throws {
        let bench = try SwitchBench(stations: 2)
        #expect(bench.send([UInt8](repeating: 0xFF, count: length), from: 0))
        #expect(bench.received() == [[], []])
        #expect(bench.counters(0) == .with([\.received: 1, \.runts: 1]))
        #expect(bench.network.stationCount == 0)
    }

    @Test func aHeaderAloneIsAFrame() throws {
        let bench = try SwitchBench(stations: 2)
        #expect(bench.send(frame(to: .broadcast, from: station(0), length: 14), from: 0))
        #expect(bench.counters(1).transmitted == 1)
    }

    @Test func framesBeyondTheLimitGoNowhere() throws {
        var options = SwitchOptions()
        options.maximumFrameLength = 1518
        let bench = try SwitchBench(stations: 2, options: options)
        #expect(bench.send(frame(to: .broadcast, from: station(0), length: 1518), from: 0))
        #expect(bench.send(frame(to: .broadcast, from: station(0), length: 1519), from: 0))
        #expect(bench.received()[1].map(\.count) == [1518])
        #expect(bench.counters(0).giants == 1)
    }

    @Test func theLongestFrameOfAWireGoesThrough() throws {
        let bench = try SwitchBench(stations: 2)
        let sent = frame(to: .broadcast, from: station(0), length: maximumFrameBytes)
        #expect(bench.send(sent, from: 0))
        #expect(bench.received()[1] == [sent])
    }

    @Test func aFullWireLosesFramesAndHoldsNobody() throws {
        let bench = try SwitchBench(stations: 3, wireCapacity: 64 * 1024)
        var sent: UInt64 = 0
        // Station 1 reads nothing: seven frames of this length fill its wire. Station 2 reads on.
        for number: UInt8 in 0..<20 {
            #expect(bench.send(frame(to: .broadcast, from: station(0), length: 9000, fill: number), from: 0))
            sent += 1
            #expect(bench.stations[2].receiveAll().count == 1)
        }
        let slow = bench.counters(1)
        #expect(slow.transmitted == 7)
        #expect(slow.transmitted + slow.dropped == sent)
        #expect(bench.counters(2) == .with([\.transmitted: sent]))
        #expect(bench.stations[1].receiveAll().map { $0[14] } == Array(0..<7), "what fitted is whole and in order")

        #expect(bench.send(frame(to: .broadcast, from: station(0)), from: 0))
        #expect(bench.stations[1].receiveAll().count == 1, "a wire that is read again carries again")
    }

    @Test func madeUpAddressesFillTheTableAndNoMore() throws {
        var options = SwitchOptions()
        options.addressCapacity = 64
        let bench = try SwitchBench(stations: 2, options: options)
        var random = SeededRandom(seed: 1)
        for _ in 0..<10_000 {
            let source = MACAddress(value: random.next() & 0xFEFF_FFFF_FFFF | 2)
            #expect(bench.send(frame(to: station(1), from: source), from: 0))
            _ = bench.received()
            bench.clock.advance(nanoseconds: 1)
        }
        #expect(bench.network.stationCount == 64)
        let counters = bench.network.addressCounters
        #expect(counters.evicted == counters.learned - 64)

        #expect(bench.send(frame(to: .broadcast, from: station(1)), from: 1))
        #expect(bench.network.port(of: station(1)) == 1, "the newest always finds a place")
    }

    @Test func aTableOfAnySizeKeepsTheStationsThatSpeak() throws {
        for capacity in 1...9 {
            var options = SwitchOptions()
            options.addressCapacity = capacity
            let bench = try SwitchBench(stations: 2, options: options)
            // All at the time 0, when an entry in use is no older than a free one.
            for number in 0..<4 {
                #expect(bench.send(frame(to: .broadcast, from: station(number)), from: 0))
                #expect(bench.network.port(of: station(number)) == 0)
            }
            if capacity <= 4 { #expect(bench.network.stationCount == 4) }
        }
    }

    @Test func aStationThatUnpluggedIsNoTrouble() throws {
        let bench = try SwitchBench(stations: 2)
        do {
            let (_, facing) = Station.onNewWire(capacity: 64 * 1024)
            bench.network.connect(try facing.take())
        }
        for _ in 0..<20 {
            #expect(bench.send(frame(to: .broadcast, from: station(0), length: 9000), from: 0))
            #expect(bench.received()[1].count == 1)
        }
        #expect(bench.counters(2).dropped > 0)
    }

    @Test func sleepingSwitchIsWokenByAFrame() throws {
        let bench = try SwitchBench(stations: 2)
        let descriptors = bench.network.wakeDescriptors
        #expect(descriptors.count == 2)
        bench.network.setSleeping(true)
        #expect(!bench.network.poll())
        #expect(!isReadable(descriptors[0]))
        #expect(bench.stations[0].send(frame(to: .broadcast, from: station(0))))
        #expect(isReadable(descriptors[0]))
        bench.network.setSleeping(false)
        #expect(!isReadable(descriptors[0]))
        #expect(bench.network.poll())
    }
}
