// A queue's owner sleeps on its vector, again and again: each time something comes, it wakes.

import Backing
import Interrupts
import MANADriver
import MANAModel
import TestQueues
import Testing

@Suite("MANA: sleeping on a queue's vector", .overEveryBacking)
struct WakeUpTests {
    @Test("Every frame that comes to an armed queue fires its vector once, over many laps of the event ring")
    func everyFrameWakes() throws {
        let rig = Rig()
        let device = try rig.open()
        let port = try device.openPort()
        var stack = try rig.stack(port)
        stack.provide(64)
        try port.steer()
        rig.settle()
        // The test of the event queue, and whatever else was told before.
        stack.pair.arm()
        var fired = device.vectorStatuses[1].firedCount
        for round in 0..<3_000 {
            let isTransmit = round % 3 == 0
            if isTransmit {
                same(stack.send(testFrame(UInt8(truncatingIfNeeded: round))), true)
            } else {
                same(rig.send(testFrame(UInt8(truncatingIfNeeded: round))), true)
            }
            rig.settle()
            _ = rig.arrivals()
            guard isReadable(stack.pair.eventDescriptor) else {
                Issue.record("round \(round): nobody woke")
                return
            }
            if isTransmit { same(stack.reap(), 1) } else { same(stack.receive().count, 1) }
            stack.pair.arm()
            // A card behind a socket is known to have fired when that was consumed.
            let now = device.vectorStatuses[1].firedCount
            guard now == fired + 1 else {
                Issue.record("round \(round): \(now &- fired) messages")
                return
            }
            fired = now
        }
        rig.settle()
        same(isReadable(stack.pair.eventDescriptor), false, "what was reaped is no news")
        #expect(device.vectorStatuses[1].firedCount == fired, "what was reaped is no news")
    }
}
