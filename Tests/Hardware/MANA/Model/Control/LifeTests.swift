// How things end: deregistration, the window, function level reset; privileged drivers; and what a hostile one can do.

import Backing
import Clock
import Ethernet
import MANAModel
import MANAWire
import PCIe
import Registers
import Simulation
import TestFrames
import Testing

@Suite(.bothMemoryWays) struct LifeTests {
    private let nothing = MANAHoldings()

    /// A rig with a region, an event queue and a pair of queues on loan.
    private func laden(_ change: (inout MANAOptions) -> Void = { _ in }) throws -> (ControlRig, BenchWork) {
        let rig = try ControlRig.ready(change)
        try rig.register()
        let port = try rig.port()[.port]
        let events = try rig.makeEventQueue(vector: 1)
        _ = try rig.makeWorkQueue(.receive, port: port, events: events.id)
        let send = try rig.makeWorkQueue(.send, port: port, events: events.id)
        _ = try rig.makeRegion(rig.takePages(1))
        return (rig, send)
    }

    @Test func deregistrationTakesAllBack() throws {
        let (rig, send) = try laden()
        #expect(rig.model.holdings != nothing)
        _ = try rig.demand(Message<DeregisterDevice>(to: .network))
        #expect(rig.model.holdings == nothing)
        send.post(rig.takePage(), length: 100)
        #expect(rig.model.counters.strayDoorbells == 1)
    }

    @Test func theWindowTakesAllBack() throws {
        let (rig, send) = try laden()
        rig.destroy()
        #expect(rig.model.holdings == nothing)
        send.post(rig.takePage(), length: 100)
        rig.poll()
        #expect(rig.model.counters.framesSent == 0 && rig.model.counters.strayDoorbells == 1)
        try #require(rig.establish() == 0x81)
        _ = rig.takeEvents()
        rig.armEvents()
        try rig.register()
        #expect(try rig.makeEventQueue(vector: 1).id == 1)
    }

    /// By configuration space, and by the call that a host makes.
    @Test(arguments: [true, false]) func functionLevelResetForgetsEverything(byConfiguration: Bool) throws {
        let (rig, send) = try laden()
        let vector = try rig.attach(0)
        if byConfiguration {
            let express = try #require(ConfigSpace.findCapability(0x10, read: rig.model.readConfig))
            rig.model.writeConfig(express + 8, .word, 0x8000)
        } else {
            rig.model.reset()
        }
        #expect(rig.model.holdings == nothing)
        #expect(rig.readRegister(0x08) == .max, "memory space is off")
        rig.model.assignBARs()
        rig.allowBus()
        rig.model.requestReset()
        #expect(!vector.consume())
        #expect(rig.readWindow(7) == 0 && rig.readWindow(0) == 0)
        send.post(rig.takePage(), length: 100)
        rig.poll()
        #expect(rig.model.counters.framesSent == 0)
        #expect(rig.establish() == 0x81)
    }

    @Test func messagesOfBeforeAResetDoNotComeAfterIt() throws {
        let rig = try ControlRig.ready()
        let vector = try rig.attach(0)
        rig.model.setVectors([0], masked: true)
        rig.model.requestReset()
        rig.model.reset()
        rig.model.assignBARs()
        rig.allowBus()
        let capability = try #require(ConfigSpace.findCapability(MSIXCapability.id, read: rig.model.readConfig))
        rig.model.writeConfig(capability + 2, .word, MSIXCapability.enable)
        rig.model.setVectors([0], masked: false)
        #expect(!vector.consume())
    }

    /// A bring-up that gives all back, one request refused at a time: nothing is on loan after the last step.
    @Test func everythingIsGivenBackOneByOne() throws {
        let (rig, send) = try laden()
        _ = try rig.demand(send.destroyRequest())
        #expect(rig.model.holdings.workQueues == 1 && rig.model.holdings.eventQueues == 1)
        #expect(rig.model.holdings.regions == 1 && rig.model.holdings.isRegistered)
    }

    // MARK: Privileged drivers

    private func registerPort() -> Message<RegisterHardwarePort> {
        var request = Message<RegisterHardwarePort>(to: .network)
        request[.function] = 1
        request[.isDefault] = 1
        request[.allowsAllTypes] = 1
        return request
    }

    private func filter(_ port: UInt64, _ address: [UInt8]) -> Message<RegisterFilter> {
        var request = Message<RegisterFilter>(to: .network)
        request[.port] = port
        for (index, byte) in address.enumerated() { request[.address, index] = byte }
        return request
    }

    @Test(arguments: [MANADeviceID.physicalFunction, .physicalFunction2])
    func aPhysicalFunctionsDriverRegistersPortsAndFilters(_ device: MANADeviceID) throws {
        let rig = try ControlRig.ready {
            $0.deviceID = device
            $0.limits.ports = 2
        }
        try rig.register()
        let first = try rig.port(0)[.port]
        #expect(try rig.status(rig.openRequest(first)) != 0, "no port before it is registered")
        let handle = try rig.demand(registerPort())[.port]
        let second = try rig.demand(registerPort())[.port]
        #expect(handle != first && second != handle)
        #expect(try rig.status(registerPort()) != 0, "there are two")
        try rig.openPort(handle)

        let events = try rig.makeEventQueue(vector: 1)
        let receive = try rig.makeWorkQueue(.receive, port: handle, events: events.id)
        _ = try rig.demand(rig.steering(handle, to: [receive.object]))
        let station: [UInt8] = [0x02, 7, 7, 7, 7, 7]
        func arrives() -> Bool {
            receive.post(rig.takePage(), length: 1514)
            let frame = station + [0x02, 0, 0, 0, 0, 0x99, 0x88, 0xB5] + payload(60)
            let before = rig.model.counters.framesReceived
            _ = rig.farEnd.transmit.send(frame.raw, wireTime: 0)
            rig.poll()
            return rig.model.counters.framesReceived == before + 1
        }
        #expect(!arrives(), "no filter yet")
        let entry = try rig.demand(filter(handle, station))[.filter]
        #expect(arrives())
        #expect(try rig.status(filter(handle, station)) != 0, "one address per port")
        #expect(try rig.status(filter(second, [0x01, 0, 0x5E, 0, 0, 1])) != 0, "no station")
        #expect(rig.model.holdings.filters == 1 && rig.model.holdings.hardwarePorts == 2)

        var deregister = Message<DeregisterFilter>(to: .network)
        deregister[.filter] = entry
        _ = try rig.demand(deregister)
        #expect(try rig.status(deregister) != 0)
        #expect(!arrives())
        var end = Message<DeregisterHardwarePort>(to: .network)
        end[.port] = handle
        _ = try rig.demand(end)
        #expect(try rig.status(end) != 0)
        #expect(rig.model.holdings.filters == 0 && rig.model.holdings.hardwarePorts == 1)
    }

    @Test(arguments: [(MANADeviceID.virtualFunction, false), (.physicalFunction, true), (.physicalFunction2, true)])
    func privilegedRequestsAreForPhysicalFunctionsThatAreNotHosted(_ device: MANADeviceID, isHosted: Bool) throws {
        let rig = try ControlRig.ready {
            $0.deviceID = device
            $0.isHosted = isHosted
        }
        try rig.register()
        #expect(try rig.status(registerPort()) != 0)
        let port = try rig.port()[.port]
        #expect(try rig.status(filter(port, [0x02, 7, 7, 7, 7, 7])) != 0)
        try rig.openPort(port)
        let configuration = Message<QueryDeviceConfiguration>(to: .network, responseVersion: 3)
        #expect(try rig.demand(configuration)[.isHosted] == (isHosted ? 1 : 0))
    }

    // MARK: Hostile drivers

    /// Requests of known kinds with contents that nobody chose, doorbells of any queue, resets: an answer to each, and a
    /// device that can be set up afterwards.
    @Test(arguments: UInt64(1)...12) func requestsThatNobodyChose(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let rig = try ControlRig.ready {
            $0.deviceID = seed % 2 == 0 ? .physicalFunction2 : .virtualFunction
            $0.limits.regions = 32
            $0.limits.eventQueues = 4
            $0.limits.sendQueues = 4
            $0.limits.receiveQueues = 4
            $0.limits.completionQueues = 6
        }
        try rig.register()
        let port = try rig.port()[.port]
        var handles: [UInt64] = [port, 0, .max]
        for _ in 0..<8 { handles.append(try rig.makeRegion(rig.takePages(1))) }
        let events = try rig.makeEventQueue(vector: 1)
        handles.append(try rig.makeWorkQueue(.receive, port: port, events: events.id).object)
        let kinds: [UInt32] = [
            1, 2, 3, 4, 4, 5, 10, 12, 12, 12, 13, 22, 24, 25, 26, 27, 29, 30, 31, 32, 84, 96, 97, 0x2_0001, 0x2_0002,
            0x2_0003, 0x2_0004, 0x2_0004, 0x2_0004, 0x2_0005, 0x2_0006, 0x2_0007, 0x2_0007, 0x2_0008, 0x2_000A,
            0x2_000B, 0x2_000C, 0x2_8000, 0x2_8001, 0x2_8003, 0x2_8004,
        ]
        var answered = 0
        for _ in 0..<600 {
            var bytes = [UInt8](repeating: 0, count: Int.random(in: 40...256, using: &random))
            for index in 40..<bytes.count {
                bytes[index] = Bool.random(using: &random) ? 0 : UInt8.random(in: 0...255, using: &random)
            }
            // Fields that are often right, so that something happens.
            var offset = 40
            while offset + 8 <= bytes.count {
                let small = UInt64([0, 1, 2, 5, 4096, 0x55][Int.random(in: 0..<6, using: &random)])
                let value =
                    Bool.random(using: &random) ? handles[Int.random(in: 0..<handles.count, using: &random)] : small
                for byte in 0..<8 { bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte)) }
                offset += 8
            }
            let kind = kinds[Int.random(in: 0..<kinds.count, using: &random)]
            bytes[4] = UInt8(kind & 0xFF)
            bytes[6] = UInt8(kind >> 16)
            bytes[5] = UInt8(kind >> 8 & 0xFF)
            bytes[28] = 255
            bytes[32] = 2
            rig.postAnswerBuffer()
            rig.post(bytes)
            if rig.takeAnswer() != nil { answered += 1 }
            for kind in DoorbellKind.allCases {
                let doorbell = QueueDoorbell(
                    id: UInt32.random(in: 1..<8, using: &random),
                    tail: UInt32.random(in: 0..<256, using: &random) * 32,
                    isArmed: true
                )
                rig.ring(kind, doorbell, page: 1)
            }
            let frame: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0, 1, 8, 0] + payload(50)
            _ = rig.farEnd.transmit.send(frame.raw, wireTime: 0)
            rig.poll(limit: 100)
            while rig.farEnd.receive.receive() != nil {}
        }
        #expect(answered == 600, "each has an answer")
        let counters = rig.model.counters
        #expect(counters.requests - counters.requestsRefused > 100, "and not all of them are refused")
        rig.destroy()
        #expect(rig.model.holdings == nothing)
        #expect(rig.establish() == 0x81)
    }
}
