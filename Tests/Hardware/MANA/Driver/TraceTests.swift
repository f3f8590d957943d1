// What the driver does to the card's registers and vectors, and in which order.
// Source: mana_gd_probe, mana_gd_setup_hwc_irqs, mana_gd_remove (gdma_main.c), mana_smc_setup_hwc (shm_channel.c) of
// Linux 7.x.

import Backing
import Clock
import Leases
import MANADriver
import MANAModel
import MANAWire
import Registers
import TestCards
import TestQueues
import Testing

@Suite("MANA: the order of things", .overEveryBacking)
struct TraceTests {
    /// All that is done from a card's opening to its end, with a queue pair between.
    private func life(_ rig: Rig) throws -> [RegisterTrace.Entry] {
        let recording = Recording(rig.backing, map: try RegisterMap([], byteCount: 0))
        do {
            let device = try rig.open(on: recording)
            let port = try device.openPort()
            let pair = try port.openQueuePair(0, entries: 128)
            try port.steer()
            _ = consume pair
        }
        #expect(rig.isClean)
        return recording.trace.entries
    }

    /// As the trace names a place without a register's name.
    private func name(_ offset: UInt32) -> String { "0x" + String(offset, radix: 16, uppercase: true) }

    private func isStore(_ entry: RegisterTrace.Entry) -> Bool {
        if case .store = entry { true } else { false }
    }

    @Test("The window is written word by word, the header last, when it is the driver's; nothing else in 32 bits")
    func window() throws {
        let entries = try life(Rig())
        let names = (0..<8).map { name(0x3100 + UInt32($0) * 4) }
        let stores = entries.compactMap { entry -> (String, UInt32)? in
            if case .store(let name, let value) = entry { (name, value) } else { nil }
        }
        #expect(stores.map(\.0) == names + [names[7]])
        #expect(stores.suffix(2).map(\.1) == [0x1, 0x2], "establish, then destroy")
        for index in entries.indices where isStore(entries[index]) && !isStore(entries[index - 1]) {
            guard case .load(names[7], let header) = entries[index - 1] else {
                Issue.record("before \(entries[index]): \(entries[index - 1])")
                continue
            }
            #expect(header >> 31 == 0)
        }
    }

    @Test("Vector 0, the channel, the other vectors; at the end the queues', the channel, then all that is left")
    func vectors() throws {
        let entries = try life(Rig())
        let establish = try #require(entries.firstIndex(where: isStore))
        let destroy = try #require(entries.lastIndex(where: isStore))
        func place(_ entry: (RegisterTrace.Entry) -> Bool) -> [Int] { entries.indices.filter { entry(entries[$0]) } }
        let attached = place { if case .attachVector = $0 { true } else { false } }
        let detached = place { if case .detachVector = $0 { true } else { false } }
        #expect(attached.count == 9 && detached.count == 9)
        #expect(attached[0] < establish && attached[1] > establish + 8)
        let requests = place { if case .storeWide = $0 { true } else { false } }
        #expect(requests.filter { $0 < attached[1] }.count > 10, "the card has been asked before the second")
        #expect(entries[detached[0]] == .detachVector(1), "the queue's, with its queue")
        #expect(detached[0] < destroy && detached[1] > destroy)
        #expect(entries[detached[8]] == .detachVector(0))
        // The card lets go of the channel before its memory goes.
        let unmapped = place { if case .unmapDMA = $0 { true } else { false } }
        let mapped = place { if case .mapDMA = $0 { true } else { false } }
        #expect(unmapped.count == mapped.count)
        #expect(mapped[0] < establish && unmapped[unmapped.count - 1] > destroy)
        #expect(unmapped[unmapped.count - 2] < destroy)
        #expect(!entries.contains(.reset))
    }

    @Test("Doorbells are rung in 64 bits, at places that are doorbells")
    func doorbells() throws {
        let names = Set(
            (0..<16).flatMap { page in
                [0x000, 0x400, 0x800, 0xFF8].map { name(0x1_0000 + page * 0x1000 + $0) }
            }
        )
        for case .storeWide(let name, _) in try life(Rig()) { #expect(names.contains(name), "\(name)") }
    }
}
