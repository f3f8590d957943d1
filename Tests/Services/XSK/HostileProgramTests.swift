// A program that writes anything anywhere in its rings and its umem, at any time, from a seed: the driver's end takes
// nothing from it that lies outside the umem, and can always give back what it took.

import Memory
import Simulation
import Testing
import XSK

@Suite struct HostileProgramTests {
    @Test(arguments: 1...UInt64(8))
    func nothingItWritesLeadsOutsideTheUMEM(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let umem = try makeUMEM(chunks: 4, metadata: 32)
        let socket = try makeSocket(umem, size: 8, firstIndex: .random(in: .min ... .max, using: &random))
        var pool = try socket.takePool()
        let transmit = try ForeignRing(.transmit, of: socket)
        let completion = try ForeignRing(.completion, of: socket)
        let fill = try ForeignRing(.fill, of: socket)
        let receive = try ForeignRing(.receive, of: socket)
        var withDriver: [UInt64] = []

        for _ in 0..<5000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0: transmit.producer = lie(about: transmit.consumer, &random)
            case 1: fill.producer = lie(about: fill.consumer, &random)
            case 2: completion.consumer = lie(about: completion.producer &- 4, &random)
            case 3: receive.consumer = lie(about: receive.producer &- 4, &random)
            case 4:
                let descriptor = XSKDescriptor(
                    address: edge(of: umem.byteCount, &random),
                    length: UInt32(truncatingIfNeeded: edge(of: 2048, &random)),
                    options: XSKDescriptorOptions(rawValue: .random(in: 0...3, using: &random))
                )
                transmit.write(descriptor, at: Int.random(in: 0..<8, using: &random))
            case 5:
                let flags = (0..<8).map { _ in UInt8.random(in: 0...9, using: &random) }
                // SAFETY: see UMEMTests.
                _ = unsafe umem.write(flags.span.bytes, at: edge(of: umem.byteCount, &random))
            case 6:
                for frame in pool.peek() {
                    let start = frame.address - 32
                    #expect(start < umem.byteCount && start % 2048 + 32 + UInt64(frame.length) <= 2048)
                    #expect(frame.length > 0)
                    withDriver.append(frame.address)
                }
                #expect(withDriver.count <= 8)
                #expect(pool.outstandingTransmitFrames == withDriver.count)
            case 7:
                for address in withDriver {
                    pool.writeStamp(.timedOut, for: address)
                    pool.complete(address)
                }
                withDriver = []
                pool.publishCompletions()
            default:
                for chunk in pool.take() {
                    #expect(chunk < umem.byteCount && chunk % 2048 == 0)
                    _ = pool.deliver(address: chunk + 256, length: 60)
                }
                pool.publishReceived()
                #expect(pool.outstandingReceiveChunks == 0)
            }
        }
        #expect(socket.diagnostics.programIndexErrors > 0)
        #expect(socket.statistics.transmitInvalidDescriptors > 0)
    }

    /// An index word near the truth half the time, anything else otherwise.
    private func lie(about index: UInt32, _ random: inout SeededRandom) -> UInt32 {
        let near = index &+ UInt32.random(in: 0...9, using: &random)
        return Bool.random(using: &random) ? near : .random(in: .min ... .max, using: &random)
    }

    /// A number around 0, around `limit`, in between, or anywhere.
    private func edge(of limit: UInt64, _ random: inout SeededRandom) -> UInt64 {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return UInt64.random(in: 0...64, using: &random) &- 32
        case 1: return limit &+ UInt64.random(in: 0...64, using: &random) &- 32
        case 2: return .random(in: .min ... .max, using: &random)
        default: return .random(in: 0..<limit, using: &random)
        }
    }
}
