// Program and driver on two threads, as they are in life: every frame arrives with its bytes, every address comes back,
// every stamp is the frame's own.

import Memory
import Testing
import XSK

@Suite struct TwoThreadTests {
    @Test func everyFrameArrivesAndComesBack() async throws {
        let total = 20_000
        let umem = try makeUMEM(chunks: 32, metadata: 32)
        let socket = try makeSocket(umem, size: 16)
        // A group, so that the end that fails stops the other.
        try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask { try await send(total, through: socket) }
            group.addTask { try await drive(total, through: socket) }
            for try await count in group { #expect(count == total) }
        }
        #expect(socket.diagnostics.programIndexErrors == 0)
        #expect(socket.diagnostics.driverIndexErrors == 0)
        #expect(socket.diagnostics.lostTransmitFrames == 0)
    }

    /// Sends frames that hold their own number, each chunk again as soon as it is back; how many stamps were right.
    private func send(_ total: Int, through socket: XSKSocket) async throws -> Int {
        var program = try socket.takeProgram()
        let umem = program.umem
        var free = (0..<32).map { UInt64($0) * 2048 + 32 }
        var numbers: [UInt64: UInt64] = [:]
        var next = 0
        var right = 0
        while right < total {
            while next < total, let address = free.popLast() {
                let data = (0..<8).map { UInt8(truncatingIfNeeded: next >> ($0 * 8)) }
                // SAFETY: see UMEMTests.
                _ = unsafe umem.write(data.span.bytes, at: address)
                _ = program.requestStamp(at: address)
                guard program.put(XSKDescriptor(address: address, length: 60, options: .transmitMetadata)) else {
                    free.append(address)
                    break
                }
                numbers[address] = UInt64(next)
                next += 1
            }
            program.submit()
            let done = program.reapAll()
            for address in done {
                let returned = numbers.removeValue(forKey: address)
                let number = try #require(returned, "\(address) came back twice")
                try #require(program.stamp(of: address) == .stamped(nanoseconds: number))
                free.append(address)
                right += 1
            }
            try Task.checkCancellation()
            if done.isEmpty { await Task.yield() }
        }
        return right
    }

    /// Takes frames, checks that they come in order, stamps each with its number; how many there were.
    private func drive(_ total: Int, through socket: XSKSocket) async throws -> Int {
        var pool = try socket.takePool()
        var seen = 0
        while seen < total {
            let frames = pool.peek()
            for frame in frames {
                let data = try #require(pool.umem.read(at: frame.address, length: 8))
                let number = data.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                try #require(number == UInt64(seen))
                pool.writeStamp(.stamped(nanoseconds: number), for: frame.address)
                pool.complete(frame.address)
                seen += 1
            }
            pool.publishCompletions()
            try Task.checkCancellation()
            if frames.isEmpty { await Task.yield() }
        }
        return seen
    }
}
