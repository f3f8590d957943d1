// The driver's halves of the descriptor rings over plain memory: every size, every wrap position, several batches.
//
// SAFETY (all uses of `unsafe`): a ring's memory is kept by the `PlainRing` beside it, which ends later.

import I225Driver
import I225Wire
import Netdev
import Rings
import Testing

private let ringSizes = [8, 16, 24, 64]
private let batches = [1, 2, 3, 7, 32]

/// Calls `body` with every start of a ring of `count` and every batch.
private func withEveryStart(_ count: Int, _ body: (_ start: Int, _ batch: Int) -> Void) {
    for start in 0..<count { for batch in batches { body(start, batch) } }
}

@Suite("Tx ring over plain memory")
struct TransmitRingTests {
    @Test("Frames and cookies keep their order, and one slot stays free", arguments: ringSizes)
    func order(count: Int) {
        withEveryStart(count) { start, batch in
            let memory = PlainRing(count: count)
            var ring = unsafe TransmitRing(memory.descriptors)
            turn(&ring, memory, by: start)
            var submitted: UInt64 = 0
            var reaped: UInt64 = 0
            while submitted < UInt64(3 * count) {
                submitted += UInt64(submit(&ring, submitted, batch))
                #expect(ring.room + ring.inFlight == count - 1)
                guard ring.room == 0 else { continue }
                // Full: nothing more goes in, and the slot at the tail has not been written.
                #expect(submit(&ring, submitted, 1) == 0)
                #expect(memory.descriptors.loadLow(Int(ring.tail)) != submitted)
                for index in 0..<ring.inFlight {
                    let place = (start + Int(reaped) + index) % count
                    #expect(memory.descriptors.loadLow(place) == 0x1000 + reaped + UInt64(index))
                    memory.finish(place)
                }
                reaped = reapAll(&ring, from: reaped)
                #expect(reaped == submitted)
            }
        }
    }

    @Test("A descriptor that is done ahead of an older one waits for it", arguments: ringSizes)
    func doneOutOfOrder(count: Int) {
        for start in 0..<count {
            let memory = PlainRing(count: count)
            var ring = unsafe TransmitRing(memory.descriptors)
            turn(&ring, memory, by: start)
            #expect(submit(&ring, 0, 3) == 3)
            memory.finish((start + 2) % count)
            memory.finish((start + 1) % count)
            #expect(reapAll(&ring, from: 0) == 0)
            memory.finish(start)
            #expect(reapAll(&ring, from: 0) == 3)
        }
    }

    @Test("A done bit of the last round is not one of this round", arguments: ringSizes)
    func staleDone(count: Int) {
        let memory = PlainRing(count: count)
        var ring = unsafe TransmitRing(memory.descriptors)
        turn(&ring, memory, by: 2 * count)
        // Every slot has been done twice over.
        #expect(submit(&ring, 0, 7) == 7)
        #expect(reapAll(&ring, from: 0) == 0)
    }

    @Test("A context is stepped over with the data behind it, and not before", arguments: ringSizes)
    func contexts(count: Int) {
        for start in 0..<count {
            let memory = PlainRing(count: count)
            var ring = unsafe TransmitRing(memory.descriptors)
            turn(&ring, memory, by: start)
            // plain, context + data, plain: four slots, three cookies.
            #expect(submit(&ring, 0, 1) == 1)
            ring.submitContext(low: 0, high: 0)
            #expect(submit(&ring, 1, 2) == 2)
            #expect(ring.inFlight == 4)
            memory.finish(start)
            #expect(reapAll(&ring, from: 0) == 1)
            #expect(ring.inFlight == 3)
            memory.finish((start + 2) % count)
            #expect(reapAll(&ring, from: 1) == 2)
            #expect(ring.inFlight == 1)
            memory.finish((start + 3) % count)
            #expect(reapAll(&ring, from: 2) == 3)
            #expect(ring.inFlight == 0)
        }
    }

    @Test("A ring of nothing but contexts ends every loop, whatever the device says is done", arguments: ringSizes)
    func onlyContexts(count: Int) {
        for start in 0..<count {
            let memory = PlainRing(count: count)
            var ring = unsafe TransmitRing(memory.descriptors)
            turn(&ring, memory, by: start)
            while ring.room > 0 { ring.submitContext(low: 0, high: 0) }
            #expect(reapAll(&ring, from: 0) == 0)
            for index in 0..<count { memory.finish(index) }
            #expect(reapAll(&ring, from: 0) == 0)
            #expect(ring.takeBack() == nil)
            #expect(ring.inFlight == 0)
        }
    }

    @Test("Taking back gives exactly what is out, oldest first", arguments: ringSizes)
    func takeBack(count: Int) {
        for start in 0..<count {
            for done in 0...4 {
                let memory = PlainRing(count: count)
                var ring = unsafe TransmitRing(memory.descriptors)
                turn(&ring, memory, by: start)
                #expect(submit(&ring, 0, 4) == 4)
                ring.submitContext(low: 0, high: 0)
                #expect(submit(&ring, 4, 1) == 1)
                for index in 0..<done { memory.finish((start + index) % count) }
                #expect(reapAll(&ring, from: 0) == UInt64(done))
                var back: [UInt64] = []
                while let cookie = ring.takeBack() { back.append(cookie) }
                #expect(back == (UInt64(done)..<5).map { $0 })
                #expect(ring.inFlight == 0)
            }
        }
    }

    /// Sends one frame after another until the next goes to slot `steps % count`.
    private func turn(_ ring: inout TransmitRing, _ memory: PlainRing, by steps: Int) {
        for step in 0..<steps {
            _ = submit(&ring, 0, 1)
            memory.finish(step % memory.descriptors.count)
            _ = reapAll(&ring, from: 0)
        }
    }

    /// Submits frames whose cookies count on from `first`; how many fitted.
    private func submit(_ ring: inout TransmitRing, _ first: UInt64, _ batch: Int) -> Int {
        var entries = Burst(repeating: TransmitEntry())
        for index in 0..<batch {
            let cookie = first + UInt64(index)
            entries[index] = TransmitEntry(iova: 0x1000 + cookie, cookie: cookie, length: 60)
        }
        return ring.submit(entries, limit: batch)
    }

    /// Reaps everything, whose cookies must count on from `first`; the cookie after the last.
    private func reapAll(_ ring: inout TransmitRing, from first: UInt64) -> UInt64 {
        var next = first
        var cookies = InlineArray<32, UInt64>(repeating: 0)
        while true {
            let count = ring.reap(&cookies)
            guard count > 0 else { return next }
            for index in 0..<count {
                #expect(cookies[index] == next)
                next += 1
            }
        }
    }
}

@Suite("Rx ring over plain memory")
struct ReceiveRingTests {
    @Test("Buffers come back filled in their order, and one slot stays free", arguments: ringSizes)
    func order(count: Int) {
        withEveryStart(count) { start, batch in
            let memory = PlainRing(count: count)
            var ring = unsafe ReceiveRing(memory.descriptors)
            turn(&ring, memory, by: start)
            var provided: UInt64 = 0
            var filled: UInt64 = 0
            while provided < UInt64(3 * count) {
                provided += UInt64(provide(&ring, provided, batch))
                guard ring.room == 0 else { continue }
                #expect(Int(provided - filled) == count - 1)
                #expect(provide(&ring, provided, 1) == 0)
                for index in 0..<count - 1 {
                    let place = (start + Int(filled) + index) % count
                    #expect(memory.descriptors.loadLow(place) == 0x1000 + filled + UInt64(index))
                    memory.fill(place, length: UInt16(60 + index))
                }
                filled = reapAll(&ring, from: filled, firstLength: 60)
                #expect(filled == provided)
            }
        }
    }

    @Test("A refill clears the length of the slot that stays free", arguments: ringSizes)
    func freeSlotIsCleared(count: Int) {
        withEveryStart(count) { start, batch in
            let memory = PlainRing(count: count)
            var ring = unsafe ReceiveRing(memory.descriptors)
            turn(&ring, memory, by: start)
            // Old write-backs everywhere, also in slots that the device was never given.
            for index in 0..<count { memory.fill(index, length: 99) }
            let provided = provide(&ring, 0, batch)
            #expect(ReceiveWriteBack.length(memory.descriptors.loadHigh(Int(ring.tail))) == 0)
            #expect(reapAll(&ring, from: 0, firstLength: 99) == 0)
            for index in 0..<provided { memory.fill((start + index) % count, length: UInt16(60 + index)) }
            #expect(reapAll(&ring, from: 0, firstLength: 60) == UInt64(provided))
        }
    }

    @Test("A write-back in a slot that was not given is no frame", arguments: ringSizes)
    func neverGiven(count: Int) {
        for start in 0..<count {
            let memory = PlainRing(count: count)
            var ring = unsafe ReceiveRing(memory.descriptors)
            turn(&ring, memory, by: start)
            #expect(provide(&ring, 0, 2) == 2)
            for index in 0..<count { memory.fill((start + index) % count, length: UInt16(60 + index)) }
            #expect(reapAll(&ring, from: 0, firstLength: 60) == 2)
        }
    }

    @Test("Taking back gives exactly the buffers that were not reaped", arguments: ringSizes)
    func takeBack(count: Int) {
        for start in 0..<count {
            for filled in 0...5 {
                let memory = PlainRing(count: count)
                var ring = unsafe ReceiveRing(memory.descriptors)
                turn(&ring, memory, by: start)
                #expect(provide(&ring, 0, 5) == 5)
                for index in 0..<filled { memory.fill((start + index) % count, length: UInt16(60 + index)) }
                #expect(reapAll(&ring, from: 0, firstLength: 60) == UInt64(filled))
                var back: [UInt64] = []
                while let cookie = ring.takeBack() { back.append(cookie) }
                #expect(back == (UInt64(filled)..<5).map { $0 })
                #expect(ring.room == count - 1)
            }
        }
    }

    /// Receives one frame after another until the next buffer goes to slot `steps % count`.
    private func turn(_ ring: inout ReceiveRing, _ memory: PlainRing, by steps: Int) {
        for step in 0..<steps {
            _ = provide(&ring, 0, 1)
            memory.fill(step % memory.descriptors.count, length: 60)
            _ = reapAll(&ring, from: 0, firstLength: 60)
        }
    }

    private func provide(_ ring: inout ReceiveRing, _ first: UInt64, _ batch: Int) -> Int {
        var buffers = Burst(repeating: NetdevBuffer())
        for index in 0..<batch {
            let cookie = first + UInt64(index)
            buffers[index] = NetdevBuffer(iova: 0x1000 + cookie, cookie: cookie, length: 0)
        }
        return ring.provide(buffers, limit: batch)
    }

    /// Reaps everything: cookies must count on from `first`, lengths from `firstLength`. The cookie after the last.
    private func reapAll(_ ring: inout ReceiveRing, from first: UInt64, firstLength: UInt32) -> UInt64 {
        var next = first
        var frames = Burst(repeating: ReceivedFrame())
        while true {
            let count = ring.reap(&frames)
            guard count > 0 else { return next }
            for index in 0..<count {
                #expect(frames[index].cookie == next)
                #expect(frames[index].length == firstLength + UInt32(next - first))
                #expect(!frames[index].continues)
                next += 1
            }
        }
    }
}
