// A card that gets no descriptors of its driver's memory: rings, frames and write-backs pass as messages, one round trip
// after another, and all that is seen is the same.

import Backing
import Clock
import I225Driver
import I225Model
import Interrupts
import Leases
import Memory
import Netdev
import TestCards
import TestFrames
import TestQueues
import Testing
import VFIOUser
import XSK

@Suite("Memory by message")
struct MessageMemoryTests {
    /// What is behind the socket has no way to the memory but to ask.
    private func onMessages(_ body: (Rig) throws -> Void) throws {
        try CardPlace.$current.withValue(.behindSocketWithoutMemory) {
            let rig = Rig()
            try body(rig)
            #expect(rig.census.outstanding.isEmpty)
            #expect(rig.model.host.memory.mappingCount == 0)
        }
    }

    private func served(_ rig: Rig) -> UInt64 {
        guard case .behindSocket(let backing, _) = rig.backing else { return 0 }
        return backing.counters.served
    }

    @Test("Frames of a stack go and come, byte for byte, with their interrupts")
    func stack() throws {
        try onMessages { rig in
            var configuration = I225Configuration()
            configuration.isPromiscuous = true
            var device = try rig.open(configuration)
            var vectors = try device.enableInterrupts(queueCount: 1)
            var stack = try rig.stack(device)
            rig.advance(nanoseconds: 100_000)
            let frames = (0..<40).map { testFrame(UInt8($0), length: 60 + $0 * 30) }
            for part in stride(from: 0, to: 40, by: 8) {
                for frame in frames[part..<part + 8] { #expect(stack.send(frame) == true) }
                rig.advance(nanoseconds: 100_000)
                _ = stack.reap()
            }
            #expect(rig.arrivals() == frames)
            let hasFired = vectors[0]?.consume()
            #expect(hasFired == true)
            var received: [[UInt8]] = []
            for part in stride(from: 0, to: 40, by: 8) {
                for frame in frames[part..<part + 8] { #expect(rig.send(frame)) }
                rig.advance(nanoseconds: 100_000)
                received += stack.receive().map { $0.bytes }
                stack.provide(8)
            }
            #expect(received == frames)
            #expect(served(rig) > 100, "frames both ways, and the descriptors for them")
            _ = consume stack
            _ = consume vectors
        }
    }

    @Test("A program gets its frames and their stamps")
    func program() throws {
        try onMessages { rig in
            var program = try Program(census: rig.census)
            do {
                let device = try rig.open()
                var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
                var truth: [UInt64] = []
                for chunk in 0..<8 {
                    program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: chunk % 2 == 0)
                    _ = queue.poll()
                    rig.advance(nanoseconds: 100_000)
                    _ = queue.poll()
                    truth += rig.timedArrivals().map { $0.deviceTime }
                }
                #expect(program.completions() == Array(0..<8))
                for chunk in 0..<8 {
                    #expect(program.outcome(chunk) == (chunk % 2 == 0 ? .stamped(nanoseconds: truth[chunk]) : nil))
                }
            }
        }
    }
}
