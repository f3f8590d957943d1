// Index words that cannot be true, written by a stranger who has the rings mapped: counted, never believed, never a trap.

import Testing
import XSK

@Suite struct HostileIndexTests {
    /// With rings of 8 entries at index 0, none of these can be a producer.
    static let producers: [UInt32] = [9, 16, 1000, 0x8000_0000, .max, .max - 7]

    @Test(arguments: producers)
    func aTransmitProducerTooFarAheadMeansEmpty(index: UInt32) throws {
        let socket = try makeSocket(makeUMEM())
        let ring = try ForeignRing(.transmit, of: socket)
        var pool = try socket.takePool()
        ring.producer = index
        #expect(pool.peek().isEmpty)
        #expect(ring.consumer == 0)
        #expect(socket.diagnostics.programIndexErrors == 1)

        // The program comes to its senses.
        ring.write(XSKDescriptor(address: 2048, length: 60), at: 0)
        ring.producer = 1
        #expect(pool.peek().map(\.address) == [2048])
    }

    @Test(arguments: producers)
    func aFillProducerTooFarAheadMeansEmpty(index: UInt32) throws {
        let socket = try makeSocket(makeUMEM())
        let ring = try ForeignRing(.fill, of: socket)
        var pool = try socket.takePool()
        ring.producer = index
        #expect(pool.take().isEmpty)
        #expect(ring.consumer == 0)
        #expect(socket.diagnostics.programIndexErrors == 1)
    }

    /// A producer that went back behind what was taken already is more than a ring's size ahead, modulo 2³².
    @Test func aTransmitProducerThatWentBackMeansEmpty() throws {
        let socket = try makeSocket(makeUMEM())
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        let ring = try ForeignRing(.transmit, of: socket)
        for chunk in 0..<4 { _ = program.send(UInt64(chunk) * 2048) }
        #expect(pool.peek().count == 4)
        ring.producer = 3
        #expect(pool.peek().isEmpty)
        #expect(socket.diagnostics.programIndexErrors == 1)
    }

    @Test(arguments: [UInt32(1), 2, 9, 0x8000_0000, .max, .max - 7])
    func aCompletionConsumerAheadOfTheDriverGivesNoRoom(index: UInt32) throws {
        let socket = try makeSocket(makeUMEM())
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        let completions = try ForeignRing(.completion, of: socket)
        for chunk in 0..<8 { _ = program.send(UInt64(chunk) * 2048) }
        #expect(pool.peek().count == 8)
        for chunk in 0..<8 { _ = program.send(UInt64(chunk) * 2048) }
        // Nothing was completed, so nothing can have been consumed.
        completions.consumer = index
        #expect(pool.peek().isEmpty)
        #expect(pool.outstandingTransmitFrames == 8)
        #expect(socket.diagnostics.programIndexErrors > 0)
    }

    @Test func aReceiveConsumerThatWentBackGivesNoRoom() throws {
        let socket = try makeSocket(makeUMEM())
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        let ring = try ForeignRing(.receive, of: socket)
        for round in 0..<12 {
            _ = program.lend(UInt64(round) * 2048)
            let chunk = try #require(pool.take().first)
            let delivered = pool.deliver(address: chunk, length: 60)
            #expect(delivered)
            pool.publishReceived()
            #expect(program.receiveAll().count == 1)
        }
        // By now the driver knows of 8 consumed entries at least.
        ring.consumer = 0
        for round in 0..<12 {
            _ = program.lend(UInt64(round) * 2048)
            let chunk = try #require(pool.take().first)
            let delivered = pool.deliver(address: chunk, length: 60)
            if !delivered { break }
        }
        #expect(pool.outstandingReceiveChunks == 0)
        #expect(socket.statistics.receiveRingFull == 1)
        #expect(socket.diagnostics.programIndexErrors == 1)
    }

    /// The program's end trusts the shared words no more than the driver's end does.
    @Test func theProgramIsNotFooledEither() throws {
        let socket = try makeSocket(makeUMEM())
        var program = try socket.takeProgram()
        let completions = try ForeignRing(.completion, of: socket)
        let received = try ForeignRing(.receive, of: socket)
        let transmit = try ForeignRing(.transmit, of: socket)
        completions.producer = 9
        received.producer = 0x8000_0000
        #expect(program.reapAll().isEmpty)
        #expect(program.receiveAll().isEmpty)
        for chunk in 0..<8 { _ = program.send(UInt64(chunk) * 2048) }
        transmit.consumer = 9
        let overwrote = program.send(0)
        #expect(!overwrote)
        #expect(socket.diagnostics.driverIndexErrors == 3)
    }

    /// Every pair of index words around the true ones, in all rings at once: never a trap, never more than there is
    /// room for, and everything comes back.
    @Test func everyPairOfIndicesIsSurvived() throws {
        let umem = try makeUMEM()
        let indices = Array(0...UInt32(6)) + Array(UInt32.max - 6...UInt32.max)
        for producer in indices {
            for consumer in indices {
                let socket = try makeSocket(umem, size: 4)
                var pool = try socket.takePool()
                for ring in XSKRing.allCases {
                    let foreign = try ForeignRing(ring, of: socket)
                    foreign.producer = producer
                    foreign.consumer = consumer
                }
                let frames = pool.peek()
                #expect(frames.count <= 4)
                let chunks = pool.take()
                // The driver stands at 0, so a producer up to the ring's size is as good as true.
                #expect(chunks.count == (producer <= 4 ? Int(producer) : 0))
                for chunk in chunks { _ = pool.deliver(address: chunk, length: 60) }
                for frame in frames { pool.complete(frame.address) }
                pool.publishCompletions()
                pool.publishReceived()
                #expect(pool.outstandingTransmitFrames == 0)
                #expect(pool.outstandingReceiveChunks == 0)
            }
        }
    }
}
