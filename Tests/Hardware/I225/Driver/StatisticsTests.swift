// What the driver counts, and what it calls it.

import Backing
import Clock
import I225Driver
import I225Model
import I225Wire
import Netdev
import Registers
import TestQueues
import Testing
import XSK

@Suite("Statistics", .overEveryBacking)
struct StatisticsTests {
    /// The strings of `ethtool -S` on Linux's igc, but those of queues: igc_ethtool.c of 6.12.
    private static let linuxNames: Set<String> = [
        "rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_broadcast", "tx_broadcast", "rx_multicast",
        "tx_multicast", "multicast", "collisions", "rx_crc_errors", "rx_no_buffer_count", "rx_missed_errors",
        "tx_aborted_errors", "tx_carrier_errors", "tx_window_errors", "tx_abort_late_coll", "tx_deferred_ok",
        "tx_single_coll_ok", "tx_multi_coll_ok", "tx_timeout_count", "rx_long_length_errors",
        "rx_short_length_errors", "rx_align_errors", "tx_tcp_seg_good", "tx_tcp_seg_failed", "rx_flow_control_xon",
        "rx_flow_control_xoff", "tx_flow_control_xon", "tx_flow_control_xoff", "rx_long_byte_count",
        "tx_dma_out_of_sync", "tx_smbus", "rx_smbus", "dropped_smbus", "os2bmc_rx_by_bmc", "os2bmc_tx_by_bmc",
        "os2bmc_tx_by_host", "os2bmc_rx_by_host", "tx_hwtstamp_timeouts", "tx_hwtstamp_skipped",
        "rx_hwtstamp_cleared", "tx_lpi_counter", "rx_lpi_counter", "qbv_config_change_errors", "rx_errors",
        "tx_errors", "tx_dropped", "rx_length_errors", "rx_over_errors", "rx_frame_errors", "rx_fifo_errors",
        "tx_fifo_errors", "tx_heartbeat_errors",
    ]

    /// Linux shows these too, and the I225 has no counter for them: they are of other cards (tx_tcp_seg_failed,
    /// tx_dma_out_of_sync and os2bmc are fields that igc never writes), of Linux's own works (Rx stamp
    /// registers, Qbv, the stack's drops) or of the netdev structure (over, fifo, heartbeat).
    private static let withoutCounter: Set<String> = [
        "tx_tcp_seg_failed", "tx_dma_out_of_sync", "os2bmc_rx_by_bmc", "os2bmc_tx_by_bmc",
        "os2bmc_tx_by_host", "os2bmc_rx_by_host", "rx_hwtstamp_cleared", "qbv_config_change_errors", "tx_dropped",
        "rx_over_errors", "rx_fifo_errors", "tx_fifo_errors", "tx_heartbeat_errors",
    ]

    @Test("Names are Linux's: all for which the card has a counter, none twice, none made up")
    func names() throws {
        let rig = Rig()
        var device = try rig.open()
        let names = device.statistics().map { $0.name }
        #expect(Set(names).count == names.count)
        var expected = Self.linuxNames.subtracting(Self.withoutCounter)
        for queue in 0..<4 {
            // Linux has restart, csum_err and alloc_failed here too: what happens in its own queues.
            for suffix in ["packets", "bytes"] { expected.insert("tx_queue_\(queue)_\(suffix)") }
            for suffix in ["packets", "bytes", "drops"] { expected.insert("rx_queue_\(queue)_\(suffix)") }
        }
        #expect(Set(names).subtracting(expected) == [])
        #expect(expected.subtracting(names) == [])
    }

    @Test("Values are those of the traffic, byte counts with CRC")
    func values() throws {
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        var device = try rig.open(configuration)
        var stack = try rig.stack(device, 2)
        var received = try rig.stack(device, 0)
        let broadcast = [UInt8](repeating: 0xFF, count: 6) + testFrame(1, length: 100).dropFirst(6)
        let multicast = [0x01, 0, 0x5E, 0, 0, 1] + testFrame(1, length: 200).dropFirst(6)
        for frame in [testFrame(1, length: 300), broadcast, broadcast, multicast, multicast, multicast] {
            #expect(stack.send(Array(frame)) == true)
            #expect(rig.send(Array(frame)))
        }
        // Too long, too short.
        #expect(rig.send(testFrame(1, length: 1523)))
        #expect(rig.send([1, 2, 3]))
        rig.settle()
        #expect(received.receive().count == 6)
        let values = value(device.statistics())
        let bytes: UInt64 = 300 + 2 * 100 + 3 * 200
        #expect(values["tx_packets"] == 6)
        #expect(values["tx_bytes"] == bytes + 6 * 4)
        #expect(values["tx_broadcast"] == 2)
        #expect(values["tx_multicast"] == 3)
        #expect(values["rx_packets"] == 6)
        #expect(values["rx_bytes"] == bytes + 6 * 4)
        #expect(values["rx_long_byte_count"] == bytes + 6 * 4)
        #expect(values["rx_broadcast"] == 2)
        #expect(values["rx_multicast"] == 3)
        #expect(values["multicast"] == 3)
        #expect(values["rx_long_length_errors"] == 1)
        #expect(values["rx_short_length_errors"] == 1)
        #expect(values["rx_length_errors"] == 2)
        #expect(values["rx_errors"] == 2)
        // Queues count what passes through them: no CRC.
        #expect(values["tx_queue_2_packets"] == 6)
        #expect(values["tx_queue_2_bytes"] == bytes)
        #expect(values["rx_queue_0_packets"] == 6)
        #expect(values["rx_queue_0_bytes"] == bytes)
        #expect(values["tx_queue_0_packets"] == 0)
        // A second look does not count anything again.
        #expect(value(device.statistics()) == values)
    }

    @Test("Errors are summed up as Linux sums them up")
    func sums() throws {
        let rig = Rig()
        let hooks = RegisterHooks()
        var device = try rig.open(on: HookedBacking(rig.backing, hooks))
        let made: [UInt32: UInt32] = [
            I225Register.crcErrors.offset: 1, I225Register.alignmentErrors.offset: 2,
            I225Register.receiveErrors.offset: 4, I225Register.undersizeReceived.offset: 8,
            I225Register.oversizeReceived.offset: 16, I225Register.excessiveCollisions.offset: 32,
            I225Register.lateCollisions.offset: 64,
        ]
        hooks.answer = { offset, value in made[offset] ?? value }
        let values = value(device.statistics())
        #expect(values["rx_errors"] == 1 + 2 + 4 + 8 + 16)
        #expect(values["rx_length_errors"] == 8 + 16)
        #expect(values["rx_frame_errors"] == 2)
        #expect(values["tx_errors"] == 32 + 64)
        #expect(values["tx_aborted_errors"] == 32)
        #expect(values["tx_window_errors"] == 64)
        #expect(values["tx_abort_late_coll"] == 64)
    }

    @Test("Counters that a read clears add up beyond 32 bits, and those of 64 bits beyond that")
    func addUp() throws {
        let rig = Rig()
        let hooks = RegisterHooks()
        var device = try rig.open(on: HookedBacking(rig.backing, hooks))
        let made: [UInt32: UInt32] = [
            // All ones is a value while the card is there.
            I225Register.goodPacketsReceived.offset: ~0,
            I225Register.goodOctetsTransmitted.offset: ~0,
            I225Register.goodOctetsTransmittedHigh.offset: 3,
        ]
        hooks.answer = { offset, value in made[offset] ?? value }
        var values: [String: UInt64] = [:]
        for _ in 0..<3 { values = value(device.statistics()) }
        #expect(values["rx_packets"] == 3 * 0xFFFF_FFFF)
        #expect(values["tx_bytes"] == 3 * 0x3_FFFF_FFFF)
    }

    @Test("The service reads them every 2 s, before they wrap")
    func service() throws {
        let rig = Rig()
        let recording = Recording(rig.backing, map: I225RegisterMap.map)
        var device = try rig.open(on: recording)
        func looks() throws -> Int {
            recording.trace.clear()
            _ = try device.service()
            return recording.trace.entries.count { if case .load("GORCL", _) = $0 { true } else { false } }
        }
        #expect(try looks() == 1)
        #expect(try looks() == 0)
        rig.advance(nanoseconds: 1_999_999_999)
        #expect(try looks() == 0)
        rig.advance(nanoseconds: 1)
        #expect(try looks() == 1)
    }

    @Test("Frames that found no descriptor are counted once, on their queue")
    func drops() throws {
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        configuration.wantsFlowControl = false
        var device = try rig.open(configuration)
        // A queue that has been lent no buffers.
        let pair = try device.openQueuePair(0, entries: 64)
        for _ in 0..<60 { #expect(rig.send(testFrame(1, length: 1514))) }
        rig.settle()
        let dropped = rig.model.counters.framesDropped
        #expect(dropped > 0)
        for _ in 0..<2 {
            let values = value(device.statistics())
            #expect(values["rx_queue_0_drops"] == dropped)
            #expect(values["rx_queue_1_drops"] == 0)
            #expect(values["rx_missed_errors"] == dropped)
            #expect((values["rx_no_buffer_count"] ?? 0) > 0)
        }
        _ = consume pair
    }

    @Test("A card pulled at any read of the counters leaves them as they were, or as they should be")
    func pulled() throws {
        let reads = try countReads()
        for last in 0...reads {
            let rig = Rig()
            let hooks = RegisterHooks()
            let backing = HookedBacking(rig.backing, hooks)
            var device = try rig.open(on: backing)
            var stack = try Stack(device.openQueuePair(0, entries: 64), on: backing)
            #expect(stack.send(testFrame(1)) == true)
            rig.settle()
            var made = 0
            hooks.answer = { _, value in
                made += 1
                return made > last ? ~0 : value
            }
            let impossible = device.statistics().filter { $0.value > 1000 }.map { $0.name }
            #expect(impossible == [], "pulled after \(last) reads")
        }
    }

    private func countReads() throws -> Int {
        let rig = Rig()
        let hooks = RegisterHooks()
        var device = try rig.open(on: HookedBacking(rig.backing, hooks))
        var reads = 0
        hooks.answer = { _, value in
            reads += 1
            return value
        }
        _ = device.statistics()
        return reads
    }

    private func value(_ statistics: [NetdevStatistic]) -> [String: UInt64] {
        Dictionary(uniqueKeysWithValues: statistics.map { ($0.name, $0.value) })
    }
}
