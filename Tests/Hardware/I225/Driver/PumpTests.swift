// Frames of a network stack through pump, driver and card, both ways: byte for byte, and nothing lost uncounted.

import Backing
import Ethernet
import I225Driver
import I225Model
import Leases
import Memory
import Netdev
import Simulation
import Testing

/// Every size up to a plain frame's, then the edges of buffers of 2 KB and of the longest frame.
private let sizes =
    Array(14...1530) + stride(from: 1600, to: 9728, by: 97)
    + [2047, 2048, 2049, 4095, 4096, 4097, 6144, 8191, 8192, 8193, 9727, 9728]

/// What the card makes of a short frame.
private func padded(_ frame: [UInt8]) -> [UInt8] {
    frame + [UInt8](repeating: 0, count: max(0, 60 - frame.count))
}

@Suite("Pump between a wire and the card", .overEveryBacking)
struct PumpTests {
    @Test("Frames of 14 to 9728 bytes go out as they are, short ones padded")
    func sends() throws {
        let rig = try PumpRig(bufferBytes: 9728)
        for size in sizes {
            let frame = testFrame(UInt8(truncatingIfNeeded: size), length: size)
            #expect(rig.send(frame))
            rig.run()
            #expect(rig.rig.arrivals() == [padded(frame)], "\(size) bytes")
        }
        #expect(rig.pump.counters.transmitted == UInt64(sizes.count))
    }

    @Test("Frames of 14 to 9728 bytes come in as they are, over as many buffers of 2 KB as they need")
    func receives() throws {
        let rig = try PumpRig()
        for size in sizes {
            let frame = testFrame(UInt8(truncatingIfNeeded: size), length: size)
            #expect(rig.rig.send(frame))
            rig.run()
            #expect(rig.arrivals() == [frame], "\(size) bytes")
        }
        #expect(rig.pump.counters.received == UInt64(sizes.count))
        #expect(rig.pump.counters.receiveErrors == 0)
    }

    @Test("Both ways at once, in bursts of any length, in order")
    func bothWays() throws {
        let rig = try PumpRig(bufferBytes: 4096)
        var random = SeededRandom(seed: 225)
        for round in 0..<60 {
            var (down, up): ([[UInt8]], [[UInt8]]) = ([], [])
            for number in 0..<Int.random(in: 0...50, using: &random) {
                let frame = testFrame(UInt8(number), length: Int.random(in: 60...4096, using: &random))
                if rig.send(frame) { down.append(frame) }
            }
            for number in 0..<Int.random(in: 0...20, using: &random) {
                let frame = testFrame(UInt8(number), length: Int.random(in: 14...9728, using: &random))
                if rig.rig.send(frame) { up.append(frame) }
            }
            rig.run()
            #expect(rig.rig.arrivals() == down, "round \(round)")
            #expect(rig.arrivals() == up, "round \(round)")
        }
    }

    @Test("A host that takes nothing loses frames, each is counted, and the pump goes on")
    func fullHostWire() throws {
        let rig = try PumpRig(hostWireBytes: 64 * 1024)
        for round in 0..<3 {
            let sent = (0..<120).map { testFrame(UInt8($0 + round), length: 1000 + $0) }
            let before = rig.pump.counters
            for frame in sent {
                #expect(rig.rig.send(frame))
                rig.run()
            }
            let received = rig.pump.counters.received - before.received
            let dropped = rig.pump.counters.receiveDropped - before.receiveDropped
            #expect(dropped > 0)
            #expect(received + dropped == 120)
            #expect(rig.arrivals() == Array(sent.prefix(Int(received))))
        }
    }

    @Test("A card whose wire is full holds the stack's frames, and none is lost")
    func fullCardWire() throws {
        let rig = try PumpRig()
        let frames = (0..<400).map { testFrame(UInt8(truncatingIfNeeded: $0), length: 1514) }
        var (next, arrived): (Int, [[UInt8]]) = (0, [])
        while next < 150, rig.send(frames[next]) { next += 1 }
        rig.run()
        while next < 300, rig.send(frames[next]) { next += 1 }
        rig.run()
        // The card's wire has room for some 170 of them.
        #expect(rig.pump.counters.transmitted < UInt64(next))
        while arrived.count < 400 {
            let fresh = rig.rig.arrivals()
            arrived += fresh
            while next < 400, rig.send(frames[next]) { next += 1 }
            rig.run()
            guard !fresh.isEmpty else { break }
        }
        #expect(arrived == frames)
    }

    @Test("A frame longer than a buffer is counted, and the next one goes out")
    func tooLong() throws {
        let rig = try PumpRig(bufferBytes: 2048)
        #expect(rig.send(testFrame(1, length: 2049)))
        #expect(rig.send(testFrame(2, length: 2048)))
        rig.run()
        #expect(rig.rig.arrivals() == [testFrame(2, length: 2048)])
        #expect(rig.pump.counters.transmitTooLong == 1)
    }

    @Test("A frame too short for Ethernet is the card's to refuse, and the next one goes out")
    func tooShort() throws {
        let rig = try PumpRig()
        for length in 1...13 { #expect(rig.send([UInt8](repeating: 1, count: length))) }
        #expect(rig.send(testFrame(1)))
        rig.run()
        #expect(rig.rig.arrivals() == [testFrame(1)])
        #expect(rig.rig.model.counters.malformedTransmits == 13)
    }

    @Test("A frame of no bytes is counted, and the next one goes out")
    func empty() throws {
        let rig = try PumpRig()
        #expect(rig.send([]))
        #expect(rig.send(testFrame(1)))
        rig.run()
        #expect(rig.rig.arrivals() == [testFrame(1)])
        #expect(rig.pump.counters.transmitEmpty == 1)
    }

    @Test("The end of the pump gives everything back")
    func end() throws {
        func useAndEnd() throws -> Rig {
            let rig = try PumpRig()
            for number in 0..<20 {
                #expect(rig.send(testFrame(UInt8(number))))
                #expect(rig.rig.send(testFrame(UInt8(number))))
            }
            _ = rig.pump.poll()
            #expect(!rig.rig.census.outstanding.isEmpty)
            return rig.rig
        }
        let rig = try useAndEnd()
        #expect(rig.census.outstanding.isEmpty)
        #expect(rig.model.host.memory.mappingCount == 0)
        rig.settle()
        #expect(rig.model.counters.dmaFaults == 0)
    }
}
