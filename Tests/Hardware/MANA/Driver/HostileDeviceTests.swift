// A device that lies on every way there is: registers, window, channel, answers. Each lie is a typed error or a counter,
// within the stated time, and nothing stays on loan.

import Backing
import Clock
import Leases
import MANADriver
import MANAModel
import MANAWire
import TestQueues
import Testing

@Suite("MANA: a hostile device", .overEveryBacking)
struct HostileDeviceTests {
    /// Opens card, port and a queue pair; the error, and how long it took.
    private func open(_ rig: Rig) -> (error: DeviceError?, seconds: UInt64) {
        let before = rig.clock.now
        var thrown: DeviceError?
        do {
            let device = try rig.open()
            let port = try device.openPort()
            let pair = try port.openQueuePair(0, entries: 128)
            try port.steer()
            _ = consume pair
        } catch {
            thrown = error as? DeviceError
        }
        return (thrown, (rig.clock.now - before) / 1_000_000_000)
    }

    @Test("Registers that point nowhere")
    func registers() {
        let lies: [(UInt64, UInt64)] = [
            (0x10, 0), (0x10, 4095), (0x10, 0x1_0000), (0x08, .max), (0x08, 1 << 32), (0x08, 0xFFFF_F000), (0x08, 4),
            (0x18, .max), (0x18, 1 << 40), (0x18, 0xFFFF_FFE4), (0x18, 0x2002),
        ]
        for (register, value) in lies {
            let rig = Rig { $0.faults.registers[register] = value }
            let (error, _) = open(rig)
            #expect(error?.code == .badContents, "\(register) \(value)")
            #expect(rig.isClean)
        }
    }

    @Test("A page size of all ones is a card that is not there")
    func absent() {
        let rig = Rig { $0.faults.registers[0x10] = .max }
        #expect(open(rig).error?.code == .deviceGone)
        #expect(rig.isClean)
    }

    @Test("Every field of the window's answer wrong in turn")
    func window() {
        let answers: [(UInt32, String)] = [
            (0x0000_0000, "no answer"), (0x0000_0001, "no response bit"), (0x0000_0082, "another command"),
            (0x0000_0080, "no command"), (0x0000_0089, "a version"), (0x0000_0181, "a status"),
            (0x0000_FF81, "all of a status"),
        ]
        for (raw, what) in answers {
            let rig = Rig { $0.faults.window = .answers(raw) }
            let (error, seconds) = open(rig)
            #expect([DeviceError.Code.badContents, .refused].contains { $0 == error?.code }, "\(what)")
            #expect(seconds < 60, "\(what)")
            #expect(rig.hasNothingOut, "\(what)")
        }
    }

    @Test("A window that reads all ones is not the driver's, whatever its bits would say: twenty seconds, no more")
    func windowOfOnes() {
        let rig = Rig { $0.faults.window = .answers(.max) }
        let (error, seconds) = open(rig)
        #expect(error?.code == .timedOut)
        #expect((20...41).contains(seconds), "\(seconds) s")
        #expect(rig.hasNothingOut)
    }

    @Test("A window that the device keeps, before or after the request: twenty seconds for each, no more")
    func stuckWindow() {
        for fault in [WindowFault.staysDevices, .neverAnswers] {
            let rig = Rig { $0.faults.window = fault }
            let (error, seconds) = open(rig)
            #expect(error?.code == .timedOut, "\(fault)")
            #expect((20...41).contains(seconds), "\(fault): \(seconds) s")
            #expect(rig.hasNothingOut)
        }
        let late = Rig { $0.faults.window = .late(5_000_000_000) }
        #expect(open(late).error == nil, "late is not never")
        #expect(late.isClean)
    }

    @Test("The set-up of the channel: events that are missing")
    func missingEvents() {
        let changes: [(String, @Sendable (inout MANAFaults) -> Void, ClosedRange<UInt64>)] = [
            ("no first event", { $0.losesChannelQueue = true }, 60...61),
            ("no last event", { $0.losesChannelDone = true }, 60...61),
            ("no completion queue", { $0.missingChannelItems = [.completionQueue] }, 0...0),
            ("no receive queue", { $0.missingChannelItems = [.receiveQueue] }, 0...0),
            ("no send queue", { $0.missingChannelItems = [.sendQueue] }, 0...0),
            ("a completion queue above the limit", { $0.channelItems[.completionQueue] = 0xFF_FFFF }, 0...0),
            ("the queues of another", { $0.channelItems = [.sendQueue: 5, .receiveQueue: 6] }, 30...31),
            ("another key", { $0.channelItems[.memoryKey] = 0x99 }, 30...31),
        ]
        for (what, change, expected) in changes {
            let rig = Rig { change(&$0.faults) }
            let (error, seconds) = open(rig)
            #expect(
                [DeviceError.Code.badContents, .timedOut].contains { $0 == error?.code },
                "\(what): \(error as Any)"
            )
            #expect(expected.contains(seconds), "\(what): \(seconds) s")
            #expect(rig.isClean, "\(what)")
        }
    }

    @Test("What the card need not tell is not missed")
    func spareItems() {
        let rig = Rig {
            $0.faults.missingChannelItems = [
                .queueDepth, .longestRequest, .longestResponse, .protectionDomain, .destinationReceiveQueue,
                .destinationCompletionQueue,
            ]
        }
        #expect(open(rig).error == nil)
    }

    @Test("Answers whose contents cannot be: ids, handles, pages and sizes out of range")
    func contents() {
        func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) } }
        let ones = [UInt8](repeating: 0xFF, count: 8)
        let zeros = [UInt8](repeating: 0, count: 8)
        let lies: [(RequestKind, Int, [UInt8], String)] = [
            (.verifyVersion, 32, [2], "protocol 2"),
            (.listDevices, 40, [UInt8](repeating: 0, count: 64), "no devices"),
            (.queryMaxResources, 36, zeros, "no queues"),
            (.queryMaxResources, 68, word(0), "no vectors"),
            (.registerDevice, 40, word(0x7FFF_FFFF), "a doorbell page outside of the BAR"),
            (.queryDeviceConfiguration, 64, [0, 0], "no ports"),
            (.queryDeviceConfiguration, 72, [1, 0], "frames of one byte"),
            (.queryPort, 32, zeros, "no queues of a port"),
            (.configurePortTransmit, 32, [0xFF, 0xFF], "a port offset of 16 bits"),
            (.createRegion, 32, zeros, "region 0"),
            (.createQueue, 32, word(0x1_0000), "an event queue's id of 17 bits"),
            (.createWorkQueue, 40, ones, "no object"),
            (.createWorkQueue, 32, word(0x100_0000), "a work queue's id of 25 bits"),
            (.createWorkQueue, 36, word(0xFF_FFFF), "a completion queue above the limit"),
        ]
        for (kind, place, bytes, what) in lies {
            let rig = Rig(RequestFault(.contents(at: place, bytes), of: kind, occurrence: nil))
            let (error, seconds) = open(rig)
            #expect(
                [DeviceError.Code.badContents, .noResource].contains { $0 == error?.code },
                "\(what): \(error as Any)"
            )
            #expect(seconds < 1, "\(what)")
            #expect(rig.isClean, "\(what): \(rig.census.outstanding) \(rig.model.holdings)")
        }
    }

    @Test("Tables and counts that are too large are cut, not believed")
    func cutDown() throws {
        let many = [UInt8](repeating: 0xFF, count: 4)
        let rig = Rig {
            $0.faults.requests = [
                RequestFault(.contents(at: 64, [0xFF, 0xFF]), of: .queryDeviceConfiguration),
                RequestFault(.contents(at: 36, many + many + many + many), of: .queryMaxResources),
                RequestFault(.contents(at: 68, many), of: .queryMaxResources),
                RequestFault(.contents(at: 40, many), of: .queryPort),
            ]
        }
        let device = try rig.open()
        #expect(device.portCount == 256)
        #expect(device.queueCount == 8)
        #expect(device.vectorStory.taken == 9)
        _ = try device.openPort()
    }

    @Test("Events that nobody knows, or about queues that there are not, are counted")
    func unknownEvents() throws {
        let rig = Rig()
        var device = try rig.open()
        rig.model.announceService(.suspendRDMA)
        _ = try device.service()
        same(device.channelCounters.unknownEvents, 0)
        rig.model.announceReconfiguration()
        same(try device.service().needsReset, true)
    }

    @Test("A physical function: its own registers, hardware port and filter, all given back")
    func physicalFunction() throws {
        for id in [MANADeviceID.physicalFunction, .physicalFunction2] {
            let rig = Rig { $0.deviceID = id }
            do {
                let device = try rig.open()
                let port = try device.openPort()
                var stack = try rig.stack(port)
                try port.steer()
                #expect(rig.model.holdings.filters == 1 && rig.model.holdings.hardwarePorts == 1)
                same(stack.send(testFrame(1)), true)
                #expect(rig.send(testFrame(2)))
                rig.settle()
                #expect(rig.arrivals() == [testFrame(1)])
                same(stack.receive().map(\.bytes), [testFrame(2)])
            }
            #expect(rig.isClean, "\(id): \(rig.census.outstanding) \(rig.model.holdings)")
            let hosted = Rig {
                $0.deviceID = id
                $0.isHosted = true
            }
            let device = try hosted.open()
            let port = try device.openPort()
            #expect(hosted.model.holdings.hardwarePorts == 0)
            _ = consume port
        }
    }
}
