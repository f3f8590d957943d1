// A driver that does everything wrong: rings and requests of random bytes, doorbells of random values, memory that comes
// and goes. Nothing may trap, hang, or write outside.

import Ethernet
import MANAModel
import MANAWire
import Memory
import Simulation
import TestFrames
import Testing

@Suite(.bothMemoryWays) struct HostilePathTests {
    @Test(arguments: 0..<8)
    func randomRequestsAndDoorbells(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let rig = try PathRig { $0.pollBudget = 16 }
        let sends = (0..<3).map { rig.makeSend($0, pages: 1 << $0) }
        let receives = (0..<3).map { rig.makeReceive($0, pages: 1 << $0) }
        for entry in 0..<64 { rig.path.ports[0].setIndirection(entry, entry % 5) }
        rig.path.ports[0].spreads = true
        rig.path.ports[0].defaultQueue = 0
        let good = rig.buffer(ipv4Frame(6, tcp(payload(200))))
        for _ in 0..<1500 {
            let isSend = Bool.random(using: &random)
            let number = Int.random(in: 0..<3, using: &random)
            let ring = isSend ? sends[number].work : receives[number].work
            let offset = Int.random(in: 0..<ring.byteCount / 32, using: &random) * 32
            for word in 0..<16 {
                let value: UInt32 =
                    switch (word, Int.random(in: 0..<4, using: &random)) {
                    // Often something near a request.
                    case (1, 1...):
                        WorkRequestControl(pieceCount: Int.random(in: 0..<5, using: &random), inlineBytes: 8).raw
                    case (2, 1...): UInt32(1 + number) << 8 | UInt32.random(in: 0..<256, using: &random)
                    case (3, 2...): UInt32.random(in: 0..<64, using: &random)
                    case (4, 1...), (8, 1...), (12, 1...): UInt32(truncatingIfNeeded: good.address)
                    case (5, 1...), (9, 1...), (13, 1...): 0
                    case (6, 1...), (10, 1...), (14, 1...): PathRig.key
                    case (7, 1...), (11, 1...), (15, 1...): UInt32.random(in: 0..<5000, using: &random)
                    default: UInt32.random(in: 0...(.max), using: &random)
                    }
                rig.setWord(ring, offset + word * 4, value)
            }
            let id = Int.random(in: -1..<6, using: &random)
            let tail = UInt32.random(in: 0..<300, using: &random) * 32 &+ UInt32.random(in: 0..<2, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: rig.path.ring(send: id, tail: tail)
            case 1: rig.path.ring(receive: id, tail: tail)
            case 2: rig.path.ring(send: id, movedBy: tail)
            case 3: rig.path.ring(receive: id, movedBy: tail & 0xFFFF)
            case 4: rig.path.ring(completion: id, tail: tail, isArmed: true, &rig.events)
            default: rig.events.ring(id, tail: tail, isArmed: true)
            }
            if rig.farEnd.transmit.send(toStation(ipv4Frame(6, tcp(payload(50)))).raw, wireTime: 0) {}
            _ = rig.pollOnce()
            _ = rig.takeVectors()
            _ = rig.sent()
        }
        #expect(rig.badTails > 0)
        #expect(rig.strayDoorbells > 0)
        #expect(rig.count(.transmitRequest) > 0)
    }

    @Test func tailsThatCannotBeAreIgnored() throws {
        let rig = try PathRig()
        let queue = rig.makeSend()
        let frame = arriving(60)
        queue.post(queue.plain(frame))
        for tail in [1, 31, 33, 4096 + 32, 0xFFFF_FFE0, 0x8000_0000] as [UInt32] { rig.path.ring(send: 0, tail: tail) }
        rig.poll()
        #expect(rig.badTails == 6)
        #expect(rig.sent().isEmpty)
        queue.ring()
        rig.poll()
        #expect(rig.sent() == [frame])
    }

    @Test func shortDoorbellsMoveTheTail() throws {
        let rig = try PathRig()
        let send = rig.makeSend()
        send.post(send.plain(arriving(60)))
        send.post(send.plain(arriving(61)))
        rig.path.ring(send: 0, movedBy: 32)
        rig.poll()
        #expect(rig.sent() == [arriving(60)])
        rig.path.ring(send: 0, movedBy: 32)
        rig.poll()
        #expect(rig.sent() == [arriving(61)])
        // Completions too: two are read, the third one is news.
        #expect(send.take().count == 2)
        rig.path.ring(completion: 1, movedBy: 1, isArmed: false, &rig.events)
        rig.path.ring(completion: 1, movedBy: 1, isArmed: true, &rig.events)
        #expect(rig.takeEvents().isEmpty)
        send.post(send.plain(arriving(62)))
        send.ring()
        rig.poll()
        #expect(rig.takeEvents() == [1])
        rig.path.ring(completion: 1, movedBy: 0, isArmed: true, &rig.events)
        #expect(rig.takeEvents() == [1])
        let receive = rig.makeReceive()
        rig.path.ports[0].defaultQueue = 0
        receive.post([rig.buffer([UInt8](repeating: 0, count: 100))])
        rig.path.ring(receive: 0, movedBy: 32)
        rig.arrive(arriving(70))
        rig.poll()
        #expect(receive.take().map(\.bytes) == [arriving(70)])
    }

    @Test func aRingWhosePageIsGoneStopsTheQueueUntilItIsBackAndRung() throws {
        let rig = try PathRig()
        let queue = rig.makeSend(pages: 2)
        let request = queue.plain(arriving(60))
        let page = queue.work.pages[1]
        try rig.unmap(page)
        queue.post(request)
        queue.ring()
        rig.poll()
        #expect(rig.unreachableRings == 1)
        #expect(rig.sent().isEmpty)
        try rig.map(page)
        rig.poll()
        #expect(rig.sent().isEmpty)
        queue.ring()
        rig.poll()
        #expect(rig.sent() == [arriving(60)])
    }

    @Test func receiveRingsWhoseMemoryIsGoneDropFrames() throws {
        let rig = try PathRig()
        let queue = rig.makeReceive()
        rig.path.ports[0].defaultQueue = 0
        queue.provide(4)
        let page = queue.completions.ring.pages[0]
        try rig.unmap(page)
        rig.arrive(arriving(60))
        rig.poll()
        #expect(rig.framesDropped == 1)
        #expect(rig.unreachableRings == 1)
        try rig.map(page)
        rig.arrive(arriving(61))
        rig.poll()
        #expect(queue.take().map(\.bytes) == [arriving(61)])
    }

    @Test func ringsThatAreNone() throws {
        let rig = try PathRig()
        func ring(_ pages: [UInt64], _ byteCount: Int) -> Bool {
            switch RingMemory(rig.memory, pages: pages, byteCount: byteCount, .both) {
            case .some: true
            case .none: false
            }
        }
        let pages = (0..<4).map { _ in rig.takePage() }
        #expect(ring(pages, 16384))
        #expect(ring(pages, 4096))
        for byteCount in [0, -4096, 32, 2048, 12288, 32768, .max, .min] {
            #expect(!ring(pages, byteCount), "\(byteCount)")
        }
        #expect(!ring([pages[0], pages[1] + 1], 8192))
        #expect(!ring([], 4096))
    }

    @Test func countsOfQueuesThatAreGoneStay() throws {
        let rig = try PathRig()
        let send = rig.makeSend()
        let receive = rig.makeReceive()
        rig.path.ports[0].defaultQueue = 0
        rig.path.ring(send: 0, tail: 1)
        rig.path.ring(receive: 0, tail: 1)
        var piece = rig.buffer([UInt8](repeating: 0, count: 100))
        piece.key = 0
        receive.post([piece])
        receive.ring()
        rig.arrive(arriving(60))
        rig.poll()
        try rig.unmap(send.work.pages[0])
        send.ring()
        rig.path.ring(send: 0, tail: 32)
        rig.poll()
        let before = rig.queueCounts
        #expect(before.badTails == 2)
        #expect(before.badBuffers == 1)
        #expect(before.unreachableRings == 1)
        rig.path.removeAll()
        #expect(rig.queueCounts == before)
    }

    @Test func queuesThatEndWithWorkToDoLeaveNothingBehind() throws {
        let rig = try PathRig()
        let send = rig.makeSend()
        send.post(send.plain(arriving(60)))
        send.ring()
        rig.path.removeAll()
        rig.poll()
        #expect(rig.sent().isEmpty)
        // The id can be used again, and starts afresh.
        let again = rig.makeSend()
        again.post(again.plain(arriving(61)))
        again.ring()
        rig.poll()
        #expect(rig.sent() == [arriving(61)])
        #expect(again.take().count == 1)
    }
}
