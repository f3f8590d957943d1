// Several frames in one completion: four or eight, of one verdict, in order, and none left behind at a burst's end.

import Ethernet
import MANAModel
import MANAWire
import TestFrames
import Testing

@Suite(.bothMemoryWays) struct CoalescingTests {
    private func rig(_ coalescing: Coalescing) throws -> (PathRig, BenchReceive) {
        let rig = try PathRig()
        let queue = rig.makeReceive()
        rig.path.ports[0].defaultQueue = 0
        rig.path.ports[0].coalescing = coalescing
        queue.provide(64, bytes: 200)
        return (rig, queue)
    }

    private func completions(_ queue: BenchReceive) -> [ReceiveCompletion] {
        var found: [ReceiveCompletion] = []
        while let completion = queue.takeRaw() { found.append(completion) }
        return found
    }

    @Test(arguments: [(Coalescing.none, [1, 1, 1, 1, 1, 1]), (.four, [4, 2]), (.eight, [6])])
    func aBurstOfSix(_ coalescing: Coalescing, _ expected: [Int]) throws {
        let (rig, queue) = try rig(coalescing)
        for index in 0..<6 { rig.arrive(arriving(60 + index)) }
        rig.poll()
        let found = completions(queue)
        #expect(found.map { completion in (0..<completion.capacity).count { completion[$0].length != 0 } } == expected)
        let lengths = found.flatMap { completion in
            (0..<completion.capacity).map { Int(completion[$0].length) }.filter { $0 != 0 }
        }
        #expect(lengths == Array(60..<66))
        // Each names the request of its first frame.
        var offset: UInt32 = 0
        for (completion, count) in zip(found, expected) {
            #expect(completion.requestOffset == offset)
            offset += UInt32(count) * 32
        }
    }

    @Test func typesAreThoseThatTheDriverKnows() throws {
        let (four, fourQueue) = try rig(.four)
        for _ in 0..<5 { four.arrive(arriving(60)) }
        four.poll()
        #expect(completions(fourQueue).map(\.type) == [.receivedFour, .received])
        let (eight, eightQueue) = try rig(.eight)
        for _ in 0..<11 { eight.arrive(arriving(60)) }
        eight.poll()
        #expect(completions(eightQueue).map(\.type) == [.receivedEight, .receivedEight])
    }

    @Test(arguments: [Coalescing.four, .eight])
    func framesOfAnotherVerdictBeginAnotherCompletion(_ coalescing: Coalescing) throws {
        let (rig, queue) = try rig(coalescing)
        let datagram = toStation(ipv4Frame(17, udp(payload(20))))
        let tagged = toStation(ipv4Frame(17, tags: [9], udp(payload(20))))
        let frames = [arriving(60), arriving(61), datagram, datagram, datagram, tagged, arriving(62)]
        for frame in frames { rig.arrive(frame) }
        rig.poll()
        let found = completions(queue)
        #expect(
            found.map { completion in (0..<completion.capacity).count { completion[$0].length != 0 } } == [2, 3, 1, 1]
        )
        #expect(found.map(\.verdict.raw) == [0, 0x2200_0000, 0x2200_1009, 0])
    }

    @Test func hashesStayWithTheirFrames() throws {
        let (rig, queue) = try rig(.eight)
        rig.path.ports[0].setKey(InlineArray { UInt8($0 &* 37 & 0xFF) })
        rig.path.ports[0].spreads = true
        for entry in 0..<64 { rig.path.ports[0].setIndirection(entry, 0) }
        let frames = (0..<8).map { toStation(ipv4Frame(17, udp(from: UInt16(1000 + $0), payload(20)))) }
        for frame in frames { rig.arrive(frame) }
        rig.poll()
        let found = queue.take()
        #expect(found.map(\.bytes) == frames)
        let expected = frames.map { frame in
            referenceToeplitz(Array(frame[26..<38]), key: (0..<40).map { UInt8($0 &* 37 & 0xFF) })
        }
        #expect(found.map(\.hash) == expected)
        #expect(Set(expected).count == 8)
    }

    @Test func aTruncatedFrameDoesNotOvertake() throws {
        let rig = try PathRig()
        let queue = rig.makeReceive()
        rig.path.ports[0].defaultQueue = 0
        rig.path.ports[0].coalescing = .four
        queue.provide(2, bytes: 100)
        queue.provide(1, bytes: 20)
        queue.provide(1, bytes: 100)
        for seed in 0..<4 { rig.arrive(arriving(100, seed: seed)) }
        rig.poll()
        #expect(queue.take().map(\.bytes) == [0, 1, 3].map { arriving(100, seed: $0) })
        #expect(queue.outstanding == 0)
    }
}
