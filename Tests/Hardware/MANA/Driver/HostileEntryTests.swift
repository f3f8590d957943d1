// A card whose completions and events lie: laps that cannot be, queues that are not there, places outside of their ring,
// entries lost, repeated or overrun. Each lie is a counter or a typed error, ends in the stated time, and leaves nothing
// on loan.

import Backing
import Clock
import Leases
import MANADriver
import MANAModel
import MANAWire
import Netdev
import TestCards
import TestQueues
import Testing

@Suite("MANA: entries that lie", .overEveryBacking)
struct HostileEntryTests {
    private static let second: UInt64 = 1_000_000_000

    /// What can be wrong with an entry.
    private static let kinds: [EntryFault.Kind] =
        [
            .lap(1), .lap(3), .lap(6), .lap(7), .queue(0xFF_FFFF), .queue(0), .queue(2), .otherSide,
            .offset(0xFFFF_FFE0), .offset(1 << 20), .lost, .repeated(1), .repeated(300), .overrun,
        ]

    /// Of every dword: all bits, and one that means something in many places.
    private static let words: [EntryFault.Kind] = (0..<16).flatMap { [.word($0, ~0), .word($0, 0x40)] }

    /// What a run came to.
    private struct Outcome {
        var error: DeviceError?
        var statistics: [NetdevStatistic] = []
        var isBroken = false
        var needsReset = false
        var received = 0
        /// Of virtual time.
        var seconds: UInt64 = 0
    }

    /// A card's whole life with frames both ways over a few laps of nothing, and the ends of all of it.
    private func live(_ rig: Rig) -> Outcome {
        var outcome = Outcome()
        let before = rig.clock.now
        do {
            var device = try rig.open()
            do {
                let port = try device.openPort()
                var stack = try rig.stack(port)
                try port.steer()
                stack.pair.arm()
                for number: UInt8 in 0..<12 {
                    _ = stack.send(testFrame(number))
                    _ = rig.send(testFrame(number))
                    rig.settle()
                    _ = stack.reap()
                    outcome.received += stack.receive().count
                    stack.pair.arm()
                    _ = rig.arrivals()
                }
                outcome.isBroken = stack.pair.isBroken
                outcome.statistics = try device.statistics()
            }
            outcome.needsReset = try device.service().needsReset
        } catch {
            outcome.error = error as? DeviceError
            if outcome.error == nil { Issue.record("\(error)") }
        }
        outcome.seconds = (rig.clock.now - before) / Self.second
        return outcome
    }

    private func rig(_ fault: EntryFault) -> Rig { Rig { $0.faults.entries = [fault] } }

    @Test(
        "Whatever is wrong with whichever entry: it ends, and nothing is on loan",
        arguments: EntryFault.Ring.allCases
    )
    func anything(in ring: EntryFault.Ring) throws {
        for (kind, isWord) in Self.kinds.map({ ($0, false) }) + Self.words.map({ ($0, true) }) {
            for occurrence in isWord ? [3] : [0, 3, nil] as [Int?] {
                let rig = rig(EntryFault(kind, in: ring, occurrence: occurrence))
                let outcome = live(rig)
                let what = "\(ring) \(kind) \(occurrence.map(String.init) ?? "each")"
                // A channel that is not set up in 60 s; requests of 30 s; two minutes for frames on their way, 10 s for a fence.
                #expect(outcome.seconds <= 162, "\(what): \(outcome.seconds) s")
                if let code = outcome.error?.code {
                    let expected: [DeviceError.Code] = [.timedOut, .badContents, .refused, .deviceGone]
                    #expect(expected.contains { $0 == code }, "\(what): \(outcome.error as Any)")
                }
                #expect(rig.isClean, "\(what): \(rig.census.outstanding) \(rig.model.holdings)")
            }
        }
    }

    /// An entry's lie, and the counter that has it.
    private static let counted: [(EntryFault.Ring, EntryFault.Kind, String)] = [
        (.sendCompletions, .lap(1), "doorbell_overflows"),
        (.sendCompletions, .lap(3), "doorbell_overflows"),
        (.sendCompletions, .queue(0xFF_FFFF), "doorbell_wrong_queue"),
        (.sendCompletions, .otherSide, "doorbell_wrong_queue"),
        (.sendCompletions, .repeated(1), "doorbell_unexpected"),
        (.sendCompletions, .word(0, 0x7F), "tx_cqe_unknown_type"),
        (.sendCompletions, .word(0, 34 | 1 << 6), "tx_cq_err"),
        (.receiveCompletions, .lap(1), "doorbell_overflows"),
        (.receiveCompletions, .lap(6), "doorbell_overflows"),
        (.receiveCompletions, .queue(0xFF_FFFF), "doorbell_wrong_queue"),
        (.receiveCompletions, .otherSide, "doorbell_wrong_queue"),
        (.receiveCompletions, .word(0, 0x7F), "rx_cqe_unknown_type"),
        (.receiveCompletions, .word(2, 0), "rx_0_pkt_len0_err"),
        (.receiveCompletions, .word(2, 0xFFFF), "rx_dropped"),
        (.events, .lap(1), "doorbell_overflows"),
        (.events, .lap(3), "doorbell_overflows"),
        (.events, .word(3, 1 << 29 | 200), "doorbell_unknown_events"),
    ]

    @Test("A lie about one entry of a queue has its counter", arguments: 0..<counted.count)
    func counters(_ index: Int) throws {
        let (ring, kind, name) = Self.counted[index]
        // Event 0 is the test of the event queue, which the bring-up waits for.
        let outcome = live(rig(EntryFault(kind, in: ring, occurrence: 1)))
        #expect(outcome.error == nil)
        #expect(value(name, outcome.statistics) == 1, "\(ring) \(kind)")
        #expect(outcome.isBroken == (name == "doorbell_overflows"), "\(ring) \(kind)")
    }

    @Test("Events of false queues cost no frame: both completion queues are looked at whatever an event says")
    func falseEvents() throws {
        for kind in [EntryFault.Kind.queue(0xFF_FFFF), .queue(0), .repeated(5)] {
            let rig = Rig { $0.faults.entries = [EntryFault(kind, in: .events, occurrence: 2)] }
            let outcome = live(rig)
            #expect(outcome.received == 12, "\(kind)")
            #expect(outcome.isBroken == false)
        }
    }

    @Test("A send completion that never comes: two minutes at the queue's end, then a reset")
    func lostCompletion() throws {
        let rig = rig(EntryFault(.lost, in: .sendCompletions, occurrence: 11))
        let outcome = live(rig)
        #expect((120...121).contains(outcome.seconds), "\(outcome.seconds) s")
        #expect(rig.hooks.resets >= 1)
        #expect(outcome.needsReset)
        #expect(rig.isClean)
    }

    @Test("Completions that overtake the driver break their queue alone; its number can be opened anew")
    func overrun() throws {
        for ring in [EntryFault.Ring.sendCompletions, .receiveCompletions] {
            let rig = rig(EntryFault(.overrun, in: ring, occurrence: 2))
            let device = try rig.open()
            let port = try device.openPort()
            do {
                var stack = try rig.stack(port)
                try port.steer()
                for number: UInt8 in 0..<6 {
                    _ = stack.send(testFrame(number))
                    _ = rig.send(testFrame(number))
                    rig.settle()
                    for _ in 0..<20 { _ = stack.reap() + stack.receive().count }
                }
                same(stack.pair.isBroken, true, "\(ring)")
            }
            _ = rig.arrivals()
            var again = try rig.stack(port)
            try port.steer()
            same(again.send(testFrame(77)), true)
            #expect(rig.send(testFrame(78)))
            rig.settle()
            #expect(rig.arrivals() == [testFrame(77)])
            same(again.receive().map(\.bytes), [testFrame(78)])
            #expect(value("doorbell_overflows", try device.statistics()) == 1)
        }
    }

    @Test("A lap that cannot be on the channel's rings: the bring-up fails at once and says why")
    func channelLaps() throws {
        for ring in [EntryFault.Ring.channelCompletions, .channelEvents] {
            let rig = rig(EntryFault(.lap(3), in: ring, occurrence: 2))
            let outcome = live(rig)
            #expect(outcome.error?.code == .badContents, "\(ring): \(outcome.error as Any)")
            #expect(outcome.seconds == 0)
            #expect(rig.isClean)
        }
    }
}
