// A completion's place is reserved when the driver takes the frame, so that every frame taken can be given back, however
// slow the program is, and whatever order the driver likes.

import Rings
import Testing
import XSK

@Suite struct ReservationTests {
    @Test func framesAreTakenOnlyWhileTheirCompletionsHaveRoom() throws {
        let rings = XSKRingSizes(receive: 4, transmit: 16, fill: 4, completion: 4)
        let socket = try XSKSocket(umem: makeUMEM(), rings: rings)
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        for chunk in 0..<16 { _ = program.send(UInt64(chunk) * 2048) }

        #expect(pool.peek(3).count == 3)
        #expect(pool.peek().count == 1)
        #expect(pool.peek().isEmpty)
        #expect(pool.outstandingTransmitFrames == 4)

        // Completing makes no room: the entries wait for the program.
        for chunk in 0..<4 { pool.finish(UInt64(chunk) * 2048) }
        #expect(pool.peek().isEmpty)
        #expect(pool.outstandingTransmitFrames == 0)

        var burst = InlineArray<32, UInt64>(repeating: 0)
        let reaped = program.reapCompletions(&burst, limit: 3)
        #expect(reaped == 3)
        #expect(pool.peek().map { $0.address / 2048 } == [4, 5, 6])
        #expect(pool.peek().isEmpty)
    }

    /// A frame that waits for its stamp does not hold back the others.
    @Test func aHeldFrameLetsOthersPass() throws {
        let socket = try makeSocket(makeUMEM(), size: 4)
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        _ = program.send(0)
        #expect(pool.peek().map(\.address) == [0])
        var next: UInt64 = 0
        for _ in 0..<100 {
            next = next % 15 + 1
            let sent = program.send(next * 2048)
            #expect(sent)
            #expect(pool.peek().map(\.address) == [next * 2048])
            pool.finish(next * 2048)
            #expect(program.reapAll() == [next * 2048])
        }
        #expect(pool.outstandingTransmitFrames == 1)
        pool.finish(0)
        #expect(program.reapAll() == [0])
        #expect(pool.outstandingTransmitFrames == 0)
    }

    /// Every split of 12 frames over held ones, submissions and completions: a completion always finds its place, and
    /// every address comes back exactly once.
    @Test(arguments: 0...4, 1...4)
    func everyAddressComesBackOnce(held: Int, batch: Int) throws {
        let socket = try makeSocket(makeUMEM(), size: 4, firstIndex: .max - 5)
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        var sent: [UInt64] = []
        var back: [UInt64] = []
        var withDriver: [UInt64] = []
        while back.count < 12 {
            for _ in 0..<batch where sent.count < 12 {
                let address = UInt64(sent.count) * 2048
                guard program.send(address) else { break }
                sent.append(address)
            }
            withDriver += pool.peek().map(\.address)
            #expect(pool.outstandingTransmitFrames == withDriver.count)
            #expect(withDriver.count <= 4)
            // Keep `held` of them, unless nothing would move any more.
            let keep = withDriver.count > held ? held : 0
            while withDriver.count > keep { pool.complete(withDriver.removeLast()) }
            pool.publishCompletions()
            back += program.reapAll()
        }
        #expect(back.sorted() == sent)
        #expect(pool.outstandingTransmitFrames == 0)
    }

    @Test func completingMoreThanWasTakenIsADriversBug() async {
        await #expect(processExitsWith: .failure) {
            var pool = try makeSocket(makeUMEM()).takePool()
            pool.complete(0)
        }
    }

    @Test func whatATornDownDriverLostIsCounted() throws {
        let socket = try makeSocket(makeUMEM())
        var program = try socket.takeProgram()
        for chunk in 0..<4 {
            _ = program.send(UInt64(chunk) * 2048)
            _ = program.lend(UInt64(chunk + 8) * 2048)
        }
        do {
            var pool = try socket.takePool()
            #expect(pool.peek().count == 4)
            #expect(pool.take().count == 4)
            pool.complete(0)
            pool.recycle(8 * 2048)
        }
        #expect(socket.diagnostics.lostTransmitFrames == 3)
        #expect(socket.diagnostics.lostReceiveChunks == 3)
        // What was completed is published at the end at the latest.
        #expect(program.reapAll() == [0])
        // The next driver has all the room again.
        for chunk in 0..<8 { _ = program.send(UInt64(chunk) * 2048) }
        var pool = try socket.takePool()
        #expect(pool.peek().count == 8)
    }
}
