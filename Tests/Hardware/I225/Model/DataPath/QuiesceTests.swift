// When the write that stops a queue has returned, the device touches its memory no more (section 3.4 of the I225
// contract): a driver frees the buffers at once.

import Backing
import I225Model
import I225Wire
import PCIe
import Registers
import Testing

@Suite("Quiesce")
struct QuiesceTests {
    enum Stop: CaseIterable {
        case queueDisable, deviceReset, masterDisable, busMasterOff, functionReset, unplug
    }

    private func stop(_ stop: Stop, _ rig: Rig) throws {
        switch stop {
        case .queueDisable:
            rig.modify(I225Register.transmitQueueControl[0]) { $0[.enabled] = false }
            rig.modify(I225Register.receiveQueueControl[0]) { $0[.enabled] = false }
        case .deviceReset: rig.modify(I225Register.deviceControl) { $0[.deviceReset] = true }
        case .masterDisable: rig.modify(I225Register.deviceControl) { $0[.masterDisable] = true }
        case .busMasterOff: try rig.device.writeConfig(ConfigSpace.Offset.command, .word, 0x2)
        case .functionReset: try rig.device.reset()
        case .unplug: rig.device.unplug()
        }
    }

    @Test("No memory is touched after the device was stopped", arguments: Stop.allCases)
    func nothingMoves(_ how: Stop) throws {
        let rig = try Rig()
        rig.enableTraffic()
        let transmitter = try TransmitBench(rig)
        let receiver = try ReceiveBench(rig)
        let slot = transmitter.put(testFrame(64))
        rig.write(I225Register.transmitTail[0], 1)
        rig.arrive(testFrame(64))
        let before = receiver.ring.bytes(at: 0, count: 256)
        try stop(how, rig)
        rig.poll()
        rig.linkUp()
        #expect(!transmitter.isDone(slot))
        #expect(rig.sent().isEmpty)
        #expect(receiver.ring.bytes(at: 0, count: 256) == before)
        #expect(receiver.data.bytes(at: 0, count: 64) == [UInt8](repeating: 0, count: 64))
        #expect(rig.model.counters.dmaFaults == 0)
    }

    @Test func memoryThatWasTakenBackIsNotTouched() throws {
        let rig = try Rig()
        rig.enableTraffic()
        do {
            let receiver = try ReceiveBench(rig)
            rig.arriveAndPoll(testFrame(64))
            #expect(receiver.head == 1)
        }
        // Ring and buffers are unmapped now; the queue was never stopped.
        rig.arriveAndPoll(testFrame(64))
        #expect(rig.read(I225Register.receiveHead[0]) == 1)
        #expect(rig.model.counters.unreachableRings == 1)
        #expect(rig.model.counters.dmaFaults == 1)
    }

    @Test func aStoppedQueueStartsAgainWhereItIsProgrammed() throws {
        let rig = try Rig()
        rig.enableTraffic()
        for _ in 0..<3 {
            let transmitter = try TransmitBench(rig)
            transmitter.put(testFrame(64))
            transmitter.ring()
            #expect(rig.sent().count == 1)
            #expect(transmitter.head == 1)
            rig.write(I225Register.transmitQueueControl[0], QueueControl(raw: 0))
        }
    }
}
