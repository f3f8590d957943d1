// Bring-up in its order, and what is left when it fails: nothing.

import Backing
import Clock
import I225Driver
import I225Model
import I225Wire
import Leases
import Memory
import Netdev
import Registers
import Simulation
import TestCards
import TestQueues
import Testing
import XSK

@Suite("Bring-up", .overEveryBacking)
struct BringUpTests {
    @Test("A healthy card comes up with its address and a 2.5 Gb/s link")
    func opens() throws {
        let rig = Rig()
        do {
            let device = try rig.open()
            #expect(device.address == 0x0025_0221_1B02)
            #expect(device.link.speed == 2500)
            #expect(device.link.isFullDuplex)
        }
        #expect(rig.census.outstanding.isEmpty)
    }

    @Test("Closing leaves the card silent: no receiver, no transmitter, no driver, no mastering pending")
    func closes() throws {
        let rig = Rig()
        do { _ = try rig.open() }
        let bar = try rig.backing.mapBAR(0)
        #expect(bar.read(I225Register.receiveControl)[.enabled] == false)
        #expect(bar.read(I225Register.transmitControl)[.enabled] == false)
        #expect(bar.read(I225Register.extendedControl)[.driverLoaded] == false)
        #expect(bar.read(I225Register.softwareFirmwareSync).raw == 0)
    }

    @Test("The order of the start is the stated one")
    func order() throws {
        let rig = Rig()
        let recording = Recording(rig.backing, map: I225RegisterMap.map)
        do { _ = try rig.open(on: recording) }
        let stores = recording.trace.stores.map { $0.name }
        // As igc_probe and __igc_open have it: interrupts off, traffic off, reset, ownership, link, filters, then traffic on.
        let milestones = [
            "EIMC", "RCTL", "TCTL", "CTRL", "CTRL_EXT", "MDIC", "RAL[0]", "RLPML", "TCTL", "RCTL", "TSAUXC",
        ]
        var rest = stores[...]
        for milestone in milestones {
            let index = rest.firstIndex(of: milestone)
            #expect(index != nil, "\(milestone) is missing, or too early")
            if let index { rest = rest[(index + 1)...] }
        }
        #expect(!stores.contains("TSICR"), "TSICR is cleared by reading; writing it back loses stamps")
    }

    @Test("Whichever step of the backing fails, the error says so and nothing is on loan")
    func failsAtEveryStep() throws {
        let healthy = Rig()
        let counting = Faulty(healthy.backing, plan: FaultPlan())
        try Self.useEverything(healthy, on: counting)
        let steps = counting.stepCount
        #expect(steps > 10)
        for step in 0..<steps {
            let rig = Rig()
            let faulty = Faulty(rig.backing, plan: FaultPlan(failAtStep: step))
            let error = #expect(throws: DeviceError.self) { try Self.useEverything(rig, on: faulty) }
            #expect(error?.code == .injected, "step \(step): \(error.map(\.description) ?? "no error")")
            #expect(rig.census.outstanding.isEmpty, "step \(step)")
            #expect(rig.model.host.memory.mappingCount == 0, "step \(step)")
        }
    }

    @Test("A card pulled at any register access gives a typed error or a working end, and nothing is on loan")
    func pulledAtEveryAccess() throws {
        let healthy = Rig()
        let counting = Faulty(healthy.backing, plan: FaultPlan())
        try Self.useEverything(healthy, on: counting)
        let accesses = counting.accessCount
        // Every access of the first thousand, then a sample: the statistics at the end repeat themselves. Over a socket a
        // sample of all: it is not the card's place that is in question here.
        let isNear = CardPlace.current == .inProcess
        let points =
            Array(stride(from: 0, to: min(accesses, 1000), by: isNear ? 1 : 13))
            + Array(stride(from: 1000, to: accesses, by: isNear ? 37 : 370))
        for access in points {
            let rig = Rig()
            let faulty = Faulty(rig.backing, plan: FaultPlan(removeAtAccess: access))
            do {
                try Self.useEverything(rig, on: faulty)
            } catch let error as DeviceError {
                #expect(error.code == .deviceGone, "access \(access): \(error)")
            }
            #expect(rig.census.outstanding.isEmpty, "access \(access)")
            #expect(rig.model.host.memory.mappingCount == 0, "access \(access)")
        }
    }

    struct BrokenCard: Sendable, CustomTestStringConvertible {
        let faults: I225Faults
        let code: DeviceError.Code
        let operation: String
        var testDescription: String { operation }
    }

    @Test(
        "A broken card is refused in words that say what is broken",
        arguments: [
            BrokenCard(faults: .nvmChecksumWrong, code: .badContents, operation: "validate NVM"),
            BrokenCard(faults: .nvmNeverAnswers, code: .timedOut, operation: "read NVM word 0"),
            BrokenCard(faults: .nvmAbsent, code: .badContents, operation: "read station address"),
            BrokenCard(faults: .firmwareKeepsSemaphores, code: .timedOut, operation: "take NVM semaphore"),
            BrokenCard(faults: .phyAbsent, code: .refused, operation: "PHY register"),
            BrokenCard(faults: .phyNeverAnswers, code: .timedOut, operation: "PHY register"),
            BrokenCard(faults: .phyResetNeverEnds, code: .timedOut, operation: "reset PHY"),
            BrokenCard(faults: .defaultsNeverLoaded, code: .timedOut, operation: "reset"),
        ]
    )
    func broken(_ card: BrokenCard) throws {
        var options = I225Options()
        options.faults = card.faults
        let rig = Rig(options)
        let error = #expect(throws: DeviceError.self) { _ = try rig.open() }
        #expect(error?.code == card.code)
        #expect(error?.operation.contains(card.operation) == true, "\(error?.operation ?? "")")
        #expect(rig.census.outstanding.isEmpty)
    }

    @Test("A card whose mastering never stops is reset all the same")
    func masterNeverStops() throws {
        var options = I225Options()
        options.faults = .masterNeverStops
        let rig = Rig(options)
        let device = try rig.open()
        #expect(device.link.isUp)
    }

    @Test("No link in time is an error that says how long it was waited for")
    func noLink() throws {
        var options = I225Options()
        options.autonegotiationNanoseconds = 60_000_000_000
        let rig = Rig(options)
        let error = #expect(throws: DeviceError.self) { _ = try rig.open() }
        #expect(error?.code == .timedOut)
        #expect(error?.detail == "no link after 10000 ms")
        #expect(rig.census.outstanding.isEmpty)
    }

    @Test(
        "Settings that no card can have are refused before the card is touched",
        arguments: [
            { (c: inout I225Configuration) in c.maximumFrameBytes = 63 },
            { (c: inout I225Configuration) in c.maximumFrameBytes = 9729 },
            { (c: inout I225Configuration) in c.receiveQueueCount = 0 },
            { (c: inout I225Configuration) in c.receiveQueueCount = 5 },
            { (c: inout I225Configuration) in c.hashKey = [1, 2, 3] },
            { (c: inout I225Configuration) in c.interruptGapMicroseconds = -1 },
            { (c: inout I225Configuration) in c.interruptGapMicroseconds = 8192 },
            { (c: inout I225Configuration) in c.stampDeadlineNanoseconds = 0 },
            { (c: inout I225Configuration) in c.stampQuarantineNanoseconds = 1 },
        ] as [@Sendable (inout I225Configuration) -> Void]
    )
    func refusesSettings(_ change: @Sendable (inout I225Configuration) -> Void) throws {
        let rig = Rig()
        var configuration = I225Configuration()
        change(&configuration)
        let faulty = Faulty(rig.backing, plan: FaultPlan())
        let error = #expect(throws: DeviceError.self) { _ = try rig.open(on: faulty, configuration) }
        #expect(error?.code == .invalidArgument)
        #expect(faulty.accessCount == 0)
    }

    @Test("A queue is lent once at a time, and rings have a size that the card can do")
    func queuesAreLent() throws {
        let rig = Rig()
        let device = try rig.open()
        do {
            let queue = try device.openTransmitQueue(2)
            #expect(throws: DeviceError.self) { _ = try device.openTransmitQueue(2) }
            _ = consume queue
        }
        _ = try device.openTransmitQueue(2)
        #expect(throws: DeviceError.self) { _ = try device.openTransmitQueue(4) }
        #expect(throws: DeviceError.self) { _ = try device.openTransmitQueue(-1) }
        for entries in [0, 56, 63, 65, 4097, 4104] {
            #expect(throws: DeviceError.self) { _ = try device.openTransmitQueue(0, entries: entries) }
            #expect(throws: DeviceError.self) { _ = try device.openReceiveQueue(0, entries: entries) }
        }
        #expect(throws: DeviceError.self) { _ = try device.openReceiveQueue(0, bufferBytes: 1023) }
    }

    /// Opens a card, takes every kind of lease from it, moves a frame, gives everything back.
    static func useEverything<Backing: PCIeBacking>(_ rig: Rig, on backing: Backing) throws {
        var device = try rig.open(on: backing)
        let vectors = try device.enableInterrupts(queueCount: 2)
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
        let pair = try device.openQueuePair(1, entries: 64)
        program.send(testFrame(1), chunk: 0, stamped: true)
        for _ in 0..<4 {
            _ = queue.poll()
            rig.settle()
        }
        _ = try device.service()
        _ = device.statistics()
        _ = consume pair
        _ = consume queue
        _ = consume vectors
    }
}
