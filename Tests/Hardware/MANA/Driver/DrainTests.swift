// The end of a queue with frames on their way out: it waits for them as long as Linux does, and then has the card reset.

import Backing
import Clock
import Leases
import MANADriver
import MANAModel
import MANAWire
import Memory
import Netdev
import TestCards
import TestQueues
import Testing
import XSK

@Suite("MANA: frames on their way at a queue's end", .overEveryBacking)
struct DrainTests {
    private let second: UInt64 = 1_000_000_000

    /// Whether a doorbell is a send queue's of the port; the channel's page is the first.
    private func isSend(_ offset: UInt32) -> Bool { offset >= 0x1_1000 && offset & 0xFFF == 0 }

    /// How long the end of a queue pair takes on which three frames were sent, and after which the test goes on.
    private func end(_ rig: Rig, _ device: borrowing MANADevice<Card>) throws -> UInt64 {
        let port = try device.openPort()
        var stack = try rig.stack(port)
        try port.steer()
        for number: UInt8 in 1...3 { same(stack.send(testFrame(number)), true) }
        let before = rig.clock.now
        _ = consume stack
        return rig.clock.now - before
    }

    @Test("Frames that the card is done with, reaped or not, hold nothing up")
    func nothingOut() throws {
        let rig = Rig()
        let device = try rig.open()
        do {
            let port = try device.openPort()
            var stack = try rig.stack(port)
            for number: UInt8 in 1...3 { same(stack.send(testFrame(number)), true) }
            rig.settle()
            let before = rig.clock.now
            _ = consume stack
            #expect(rig.clock.now - before < second / 100)
        }
        #expect(rig.arrivals() == (1...3).map { testFrame($0) })
        #expect(rig.hooks.resets == 0)
    }

    @Test("Frames that the card sends a minute later are waited for, and go out")
    func late() throws {
        let rig = Rig()
        let device = try rig.open()
        let sendsAt = rig.clock.now + 60 * second
        let poll = rig.hooks.beforeLoad
        let model = rig.model
        model.setLink(up: false)
        rig.hooks.beforeLoad = { [clock = rig.clock] in
            if clock.now >= sendsAt { model.setLink(up: true) }
            poll()
        }
        let took = try end(rig, device)
        #expect((59 * second...61 * second).contains(took), "\(took)")
        #expect(rig.arrivals() == (1...3).map { testFrame($0) })
        #expect(rig.hooks.resets == 0)
        #expect(rig.model.holdings.workQueues == 0)
    }

    @Test("Frames that never go: two minutes, then the card is reset, and a new set-up cures it")
    func never() throws {
        let rig = Rig()
        var device = try rig.open()
        rig.hooks.passesDoorbell = { [isSend] in !isSend($0) }
        let took = try end(rig, device)
        #expect((120 * second...121 * second).contains(took), "\(took)")
        #expect(rig.hooks.resets == 1)
        #expect(rig.model.holdings == MANAHoldings(), "the reset took all")
        same(try device.service().needsReset, true)
        rig.hooks.passesDoorbell = { _ in true }
        device = try device.suspend().resume()
        same(try device.service().needsReset, false)
        let port = try device.openPort()
        var stack = try rig.stack(port)
        same(stack.send(testFrame(9)), true)
        rig.settle()
        #expect(rig.arrivals() == [testFrame(9)])
        #expect(value("tx_0_packets", try device.statistics()) == 4, "counters go on")
    }

    @Test("The others of a card that was reset are silent, and their ends wait for nothing")
    func othersAreSilent() throws {
        let rig = Rig()
        do {
            let device = try rig.open()
            let port = try device.openPort()
            var first = try rig.stack(port, 0)
            var second = try rig.stack(port, 1)
            try port.steer()
            rig.hooks.passesDoorbell = { [isSend] in !isSend($0) }
            same(first.send(testFrame(1)), true)
            same(second.send(testFrame(2)), true)
            _ = consume first
            let reset = rig.clock.now
            let stray = rig.model.counters.strayDoorbells
            same(second.send(testFrame(3)), true)
            second.pair.arm()
            _ = consume second
            #expect(rig.clock.now - reset < self.second / 100)
            #expect(rig.model.counters.strayDoorbells == stray)
            #expect(rig.hooks.resets == 1)
        }
        #expect(rig.isClean, "\(rig.census.outstanding) \(rig.model.holdings)")
    }

    @Test("Frames that were submitted, and of which the card was never told, are not waited for")
    func notTold() throws {
        let rig = Rig()
        let device = try rig.open()
        let port = try device.openPort()
        let memory = try rig.backing.allocateDMA(byteCount: 4096, .both, purpose: "test-frame")
        var pair = try port.openQueuePair(0, entries: 128)
        same(pair.submit(.init(iova: memory.iova, cookie: 1, length: 60), .init()), true)
        let before = rig.clock.now
        _ = consume pair
        #expect(rig.clock.now - before < second / 100)
        #expect(rig.hooks.resets == 0)
    }

    @Test("A card that is pulled while a queue waits: the wait ends at once")
    func pulled() throws {
        let rig = Rig()
        do {
            let device = try rig.open()
            rig.hooks.passesDoorbell = { [isSend] in !isSend($0) }
            let pulledAt = rig.clock.now + 5 * second
            let poll = rig.hooks.beforeLoad
            rig.hooks.beforeLoad = { [clock = rig.clock, card = rig.card] in
                if clock.now >= pulledAt { card.unplug() } else { poll() }
            }
            let took = try end(rig, device)
            #expect((4 * second...6 * second).contains(took), "\(took)")
        }
        rig.hooks.beforeLoad = {}
        #expect(rig.hasNothingOut, "\(rig.census.outstanding)")
    }
}
