// The four rings, exhaustively for small sizes: every size, every start around the 32-bit wrap, every batch on either
// side, against a queue that cannot be wrong.

import Rings
import Testing
import XSK

@Suite struct RingTests {
    static let sizes: [UInt32] = [1, 2, 4, 8]
    /// Before, at and after the place where indices wrap.
    static let starts: [UInt32] = [0, 1, 7, .max - 9, .max - 1, .max]

    @Test(arguments: sizes, starts)
    func transmitAndCompletionKeepOrderAndRoom(size: UInt32, start: UInt32) throws {
        let umem = try makeUMEM(chunks: 16)
        for submitted in 1...Int(size) {
            for taken in 1...Int(size) {
                let socket = try makeSocket(umem, size: size, firstIndex: start)
                var program = try socket.takeProgram()
                var pool = try socket.takePool()
                var queued: [UInt64] = []
                var withDriver: [UInt64] = []
                var next: UInt64 = 0
                for _ in 0..<20 {
                    for _ in 0..<submitted {
                        let address = next % 16 * 2048
                        let fits = program.put(XSKDescriptor(address: address, length: UInt32(next % 1500) + 1))
                        #expect(fits == (queued.count < Int(size)))
                        guard fits else { break }
                        queued.append(address)
                        next += 1
                    }
                    program.submit()
                    let frames = pool.peek(taken)
                    #expect(frames.map(\.address) == Array(queued.prefix(min(taken, Int(size) - withDriver.count))))
                    queued.removeFirst(frames.count)
                    withDriver += frames.map(\.address)
                    #expect(pool.outstandingTransmitFrames == withDriver.count)
                    // Completing in the other order than they came is allowed.
                    for address in withDriver.reversed() { pool.complete(address) }
                    pool.publishCompletions()
                    let reaped = program.reapAll()
                    #expect(reaped == withDriver.reversed())
                    withDriver = []
                }
            }
        }
    }

    @Test(arguments: sizes, starts)
    func fillAndReceiveKeepOrderAndRoom(size: UInt32, start: UInt32) throws {
        let umem = try makeUMEM(chunks: 16)
        for provided in 1...Int(size) {
            for received in 1...Int(size) {
                let socket = try makeSocket(umem, size: size, firstIndex: start)
                var program = try socket.takeProgram()
                var pool = try socket.takePool()
                var filled: [UInt64] = []
                var next: UInt64 = 0
                for round in 0..<20 {
                    for _ in 0..<provided {
                        let chunk = next % 16 * 2048
                        let fits = program.provideFill(chunk)
                        #expect(fits == (filled.count < Int(size)))
                        guard fits else { break }
                        filled.append(chunk)
                        next += 1
                    }
                    program.submitFill()
                    let chunks = pool.take(received)
                    #expect(chunks == Array(filled.prefix(received)))
                    filled.removeFirst(chunks.count)
                    for chunk in chunks {
                        let delivered = pool.deliver(address: chunk + 256, length: UInt32(round) + 60)
                        #expect(delivered)
                    }
                    pool.publishReceived()
                    let frames = program.receiveAll()
                    #expect(frames == chunks.map { XSKDescriptor(address: $0 + 256, length: UInt32(round) + 60) })
                }
                #expect(pool.outstandingReceiveChunks == 0)
            }
        }
    }

    @Test func nothingIsSeenBeforeItIsPublished() throws {
        let socket = try makeSocket(makeUMEM())
        var program = try socket.takeProgram()
        var pool = try socket.takePool()

        let put = program.put(XSKDescriptor(address: 0, length: 64))
        #expect(put)
        #expect(pool.peek().isEmpty)
        program.submit()
        #expect(pool.peek().count == 1)

        pool.complete(0)
        #expect(program.reapAll().isEmpty)
        pool.publishCompletions()
        #expect(program.reapAll() == [0])

        let provided = program.provideFill(2048)
        #expect(provided)
        #expect(pool.take().isEmpty)
        program.submitFill()
        #expect(pool.take() == [2048])

        let delivered = pool.deliver(address: 2304, length: 60)
        #expect(delivered)
        #expect(program.receiveAll().isEmpty)
        pool.publishReceived()
        #expect(program.receiveAll() == [XSKDescriptor(address: 2304, length: 60)])
    }

    @Test func aBurstIsAtMost32() throws {
        let socket = try makeSocket(makeUMEM(chunks: 64), size: 64)
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        for chunk in 0..<64 {
            _ = program.send(UInt64(chunk) * 2048)
            _ = program.lend(UInt64(chunk) * 2048)
        }
        #expect(pool.peek(1000).count == 32)
        #expect(pool.take(1000).count == 32)
        #expect(pool.peek(0).isEmpty)
        #expect(pool.take(-1).isEmpty)
        let room = program.transmitRoom(1000)
        #expect(room == 32)
    }
}
