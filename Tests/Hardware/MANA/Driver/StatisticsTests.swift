// The counters that Linux shows, under its names (mana_ethtool.c of Linux 6.12 and 7.x).

import Backing
import Clock
import Leases
import MANADriver
import MANAModel
import MANAWire
import Netdev
import TestQueues
import Testing

@Suite("MANA: statistics", .overEveryBacking)
struct StatisticsTests {
    /// What `ethtool -S` of 7.3 prints of the port, beside the card's and the queues'.
    private static let ofPort = ["stop_queue", "wake_queue", "tx_cq_err", "tx_cqe_unknown_type", "rx_cqe_unknown_type"]

    /// Of a queue, receive and send.
    private static let ofQueue = [
        "rx_0_packets", "rx_0_bytes", "rx_0_xdp_drop", "rx_0_xdp_redirect", "rx_0_pkt_len0_err", "tx_0_packets",
        "tx_0_bytes", "tx_0_xdp_xmit", "tx_0_tso_packets", "tx_0_tso_bytes", "tx_0_long_pkt_fmt", "tx_0_short_pkt_fmt",
        "tx_0_csum_partial", "rx_0_coalesced_cqe_2", "rx_0_coalesced_cqe_8",
    ]

    /// Of the physical port, as 7.3 prints them for each of eight classes.
    private static let ofWire =
        ["hc_rx_pkt_drop_phy", "hc_tx_pkt_drop_phy"]
        + (0..<8).flatMap { number in
            ["rx_pkt", "rx_byte", "tx_pkt", "tx_byte", "rx_pause", "tx_pause"].map { "hc_tc\(number)_\($0)_phy" }
        }

    @Test("Every counter has Linux's name, once")
    func names() throws {
        let rig = Rig()
        let device = try rig.open()
        let names = try device.statistics().map(\.name)
        #expect(Set(names).count == names.count)
        for name in Self.ofPort + Self.ofQueue + Self.ofWire { #expect(names.contains(name), "\(name)") }
        #expect(names.filter { $0.hasSuffix("_phy") }.count == 50)
        #expect(names.filter { $0.hasPrefix("hc_") && !$0.hasSuffix("_phy") }.count == 27)
    }

    @Test("The physical port counts what passes it")
    func physicalPort() throws {
        let rig = Rig()
        let device = try rig.open()
        let port = try device.openPort()
        var stack = try rig.stack(port)
        try port.steer()
        for number: UInt8 in 0..<3 { same(stack.send(testFrame(number)), true) }
        for number: UInt8 in 0..<5 { #expect(rig.send(testFrame(number, length: 100))) }
        rig.settle()
        let statistics = try device.statistics()
        #expect(value("hc_tc0_tx_pkt_phy", statistics) == 3)
        #expect(value("hc_tc0_tx_byte_phy", statistics) == 180)
        #expect(value("hc_tc0_rx_pkt_phy", statistics) == 5)
        #expect(value("hc_tc0_rx_byte_phy", statistics) == 500)
        #expect(value("hc_tc1_rx_pkt_phy", statistics) == 0)
        #expect(value("hc_rx_pkt_drop_phy", statistics) == 0)
    }

    @Test("Completions of several frames are counted by how many", arguments: [4, 8])
    func coalesced(_ most: Int) throws {
        let rig = Rig { $0.networkCapabilities = .eightFrameCompletions }
        var configuration = MANAConfiguration()
        configuration.framesPerCompletion = most
        let device = try rig.open(configuration)
        let port = try device.openPort()
        var stack = try rig.stack(port)
        try port.steer()
        for burst in [1, 2, 2, 3, most] {
            for number in 0..<burst { #expect(rig.send(testFrame(UInt8(number)))) }
            rig.settle()
            rig.clock.advance(nanoseconds: 1_000_000)
            rig.settle()
            same(stack.receive().count, burst)
        }
        let statistics = try device.statistics()
        let counts = (2...8).map { value("rx_0_coalesced_cqe_\($0)", statistics) ?? 99 }
        #expect(counts == (2...8).map { $0 == 2 ? 2 : $0 == 3 || $0 == most ? 1 : 0 })
        #expect(value("rx_0_packets", statistics) == UInt64(8 + most))
    }

    @Test("A card that does not tell of its physical port is no reason for an error: those counters are not there")
    func physicalPortUnknown() throws {
        let rig = Rig(RequestFault(.refused(.unsupported), of: .queryPhysicalStatistics, occurrence: nil))
        var device = try rig.open()
        let statistics = try device.statistics()
        #expect(value("hc_tc0_tx_pkt_phy", statistics) == nil)
        #expect(value("hc_tx_bytes", statistics) == 0)
        same(try device.service().needsReset, false)
    }

    @Test("A full ring is stopped once, however often it is tried, and wakes when there is room for any request")
    func stopsAndWakes() throws {
        let rig = Rig()
        let device = try rig.open()
        let port = try device.openPort()
        var stack = try Stack(port.openQueuePair(0, entries: 128), on: rig.backing, buffers: 512, refills: true)
        func counts() throws -> [UInt64?] {
            let statistics = try device.statistics()
            return [value("stop_queue", statistics), value("wake_queue", statistics)]
        }
        for round: UInt64 in 1...3 {
            for number in 0..<128 { same(stack.send(testFrame(UInt8(number))), true) }
            same(try counts(), [round - 1, round - 1], "full, and nobody had to wait")
            for _ in 0..<3 { same(stack.send(testFrame(200)), false) }
            same(stack.reap(), 0, "the card has not sent one yet")
            same(try counts(), [round, round - 1], "and nobody wakes")
            rig.settle()
            _ = rig.arrivals()
            same(stack.reap(), 128)
            same(try counts(), [round, round])
        }
    }

    @Test("What the card cannot do is refused without stopping the queue")
    func refusedIsNotStopped() throws {
        let rig = Rig { $0.longestFrame = 1514 }
        let device = try rig.open()
        let port = try device.openPort()
        var stack = try rig.stack(port)
        same(stack.send(testFrame(1), length: 1515), false)
        #expect(value("stop_queue", try device.statistics()) == 0)
    }
}
