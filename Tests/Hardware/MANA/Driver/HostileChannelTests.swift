// Entries in the channel's own rings that cannot be, written by the test in the card's name.

import Backing
import Clock
import Leases
import MANADriver
import MANAModel
import MANAWire
import Memory
import Registers
import TestCards
import Testing

private struct Unmapped: Error {}

/// The channel's event and completion ring, as the card sees them.
private struct ChannelMemory {
    private let memory: IOVASpace
    private let setup: ChannelSetup

    init(_ rig: Rig) throws {
        let bar = try rig.card.mapBAR(0)
        var words = InlineArray<8, UInt32>(repeating: 0)
        for index in 0..<8 { words[index] = bar.load(0x3100 + UInt32(index) * 4) }
        setup = ChannelSetup(words)
        memory = rig.model.host.memory
    }

    private func word(_ iova: UInt64) throws -> UInt32 {
        // SAFETY: the ring is lent to the card while the channel is open.
        guard let place = unsafe memory.address(iova, length: 4, .deviceReads) else { throw Unmapped() }
        return unsafe place.loadUnaligned(as: UInt32.self)
    }

    private func set(_ iova: UInt64, _ value: UInt32) throws {
        // SAFETY: as in `word`.
        guard let place = unsafe memory.address(iova, length: 4, .deviceWrites) else { throw Unmapped() }
        unsafe place.storeBytes(of: value, as: UInt32.self)
    }

    /// Gives every entry of a ring the owner bits of a lap that cannot be.
    func breakEvents() throws {
        for slot in 0..<256 { try set(setup.eventFrame << 12 + UInt64(slot * 16 + 12), 5 << 29) }
    }

    func breakCompletions() throws {
        for slot in 0..<64 { try set(setup.completionFrame << 12 + UInt64(slot * 64 + 60), 5 << 29) }
    }

    /// Writes an event into the next free slot of the first lap.
    func write(_ event: Event) throws {
        for slot in 0..<256 {
            let entry = setup.eventFrame << 12 + UInt64(slot * 16)
            guard try word(entry + 12) >> 29 == 0 else { continue }
            try set(entry, event.detail0)
            try set(entry + 12, EventTail(event.type, owner: 1).raw)
            return
        }
    }

    /// Writes a completion into the next free slot of the lap that the card is in.
    func writeCompletion(queue: UInt32, isSend: Bool) throws {
        let first = try word(setup.completionFrame << 12 + 60) >> 29
        for slot in 0..<64 {
            let entry = setup.completionFrame << 12 + UInt64(slot * 64)
            guard try word(entry + 60) >> 29 != first else { continue }
            try set(entry + 60, CompletionTail(queue: queue, isSend: isSend, owner: first).raw)
            return
        }
    }
}

@Suite("MANA: a hostile channel", .overEveryBacking)
struct HostileChannelTests {
    @Test("Owner bits of a lap that cannot be, in either ring: a typed error at once, and a reset cures it")
    func wrongLap() throws {
        for breaksEvents in [true, false] {
            let rig = Rig()
            var device = try rig.open()
            let channel = try ChannelMemory(rig)
            if breaksEvents { try channel.breakEvents() } else { try channel.breakCompletions() }
            let before = rig.clock.now
            let error = #expect(throws: DeviceError.self) { _ = try device.statistics() }
            #expect(error?.code == .badContents)
            #expect(rig.clock.now - before < 1_000_000_000)
            same(try device.service().needsReset, true)
            same(device.channelCounters.overflows, 1)
            device = try device.suspend().resume()
            same(try device.service().needsReset, false)
            _ = try device.statistics()
        }
    }

    @Test("Events about queues that there are not, and of types that nobody knows, are counted")
    func unknownEvents() throws {
        let rig = Rig()
        var device = try rig.open()
        let channel = try ChannelMemory(rig)
        try channel.write(.completion(of: 77))
        try channel.write(Event(EventType(rawValue: 200)))
        try channel.write(Event(.reconfigurationItem, 0x63 << 24))
        same(try device.service(), ServiceEvents())
        same(device.channelCounters.unknownEvents, 3)
    }

    @Test("Completions of queues that are not the channel's are counted, and the answer behind them is found")
    func wrongQueues() throws {
        let rig = Rig()
        let device = try rig.open()
        let channel = try ChannelMemory(rig)
        try channel.writeCompletion(queue: 9, isSend: false)
        // The card writes over it with its next completion; the driver has seen it by then.
        _ = try? device.statistics()
        same(device.channelCounters.wrongQueue, 1)
    }
}
