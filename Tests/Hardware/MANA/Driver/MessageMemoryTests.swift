// A card that gets no descriptors of its driver's memory: rings, events and frames pass as messages, one round trip after
// another, and all that is seen is the same.

import Backing
import Clock
import Leases
import MANADriver
import MANAModel
import MANAWire
import TestCards
import TestQueues
import Testing
import VFIOUser

@Suite("MANA: memory by message")
struct MessageMemoryTests {
    @Test("Bring-up, frames both ways with their interrupts, and the end")
    func wholeLife() throws {
        try CardPlace.$current.withValue(.behindSocketWithoutMemory) {
            let rig = Rig()
            do {
                let device = try rig.open()
                let port = try device.openPort()
                var stack = try rig.stack(port)
                try port.steer()
                rig.settle()
                stack.pair.arm()
                rig.settle()
                for number: UInt8 in 0..<150 {
                    let frame = testFrame(number, length: 60 + Int(number) * 9)
                    same(stack.send(frame), true)
                    #expect(rig.send(frame))
                    rig.settle()
                    same(isReadable(stack.pair.eventDescriptor), true, "\(number)")
                    #expect(rig.arrivals() == [frame], "\(number)")
                    same(stack.receive().map(\.bytes), [frame], "\(number)")
                    same(stack.reap(), 1)
                    stack.pair.arm()
                    rig.settle()
                }
                guard case .behindSocket(let backing, _) = rig.card else {
                    Issue.record("the card is not behind a socket")
                    return
                }
                #expect(backing.counters.served > 600, "requests, completions, frames: all of it was asked for")
                #expect(value("doorbell_overflows", try device.statistics()) == 0)
            }
            #expect(rig.isClean, "\(rig.census.outstanding) \(rig.model.holdings)")
            #expect(rig.hooks.resets == 0)
        }
    }
}
