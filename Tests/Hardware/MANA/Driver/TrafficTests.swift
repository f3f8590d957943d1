// Frames both ways, over many laps of the rings, with the counters that Linux shows.

import Backing
import Clock
import Glibc
import Interrupts
import Leases
import MANADriver
import MANAModel
import MANAWire
import Netdev
import TestQueues
import Testing

@Suite("MANA: traffic", .overEveryBacking)
struct TrafficTests {
    @Test("Frames go out and come in")
    func bothWays() throws {
        let rig = Rig()
        do {
            let device = try rig.open()
            let port = try device.openPort()
            var stack = try rig.stack(port)
            try port.steer()
            same(port.address, 0x00BA_005D_1502)
            same(stack.send(testFrame(1)), true)
            rig.settle()
            #expect(rig.arrivals() == [testFrame(1)])
            same(stack.reap(), 1)
            #expect(rig.send(testFrame(2)))
            rig.settle()
            same(stack.receive().map(\.bytes), [testFrame(2)])
            let statistics = try device.statistics()
            #expect(value("tx_0_packets", statistics) == 1)
            #expect(value("tx_0_bytes", statistics) == 60)
            #expect(value("tx_0_short_pkt_fmt", statistics) == 1)
            #expect(value("rx_0_packets", statistics) == 1)
            #expect(value("rx_0_bytes", statistics) == 60)
            #expect(value("hc_tx_ucast_pkts", statistics) == 1)
            #expect(value("hc_rx_ucast_pkts", statistics) == 1)
            #expect(value("hc_rx_bytes", statistics) == 60)
            for name in ["tx_cq_err", "tx_cqe_unknown_type", "rx_cqe_unknown_type", "doorbell_overflows"] {
                #expect(value(name, statistics) == 0, "\(name)")
            }
        }
        #expect(rig.isClean, "\(rig.census.outstanding) \(rig.model.holdings)")
    }

    @Test("Broadcast and multicast are told apart, though mask and answer order them differently")
    func statisticsTrap() throws {
        let rig = Rig()
        let device = try rig.open()
        let port = try device.openPort()
        var stack = try rig.stack(port)
        try port.steer()
        same(stack.send(testFrame(1, to: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])), true)
        same(stack.send(testFrame(2, to: [0x33, 0x33, 0, 0, 0, 1])), true)
        same(stack.send(testFrame(3, to: [0x33, 0x33, 0, 0, 0, 1])), true)
        rig.settle()
        let statistics = try device.statistics()
        #expect(value("hc_tx_bcast_pkts", statistics) == 1)
        #expect(value("hc_tx_mcast_pkts", statistics) == 2)
    }

    @Test("Twenty laps of every ring: each frame arrives once, in order")
    func manyLaps() throws {
        let rig = Rig()
        let device = try rig.open()
        let port = try device.openPort()
        var stack = try rig.stack(port)
        try port.steer()
        var sent = 0
        for round in 0..<(20 * 128 / 16) {
            for step in 0..<16 {
                let frame = testFrame(UInt8(truncatingIfNeeded: round * 16 + step), length: 60 + step)
                same(stack.send(frame), true)
                #expect(rig.send(frame))
                sent += 1
            }
            rig.settle()
            same(stack.reap(), 16)
            let (out, back) = (rig.arrivals(), stack.receive().map(\.bytes))
            let expected = (0..<16).map {
                testFrame(UInt8(truncatingIfNeeded: round * 16 + $0), length: 60 + $0)
            }
            #expect(out == expected && back == expected, "round \(round)")
        }
        #expect(sent == 2560)
        #expect(rig.model.counters.badTails == 0)
        #expect(rig.model.counters.framesDropped == 0)
    }

    @Test("A full ring takes no more frames, and all of them when it is reaped")
    func fullRing() throws {
        let rig = Rig()
        let device = try rig.open()
        let port = try device.openPort()
        var stack = try Stack(port.openQueuePair(0, entries: 128), on: rig.backing, buffers: 512, refills: true)
        for number in 0..<128 { same(stack.send(testFrame(UInt8(number))), true) }
        same(stack.send(testFrame(200)), false)
        rig.settle()
        same(stack.reap(), 128)
        same(stack.send(testFrame(201)), true)
    }

    @Test("An armed queue pair's own vector wakes its owner, once per arming, for frames received and sent")
    func wakes() throws {
        let rig = Rig()
        var device = try rig.open()
        let port = try device.openPort()
        var first = try rig.stack(port, 0)
        var second = try rig.stack(port, 1)
        try port.steer()
        same([first.pair.vectorIndex, second.pair.vectorIndex], [1, 2])
        first.pair.arm()
        second.pair.arm()
        same(isReadable(first.pair.eventDescriptor), false)
        same(first.send(testFrame(1)), true)
        rig.settle()
        same(isReadable(first.pair.eventDescriptor), true)
        same(isReadable(second.pair.eventDescriptor), false)
        first.pair.arm()
        same(isReadable(first.pair.eventDescriptor), true)
        _ = first.reap()
        first.pair.arm()
        same(isReadable(first.pair.eventDescriptor), false)
        #expect(rig.send(testFrame(9, to: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])))
        rig.settle()
        same(isReadable(first.pair.eventDescriptor) || isReadable(second.pair.eventDescriptor), true)
        _ = try device.service()
    }

    @Test("Queues come and go under traffic: those that stay get all of it, and the card gets its rings back")
    func channelsChange() throws {
        let rig = Rig()
        let device = try rig.open()
        let port = try device.openPort()
        var first = try rig.stack(port, 0)
        for round in 0..<20 {
            do {
                let second = try rig.stack(port, 1)
                let third = try rig.stack(port, 2)
                try port.steer()
                #expect(rig.model.holdings.workQueues == 6)
                _ = consume second
                _ = consume third
            }
            #expect(rig.model.holdings.workQueues == 2)
            #expect(rig.send(testFrame(UInt8(round))))
            rig.settle()
            same(first.receive().map(\.bytes), [testFrame(UInt8(round))])
        }
    }

    @Test("A queue number is lent once, and one that there is not is refused")
    func lentOnce() throws {
        let rig = Rig { $0.limits.portQueues = 2 }
        let device = try rig.open()
        let port = try device.openPort()
        same(port.queueCount, 2)
        let pair = try port.openQueuePair(0)
        #expect(throws: DeviceError.self) { _ = try port.openQueuePair(0) }
        #expect(throws: DeviceError.self) { _ = try port.openQueuePair(2) }
        #expect(throws: DeviceError.self) { _ = try device.openPort(0) }
        #expect(throws: DeviceError.self) { _ = try device.openPort(1) }
        _ = consume pair
        _ = try port.openQueuePair(0)
    }

    @Test("Several frames per completion", arguments: [4, 8])
    func coalesced(_ frames: Int) throws {
        let rig = Rig { $0.networkCapabilities = .eightFrameCompletions }
        var configuration = MANAConfiguration()
        configuration.framesPerCompletion = frames
        let device = try rig.open(configuration)
        let port = try device.openPort()
        var stack = try rig.stack(port)
        try port.steer()
        for number in 0..<50 { #expect(rig.send(testFrame(UInt8(number), length: 60 + number))) }
        rig.settle()
        rig.clock.advance(nanoseconds: 1_000_000)
        rig.settle()
        let received = stack.receive().map(\.bytes)
        #expect(received == (0..<50).map { testFrame(UInt8($0), length: 60 + $0) })
    }

    @Test("A port offset above 255 needs the long format")
    func longFormat() throws {
        let rig = Rig { $0.portOffset = 300 }
        let device = try rig.open()
        let port = try device.openPort()
        var stack = try rig.stack(port)
        for number in 0..<100 {
            same(stack.send(testFrame(UInt8(number))), true)
            rig.settle()
            #expect(rig.arrivals() == [testFrame(UInt8(number))])
            same(stack.reap(), 1)
        }
        #expect(value("tx_0_long_pkt_fmt", try device.statistics()) == 100)
    }

    @Test("Frames longer than the card takes, and empty ones, are refused before they reach it")
    func wrongLengths() throws {
        let rig = Rig { $0.longestFrame = 1514 }
        let device = try rig.open()
        let port = try device.openPort()
        var stack = try rig.stack(port)
        same(stack.send(testFrame(1), length: 0), false)
        same(stack.send(testFrame(1), length: 1515), false)
        same(stack.send(testFrame(1, length: 1514)), true)
        rig.settle()
        #expect(rig.arrivals().map(\.count) == [1514])
    }
}

/// Whether a thread that sleeps on `descriptor` would wake.
func isReadable(_ descriptor: Int32?) -> Bool {
    guard let descriptor else { return false }
    var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // SAFETY: the address of one local.
    return unsafe poll(&wait, 1, 0) == 1
}
