// A device whose writes lie to an XSK queue: a counter for each lie, nothing outside what was lent, and on.

import Backing
import Clock
import I225Driver
import I225Model
import I225Wire
import Rings
import Simulation
import TestQueues
import Testing
import XSK

@Suite("A device that lies to an XSK queue", .overEveryBacking)
struct HostileDeviceToProgramTests {
    @Test(
        "A lie about a frame is a dropped frame, the chunk is used again, and the next frame comes",
        arguments: liesAboutFrames
    )
    func lie(_ lie: Lie) throws {
        for stamps in [false, true] {
            let rig = Rig()
            var program = try Program(census: rig.census)
            let memory = paint(program)
            let device = try rig.open(configuration(stamps: stamps))
            var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
            let card = try LyingDevice(rig)
            program.provide(0..<32)
            _ = queue.poll()
            for index in 0..<31 { card.writeBack(index, length: lie.length, lie.status) }
            card.deliver(testFrame(7), 31)
            _ = queue.poll()
            #expect(program.received().map { $0.frame } == [testFrame(7)])
            #expect(program.socket.statistics.receiveDropped == 31)
            // All 31 are the card's again.
            _ = queue.poll()
            _ = consume queue
            #expect(program.socket.diagnostics.lostReceiveChunks == 0)
            #expect(differences(program, from: memory, allowing: [31]) == [])
        }
    }

    @Test("A frame without an end is dropped for ever, and so is its rest; the next one comes")
    func noEnd() throws {
        let rig = Rig()
        let device = try rig.open(configuration(stamps: false))
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
        let card = try LyingDevice(rig)
        program.provide(0..<64)
        for _ in 0..<2 { _ = queue.poll() }
        for step in 0..<1000 {
            card.writeBack(step % 64, length: 2048, .whole.with(.endOfPacket, false))
            _ = queue.poll()
            _ = queue.poll()
        }
        #expect(program.received().isEmpty)
        #expect(program.socket.statistics.receiveDropped == 1000)
        card.writeBack(1000 % 64, length: 60, .whole)
        card.deliver(testFrame(7), 1001 % 64)
        _ = queue.poll()
        #expect(program.received().map { $0.frame } == [testFrame(7)])
        #expect(program.socket.statistics.receiveDropped == 1001)
    }

    @Test("A write-back in a slot that was not given is nothing, also when the slot is given later")
    func neverGiven() throws {
        let rig = Rig()
        let device = try rig.open(configuration(stamps: false))
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
        let card = try LyingDevice(rig)
        for index in 0..<64 { card.writeBack(index, length: 60, .whole) }
        _ = queue.poll()
        program.provide(0..<32)
        _ = queue.poll()
        for index in 32..<64 { card.writeBack(index, length: 60, .whole) }
        _ = queue.poll()
        #expect(program.received().isEmpty)
        card.deliver(testFrame(7), 0)
        _ = queue.poll()
        #expect(program.received().map { $0.frame } == [testFrame(7)])
    }

    @Test("A frame completes once, however often the device says that it, or others, are done")
    func doneAgainAndAgain() throws {
        let rig = Rig()
        let device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
        let card = try LyingDevice(rig)
        for index in 0..<64 { card.finish(index) }
        _ = queue.poll()
        #expect(program.completions() == [])
        for chunk in 0..<4 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: chunk == 1) }
        _ = queue.poll()
        for _ in 0..<3 {
            for index in 0..<64 { card.finish(index) }
            _ = queue.poll()
        }
        #expect(program.completions() == [0, 2, 3])
        // Done, and no stamp: the frame never left.
        rig.clock.advance(nanoseconds: 10_000_000)
        _ = queue.poll()
        #expect(program.completions() == [1])
        #expect(program.outcome(1) == .timedOut)
        #expect(queue.outstandingFrames == 0)
    }

    @Test("Whatever stands in the rings, chunks and frames come back once and only what was lent changes")
    func noise() throws {
        var random = SeededRandom(seed: 64)
        for stamps in [false, true] {
            let rig = Rig()
            var program = try Program(census: rig.census)
            let device = try rig.open(configuration(stamps: stamps))
            var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
            let card = try LyingDevice(rig)
            // Chunks 0 to 31 are sent, 32 to 63 are lent to receive.
            program.provide(32..<64)
            let memory = paint(program, chunks: 0..<32)
            var sending: Set<Int> = []
            var received = 0
            for round in 0..<2000 {
                // Half of them could be frames: 4 KB at the most, with an end, not damaged.
                let possible: UInt64 = Bool.random(using: &random) ? 0xFFFF_0FFF_7FFF_FFFF : ~0
                card.setReceive(round % 64, low: random.next(), high: random.next() & possible | 2)
                if Bool.random(using: &random) { card.finish(Int.random(in: 0..<64, using: &random)) }
                let chunk = round % 32
                if !sending.contains(chunk) {
                    let address = program.address(chunk)
                    if program.end.put(XSKDescriptor(address: address, length: 60)) { sending.insert(chunk) }
                    program.end.submit()
                }
                _ = queue.poll()
                for chunk in program.completions() { #expect(sending.remove(chunk) != nil, "chunk \(chunk) twice") }
                var burst = XSKReceiveBurst()
                let count = program.end.receive(&burst, limit: 32)
                received += count
                for position in 0..<count {
                    let start = burst[position].address % 4096
                    #expect(burst[position].address >= 32 * 4096 && burst[position].address < 64 * 4096)
                    #expect(start >= 256 && start + UInt64(burst[position].length) <= 4096)
                    _ = program.end.provideFill(burst[position].address)
                }
                program.end.submitFill()
            }
            #expect(received > 100)
            _ = consume queue
            for chunk in program.completions() { #expect(sending.remove(chunk) != nil, "chunk \(chunk) twice") }
            #expect(sending.isEmpty)
            #expect(program.socket.diagnostics.lostReceiveChunks == 0)
            #expect(program.socket.diagnostics.lostTransmitFrames == 0)
            #expect(differences(program, from: memory, allowing: Set(32..<64)) == [])
        }
    }

    private func configuration(stamps: Bool) -> I225Configuration {
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        configuration.stampsReceived = stamps
        return configuration
    }

    /// Fills chunks with a pattern; the whole memory then.
    private func paint(_ program: borrowing Program, chunks: Range<Int> = 0..<64) -> [UInt8] {
        let pattern = [UInt8](repeating: 0xA5, count: 4096)
        // SAFETY: bytes have no padding.
        for chunk in chunks { _ = unsafe program.socket.umem.write(pattern.span.bytes, at: UInt64(chunk * 4096)) }
        return program.socket.umem.read(at: 0, length: 64 * 4096) ?? []
    }

    /// Chunks that are not what they were, but for `allowed`.
    private func differences(
        _ program: borrowing Program,
        from memory: [UInt8],
        allowing allowed: Set<Int>
    ) -> [Int] {
        let now = program.socket.umem.read(at: 0, length: 64 * 4096) ?? []
        return (0..<64).filter { chunk in
            let bytes = chunk * 4096..<(chunk + 1) * 4096
            // The 16 bytes before a frame are the driver's to write: it says there when the frame came.
            return !allowed.contains(chunk) && withoutStamp(now[bytes]) != withoutStamp(memory[bytes])
        }
    }

    private func withoutStamp(_ chunk: ArraySlice<UInt8>) -> [UInt8] {
        [UInt8](chunk.prefix(256)) + chunk.dropFirst(272)
    }
}
