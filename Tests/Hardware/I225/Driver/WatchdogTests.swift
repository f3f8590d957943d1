// A Tx queue that stands still is found, and one that has a reason to is not.

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

@Suite("Watchdog", .overEveryBacking)
struct WatchdogTests {
    @Test("A queue with descriptors that has not moved for two looks is hung, and counted")
    func hung() throws {
        let rig = Rig()
        var device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(2, try program.socket.takePool())
        program.send(testFrame(1), chunk: 0)
        _ = queue.poll()
        // The card is never polled: nothing moves.
        #expect(try look(rig, &device) == [])
        #expect(try look(rig, &device) == [2])
        rig.settle()
        #expect(try look(rig, &device) == [])
        #expect(device.statistics().first { $0.name == "tx_timeout_count" }?.value == 1)
    }

    @Test("A queue without a link waits with good reason")
    func noLink() throws {
        let rig = Rig()
        var device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        rig.model.setCable(plugged: false)
        _ = try look(rig, &device)
        program.send(testFrame(1), chunk: 0)
        _ = queue.poll()
        for _ in 0..<3 { #expect(try look(rig, &device) == []) }
    }

    @Test("A queue that is switched off is no queue")
    func switchedOff() throws {
        let rig = Rig()
        var device = try rig.open()
        do {
            var program = try Program(census: rig.census)
            var queue = try device.openXSKQueue(0, try program.socket.takePool())
            program.send(testFrame(1), chunk: 0)
            _ = queue.poll()
        }
        for _ in 0..<3 { #expect(try look(rig, &device) == []) }
    }

    private func look(_ rig: Rig, _ device: inout I225Device<CardBacking>) throws -> [Int] {
        rig.clock.advance(nanoseconds: 2_000_000_000)
        return try device.service().hungQueues
    }
}
