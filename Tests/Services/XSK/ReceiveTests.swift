// Chunks out, frames in: where the data lies, what happens when the program is slow or lies, what is recycled.

import Testing
import XSK

@Suite struct ReceiveTests {
    @Test func dataLiesBehindBothHeadrooms() throws {
        #expect(try makeUMEM(headroom: 0).receiveOffset == 256)
        let umem = try makeUMEM(chunkSize: 4096, headroom: 64)
        #expect(umem.receiveOffset == 256 + 64)
        #expect(umem.receiveCapacity == 4096 - 256 - 64)
    }

    @Test func addressesAreCutDownToTheirChunk() throws {
        let socket = try makeSocket(makeUMEM(chunks: 4))
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        for address: UInt64 in [2048, 4095, 4096, 8191] { _ = program.lend(address) }
        #expect(pool.take() == [2048, 2048, 4096, 6144])
    }

    @Test func addressesOutsideTheUMEMAreCountedAndSkipped() throws {
        let socket = try makeSocket(makeUMEM(chunks: 4))
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        for address: UInt64 in [8192, .max, 2048, 1 << 63] { _ = program.lend(address) }
        #expect(pool.take() == [2048])
        #expect(socket.statistics.receiveInvalidDescriptors == 3)
        #expect(pool.outstandingReceiveChunks == 1)
    }

    @Test func aFullReceiveRingDropsAndRecycles() throws {
        let socket = try makeSocket(makeUMEM(), size: 2)
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        var chunks: [UInt64] = []
        for chunk: UInt64 in 1...3 {
            _ = program.lend(chunk * 2048)
            chunks += pool.take()
        }
        var delivered: [Bool] = []
        for chunk in chunks { delivered.append(pool.deliver(address: chunk + 272, length: 60)) }
        pool.publishReceived()
        #expect(delivered == [true, true, false])
        #expect(socket.statistics.receiveRingFull == 1)
        #expect(pool.outstandingReceiveChunks == 0)
        // The dropped frame's chunk is handed out before those of the fill ring.
        _ = program.lend(4 * 2048)
        #expect(pool.take() == [3 * 2048, 4 * 2048])
        #expect(program.receiveAll().map(\.address) == [2048 + 272, 4096 + 272])
    }

    @Test func recycledChunksSurviveTheDriver() throws {
        let socket = try makeSocket(makeUMEM())
        var program = try socket.takeProgram()
        _ = program.lend(2048)
        _ = program.lend(4096)
        do {
            var pool = try socket.takePool()
            for chunk in pool.take() { pool.recycle(chunk + 100) }
        }
        var pool = try socket.takePool()
        #expect(pool.take().sorted() == [2048, 4096])
        #expect(socket.diagnostics.lostReceiveChunks == 0)
    }

    @Test func aDriversOwnDropIsCounted() throws {
        let socket = try makeSocket(makeUMEM())
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        _ = program.lend(2048)
        for chunk in pool.take() { pool.drop(chunk) }
        #expect(socket.statistics.receiveDropped == 1)
        #expect(pool.take() == [2048])
    }

    /// A program that lends one chunk again and again fills neither the pile nor memory behind it.
    @Test func oneChunkLentManyTimesDoesNotOverflowThePile() throws {
        let umem = try makeUMEM(chunks: 2)
        let socket = try makeSocket(umem)
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        for _ in 0..<10 { _ = program.lend(2048) }
        let chunks = pool.take()
        #expect(chunks.count == 8)
        for chunk in chunks { pool.recycle(chunk) }
        #expect(pool.take() == [2048, 2048])
        #expect(pool.take().isEmpty)
    }

    @Test func emptyRingsAreCounted() throws {
        let socket = try makeSocket(makeUMEM())
        var pool = try socket.takePool()
        #expect(pool.peek().isEmpty)
        #expect(pool.take().isEmpty)
        #expect(pool.take().isEmpty)
        #expect(socket.statistics.transmitRingEmpty == 1)
        #expect(socket.statistics.fillRingEmpty == 2)
    }

    @Test func optionsReachTheProgram() throws {
        let socket = try makeSocket(makeUMEM())
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        _ = program.lend(2048)
        for chunk in pool.take() { _ = pool.deliver(address: chunk, length: 60, options: .continued) }
        pool.publishReceived()
        #expect(program.receiveAll() == [XSKDescriptor(address: 2048, length: 60, options: .continued)])
    }
}
