// Bring-up in its order, and what is left when it fails: nothing.

import Backing
import Clock
import Interrupts
import Leases
import MANADriver
import MANAModel
import MANAWire
import Simulation
import Testing

@Suite("MANA: bring-up", .overEveryBacking)
struct BringUpTests {
    @Test("A healthy card comes up with one vector, then as many as it can use")
    func opens() throws {
        let rig = Rig()
        do {
            let device = try rig.open()
            same(device.queueCount, 8)
            same(device.portCount, 1)
            same(device.vectorStory.takenBefore, 1)
            same(device.vectorStory.taken, 9)
            #expect(rig.hooks.attached.map(\.index) == Array(0..<9))
            #expect(rig.model.holdings.isRegistered)
            same(device.channelCounters.testEvents, 1)
            #expect(rig.model.counters.requestsRefused == 0)
            same(device.channelCounters.wrongResponses + device.channelCounters.unknownEvents, 0)
        }
        #expect(rig.isClean, "\(rig.census.outstanding) \(rig.model.holdings)")
        #expect(rig.hooks.resets == 0, "the card let go by itself")
    }

    @Test("defect 11: The card is told that vectors are taken one by one, where they are", arguments: [true, false])
    func theCardIsTold(addsVectors: Bool) throws {
        let rig = Rig()
        rig.hooks.canAddVectors = addsVectors
        let device = try rig.open()
        #expect(rig.model.driverCapabilities.contains(.dynamicVectors) == addsVectors)
        _ = consume device
    }

    @Test("Vectors have Linux's names and the places of its spread; none is held idle")
    func namesAndPlaces() throws {
        let rig = Rig { $0.limits.vectors = 5 }
        let device = try rig.open()
        let statuses = device.vectorStatuses
        #expect(statuses.map(\.name) == ["mana_hwc@pci:test:mana"] + (0..<4).map { "mana_q\($0)@pci:test:mana" })
        // Five vectors on four cores of two threads: one core each, from the second on; then the first again.
        #expect(rig.hooks.attached.map(\.cpu) == [0, 2, 4, 6, 0])
        #expect(statuses.count == device.queueCount + 1)
    }

    @Test("Vector 0 alone is there while the channel is set up; the others come after the card has said how many")
    func oneThenTheRest() throws {
        let rig = Rig()
        var atEstablish: Int?
        let (hooks, poll) = (rig.hooks, rig.hooks.beforeLoad)
        hooks.beforeStore = { [weak hooks] offset in
            if atEstablish == nil, offset == 0x3100 { atEstablish = hooks?.attached.count }
        }
        hooks.beforeLoad = poll
        let device = try rig.open()
        #expect(atEstablish == 1)
        same(device.vectorStory.taken, 9)
    }

    @Test("Where vectors cannot be added, all come before the channel, and those of no use are given back")
    func allFirst() throws {
        let rig = Rig { $0.limits.vectors = 5 }
        rig.hooks.canAddVectors = false
        let device = try rig.open()
        same(device.vectorStory.takenBefore, 9)
        same(device.vectorStory.taken, 5)
        same(device.queueCount, 4)
        #expect(rig.census.outstanding["interrupt vector"] == 5)
    }

    @Test("The vectors are the least of what the card offers, CPUs + 1, queues + 1 and the table")
    func budget() throws {
        func taken(_ change: (inout MANAOptions) -> Void, queues: Int = 64) throws -> [Int] {
            let rig = Rig(change)
            var configuration = MANAConfiguration()
            configuration.queueLimit = queues
            let device = try rig.open(configuration)
            return [device.vectorStory.taken, device.queueCount]
        }
        #expect(try taken { $0.limits.vectors = 5 } == [5, 4])
        #expect(try taken { $0.limits.vectors = 65535 } == [9, 8])
        #expect(try taken { $0.limits.tableVectors = 4 } == [4, 3])
        #expect(try taken { $0.limits.sendQueues = 3 } == [4, 3])
        #expect(try taken { $0.limits.eventQueues = 1 } == [2, 1])
        #expect(try taken({ _ in }, queues: 2) == [3, 2])
        #expect(try taken { $0.limits.vectors = 1 } == [1, 1], "down to one: the queue shares it")
    }

    @Test("A card that offers no vector, or no queue, is refused, and nothing stays on loan")
    func offersNothing() throws {
        for change: @Sendable (inout MANAOptions) -> Void in [
            { $0.limits.vectors = 0 }, { $0.limits.sendQueues = 0 }, { $0.limits.eventQueues = 0 },
        ] {
            let rig = Rig(change)
            let error = #expect(throws: DeviceError.self) { _ = try rig.open() }
            #expect(error?.code == .noResource)
            #expect(rig.isClean, "\(rig.census.outstanding) \(rig.model.holdings)")
        }
    }

    @Test("Vectors refused at the n-th: fewer are accepted, down to one", arguments: 0...9)
    func refusedAtTheNth(_ limit: Int) throws {
        let rig = Rig()
        rig.hooks.refusesVectorsFrom = limit
        do {
            guard limit > 0 else {
                let error = #expect(throws: DeviceError.self) { _ = try rig.open() }
                #expect(error?.code == .refused, "in the host's words, not a bare number")
                #expect(rig.isClean)
                return
            }
            let device = try rig.open()
            same(device.vectorStory.taken, min(limit, 9))
            #expect(device.vectorStory.refusal != nil || limit >= 9)
            same(device.queueCount, max(1, min(limit, 9) - 1))
            let port = try device.openPort()
            var last = try port.openQueuePair(device.queueCount - 1, entries: 128)
            #expect(last.vectorIndex == (limit == 1 ? nil : device.queueCount))
            last.arm()
        }
        #expect(rig.isClean, "\(rig.census.outstanding) \(rig.model.holdings)")
    }

    @Test("Each step that the backing can refuse fails in turn: the error says which, and nothing is on loan")
    func failsAtEveryStep() throws {
        let healthy = Rig()
        let counting = Faulty(healthy.backing, plan: FaultPlan())
        do {
            let device = try healthy.open(on: counting)
            let port = try device.openPort()
            let pair = try port.openQueuePair(0, entries: 128)
            try port.steer()
            _ = consume pair
        }
        let steps = counting.stepCount
        #expect(steps >= 20)
        for step in 0..<steps {
            let rig = Rig()
            let faulty = Faulty(rig.backing, plan: FaultPlan(failAtStep: step))
            do {
                let device = try rig.open(on: faulty)
                let port = try device.openPort()
                let pair = try port.openQueuePair(0, entries: 128)
                try port.steer()
                _ = consume pair
            } catch let error as DeviceError {
                #expect(error.code == .injected, "step \(step): \(error)")
            }
            #expect(rig.isClean, "step \(step): \(rig.census.outstanding) \(rig.model.holdings)")
        }
    }

    @Test("Each request of the bring-up is refused, lost or answered wrongly in turn, and nothing is on loan")
    func failsAtEveryRequest() throws {
        let healthy = Rig()
        func run(_ rig: Rig) throws {
            let device = try rig.open()
            let port = try device.openPort()
            let pair = try port.openQueuePair(0, entries: 128)
            try port.steer()
            _ = consume pair
        }
        try run(healthy)
        let requests = Int(healthy.model.counters.requests)
        #expect(requests > 15)
        let kinds: [RequestFault.Kind] = [
            .refused(ResponseStatus(rawValue: 7)), .lost, .messageID(77), .messageType(0x77), .version(0), .bytes(31),
            .bytes(40_000), .offset(96), .activity(0x8000_0000), .queue(9), .device(AdapterDevice(type: 9)),
        ]
        for kind in kinds {
            for request in 0..<requests {
                let rig = Rig(RequestFault(kind, occurrence: request))
                let before = rig.clock.now
                do {
                    try run(rig)
                } catch let error as DeviceError {
                    let expected: Set<String> = ["refused", "timedOut", "badContents"]
                    #expect(expected.contains("\(error.code)"), "\(kind) \(request): \(error)")
                }
                let seconds = (rig.clock.now - before) / 1_000_000_000
                #expect(seconds < 100, "\(kind) at \(request): \(seconds) s")
                #expect(rig.isClean, "\(kind) at \(request): \(rig.census.outstanding) \(rig.model.holdings)")
            }
        }
    }
}
