// Which receive queue a frame goes to; the hashes are those of Microsoft's verification suite.

import Ethernet
import MANAModel
import MANAWire
import TestFrames
import Testing

private let key: [UInt8] = [
    0x6D, 0x5A, 0x56, 0xDA, 0x25, 0x5B, 0x0E, 0xC2, 0x41, 0x67, 0x25, 0x3D, 0x43, 0xA3, 0x8F, 0xB0,
    0xD0, 0xCA, 0x2B, 0xCB, 0xAE, 0x7B, 0x30, 0xB4, 0x77, 0xCB, 0x2D, 0xA3, 0x80, 0x30, 0xF2, 0x0C,
    0x6A, 0x42, 0xB7, 0x3B, 0xBE, 0xAC, 0x01, 0xFA,
]

private let tcp4 = toStation(
    ipv4Frame(6, from: [66, 9, 149, 187], to: [161, 142, 100, 80], tcp(from: 2_794, to: 1_766, payload(10)))
)
private let icmp4 = toStation(ipv4Frame(1, from: [66, 9, 149, 187], to: [161, 142, 100, 80], payload(40)))
private let portHash4 = UInt32(0x51CC_C178)
private let hash4 = UInt32(0x323E_8FC2)

@Suite(.bothMemoryWays) struct SpreadingTests {
    /// Four queues with buffers, entry n of the table leading to queue n modulo 4, and queue 2 by default.
    private func rig(entries: Int = 64) throws -> (PathRig, [BenchReceive]) {
        let rig = try PathRig(indirectionEntries: entries)
        let queues = (0..<4).map { rig.makeReceive($0) }
        for queue in queues { queue.provide(20, bytes: 200) }
        rig.path.ports[0].setKey(InlineArray { key[$0] })
        for entry in 0..<entries { rig.path.ports[0].setIndirection(entry, entry % 4) }
        rig.path.ports[0].defaultQueue = 2
        rig.path.ports[0].spreads = true
        return (rig, queues)
    }

    private func arrivals(_ rig: PathRig, _ queues: [BenchReceive], _ frame: [UInt8]) -> [Arrival] {
        rig.arrive(frame)
        rig.poll()
        return queues.flatMap { $0.take() }
    }

    @Test func theHashChoosesTheQueueAndIsTold() throws {
        let (rig, queues) = try rig()
        let found = arrivals(rig, queues, tcp4)
        #expect(found.map(\.queue) == [Int(portHash4 % 4)])
        #expect(found.first?.hash == portHash4)
        // NDIS_HASH_TCP_IPV4.
        #expect(found.first.map { $0.verdict >> 16 & 0x1FF } == 2)
        let addresses = arrivals(rig, queues, icmp4)
        #expect(addresses.first?.hash == hash4)
        #expect(addresses.first.map { $0.verdict >> 16 & 0x1FF } == 1)
        #expect(addresses.map(\.queue) == [Int(hash4 % 4)])
    }

    @Test func everyEntryOfTheTableCounts() throws {
        for entries in [64, 128, 512] {
            let (rig, queues) = try rig(entries: entries)
            for entry in 0..<entries { rig.path.ports[0].setIndirection(entry, 0) }
            let chosen = Int(portHash4) % entries
            rig.path.ports[0].setIndirection(chosen, 3)
            #expect(arrivals(rig, queues, tcp4).map(\.queue) == [3])
            rig.path.ports[0].setIndirection(chosen, 0)
            rig.path.ports[0].setIndirection((chosen + 1) % entries, 3)
            #expect(arrivals(rig, queues, tcp4).map(\.queue) == [0])
        }
    }

    @Test func framesWithoutHashGoToTheDefaultQueue() throws {
        let (rig, queues) = try rig()
        let found = arrivals(rig, queues, arriving(60))
        #expect(found.map(\.queue) == [2])
        #expect(found.first?.hash == 0)
        #expect(found.first?.verdict == 0)
        rig.path.ports[0].spreads = false
        let unspread = arrivals(rig, queues, tcp4)
        #expect(unspread.map(\.queue) == [2])
        #expect(unspread.first?.hash == 0)
    }

    @Test func onlyWhatIsAskedForIsHashed() throws {
        let (rig, queues) = try rig()
        rig.path.ports[0].setHashTypes([.ipv4])
        #expect(arrivals(rig, queues, tcp4).first?.hash == hash4)
        rig.path.ports[0].setHashTypes([.ipv6])
        #expect(arrivals(rig, queues, tcp4).first?.hash == 0)
        // A driver that names none means the usual ones.
        rig.path.ports[0].setHashTypes([])
        #expect(arrivals(rig, queues, tcp4).first?.hash == portHash4)
    }

    @Test func anEntryOfAQueueThatIsGoneLeadsNowhere() throws {
        let (rig, queues) = try rig()
        rig.path.removeReceive(Int(portHash4 % 4))
        #expect(arrivals(rig, queues, tcp4).isEmpty)
        #expect(rig.framesDropped == 1)
        // A queue of the same id that comes later does not inherit it.
        let later = rig.makeReceive(Int(portHash4 % 4))
        later.provide(1)
        #expect(arrivals(rig, [later], tcp4).isEmpty)
    }

    @Test func aQueueWithoutRequestsDoesNotTakeAnothersFrames() throws {
        let rig = try PathRig { $0.packetBufferBytes = 0 }
        let queues = (0..<2).map { rig.makeReceive($0) }
        queues[0].provide(1)
        rig.path.ports[0].defaultQueue = 1
        rig.arrive(arriving(60))
        rig.poll()
        #expect(queues[0].take().isEmpty)
        #expect(rig.count(.receiveNoRequest) == 1)
    }

    @Test func twoPortsEachHaveTheirOwnFrames() throws {
        let rig = try PathRig { $0.ports = 2 }
        let other: [UInt8] = [0x02, 0x15, 0x5D, 0x00, 0x00, 0x02]
        rig.path.ports.insert(
            Port(address: MACAddress(bytes: InlineArray { other[$0] }), indirectionEntries: 64),
            at: 1
        )
        let queues = (0..<2).map { rig.makeReceive($0) }
        for (index, queue) in queues.enumerated() {
            queue.provide(2)
            rig.path.ports[index].defaultQueue = index
            rig.path.ports[index].receives = true
        }
        let broadcast = arriving(62, to: [UInt8](repeating: 0xFF, count: 6))
        rig.arrive(arriving(60))
        rig.arrive(arriving(61, to: other))
        rig.arrive(broadcast)
        rig.poll()
        #expect(queues[0].take().map(\.bytes) == [arriving(60), broadcast])
        #expect(queues[1].take().map(\.bytes) == [arriving(61, to: other), broadcast])
    }
}
