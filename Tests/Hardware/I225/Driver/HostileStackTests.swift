// A device whose writes lie to a network stack: a counted error for each lie, and on.

import I225Driver
import I225Wire
import Netdev
import Simulation
import Testing

@Suite("A device that lies to a network stack", .overEveryBacking)
struct HostileDeviceToStackTests {
    @Test(
        "A lie about a frame is a counted error, and the next frame comes",
        arguments: liesAboutFrames.filter { $0.length != 3841 && $0.length != 16 }
            + [Lie(name: "a byte more than the buffer has", length: 2049, status: .whole)]
    )
    func lie(_ lie: Lie) throws {
        let rig = try PumpRig()
        let card = try LyingDevice(rig.rig)
        for index in 0..<20 { card.writeBack(index, length: lie.length, lie.status) }
        card.deliver(testFrame(7), 20)
        while rig.pump.poll() {}
        #expect(rig.arrivals() == [testFrame(7)])
        #expect(rig.pump.counters.receiveErrors == 20)
        #expect(rig.pump.counters.received == 1)
    }

    @Test("A frame without an end costs one error when its end comes, and the next frame comes")
    func noEnd() throws {
        let rig = try PumpRig()
        let card = try LyingDevice(rig.rig)
        for step in 0..<1000 {
            card.writeBack(step % 64, length: 2048, .whole.with(.endOfPacket, false))
            _ = rig.pump.poll()
        }
        #expect(rig.arrivals().isEmpty)
        card.writeBack(1000 % 64, length: 60, .whole)
        card.deliver(testFrame(7), 1001 % 64)
        while rig.pump.poll() {}
        #expect(rig.arrivals() == [testFrame(7)])
        #expect(rig.pump.counters.receiveErrors == 1)
    }

    @Test("Whatever stands in the rings, buffers come back and frames go on")
    func noise() throws {
        var random = SeededRandom(seed: 65)
        let rig = try PumpRig()
        let card = try LyingDevice(rig.rig)
        for round in 0..<3000 {
            card.setReceive(round % 64, low: random.next(), high: random.next())
            if Bool.random(using: &random) { card.finish(Int.random(in: 0..<64, using: &random)) }
            if round % 16 == 0 { _ = rig.send(testFrame(UInt8(truncatingIfNeeded: round))) }
            _ = rig.pump.poll()
            #expect(rig.arrivals().allSatisfy { $0.count <= 9728 })
        }
        // Every slot still has a buffer that the card may write to.
        let before = rig.pump.counters.received
        for index in 0..<64 { card.writeBack((3000 + index) % 64, length: 60, .whole) }
        while rig.pump.poll() {}
        #expect(rig.pump.counters.received >= before + 60)
    }
}
