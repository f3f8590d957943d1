// The end of a queue: the device has let go of ring and buffers before their memory goes.

import Backing
import I225Driver
import I225Model
import I225Wire
import Memory
import Registers
import TestCards
import TestQueues
import Testing
import XSK

@Suite("Quiesce before memory goes", .overEveryBacking)
struct QuiesceTests {
    @Test("A queue is switched off and seen to be off before its ring is unmapped", arguments: [true, false])
    func order(isTransmit: Bool) throws {
        let rig = Rig()
        let recording = Recording(rig.backing, map: I225RegisterMap.map)
        let device = try rig.open(on: recording)
        if isTransmit {
            let queue = try device.openTransmitQueue(1)
            recording.trace.clear()
            _ = consume queue
        } else {
            let queue = try device.openReceiveQueue(1)
            recording.trace.clear()
            _ = consume queue
        }
        let name = isTransmit ? "TXDCTL[1]" : "RXDCTL[1]"
        let enabled = QueueControl.with { $0[.enabled] = true }.raw
        let entries = recording.trace.entries
        let off = entries.firstIndex { if case .store(name, let value) = $0 { value & enabled == 0 } else { false } }
        let seen = entries.lastIndex { if case .load(name, let value) = $0 { value & enabled == 0 } else { false } }
        let unmapped = entries.firstIndex(of: .unmapDMA(16384))
        try #expect(#require(off) < #require(seen))
        try #expect(#require(seen) < #require(unmapped))
    }

    @Test("A queue that will not stop takes the card with it: reset first, memory later", arguments: [true, false])
    func stuck(isTransmit: Bool) throws {
        let rig = Rig()
        let hooks = RegisterHooks()
        let device = try rig.open(on: HookedBacking(rig.backing, hooks))
        let control = isTransmit ? I225Register.transmitQueueControl[0] : I225Register.receiveQueueControl[0]
        var mappingsAtReset: [Int] = []
        func end() throws {
            var program = try Program(census: rig.census)
            var queue = try device.openXSKQueue(0, try program.socket.takePool())
            program.send(testFrame(1), chunk: 0, stamped: true)
            _ = queue.poll()
            hooks.answer = { offset, value in
                offset == control.offset ? value | QueueControl.with { $0[.enabled] = true }.raw : value
            }
            hooks.beforeStore = { offset in
                if offset == I225Register.deviceControl.offset {
                    mappingsAtReset.append(rig.model.host.memory.mappingCount)
                }
            }
            _ = consume queue
            #expect(program.completions() == [0])
            #expect(program.outcome(0) == .tornDown)
        }
        try end()
        // Both rings and the umem are still there when the card is stopped.
        #expect(mappingsAtReset.contains(3))
        #expect(rig.model.host.memory.mappingCount == 0)
        let bar = try rig.backing.mapBAR(0)
        #expect(bar.read(I225Register.transmitControl)[.enabled] == false)
        #expect(bar.read(I225Register.receiveControl)[.enabled] == false)
        rig.settle()
        #expect(rig.arrivals().isEmpty)
        #expect(rig.model.counters.dmaFaults == 0)
    }
}
