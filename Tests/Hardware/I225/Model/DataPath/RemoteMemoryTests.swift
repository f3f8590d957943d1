// Rings and buffers in memory that the device reaches by transfers alone, which take their time: what a guest sees is the
// same as with shared memory.

import Backing
import I225Model
import I225Wire
import Interrupts
import Memory
import Registers
import Testing

/// The far end of a device's transfers: memory that it shares with nobody, lent to `rig` as remote memory.
private final class FarMemory {
    private let rig: Rig
    private var lent: [Lent] = []
    /// What has been asked for and not been done.
    private var waiting: [RemoteTransfer] = []
    private(set) var readCount = 0
    private(set) var writes: [(iova: UInt64, count: Int)] = []
    var refusesReads = false

    init(_ rig: Rig) { self.rig = rig }

    /// Takes memory that the device could reach away from it, and lends it anew as remote memory.
    func takeOver(_ memory: Lent..., permissions: DMAPermissions = .both) throws {
        for memory in memory {
            try rig.model.host.memory.unmap(iova: memory.iova)
            try rig.model.host.memory.mapRemote(
                iova: memory.iova,
                byteCount: memory.buffer.byteCount,
                permissions
            )
            lent.append(memory)
        }
    }

    /// Carries out one transfer; whether there was one.
    func step() -> Bool {
        waiting += rig.model.host.memory.transfers.take()
        guard !waiting.isEmpty else { return false }
        let transfers = rig.model.host.memory.transfers
        switch waiting.removeFirst() {
        case .read(let ticket, let iova, let byteCount):
            readCount += 1
            let place = refusesReads ? nil : place(iova, byteCount)
            transfers.finishRead(ticket, place.map { $0.memory.bytes(at: $0.offset, count: byteCount) })
        case .write(let iova, let bytes):
            writes.append((iova, bytes.count))
            let place = place(iova, bytes.count)
            place?.memory.fill(bytes, at: place?.offset ?? 0)
            transfers.finishWrite(succeeded: place != nil)
            rig.model.host.sendHeldMessages()
        }
        return true
    }

    /// Lets device and transfers go on until neither has anything to do.
    func settle() {
        for _ in 0..<10_000 {
            rig.poll()
            if !step() { return }
        }
        Issue.record("the device never comes to rest")
    }

    private func place(_ iova: UInt64, _ byteCount: Int) -> (memory: Lent, offset: Int)? {
        for memory in lent
        where iova >= memory.iova && iova - memory.iova <= UInt64(memory.buffer.byteCount - byteCount) {
            return (memory, Int(iova - memory.iova))
        }
        return nil
    }
}

@Suite("Memory that is reached by transfers")
struct RemoteMemoryTests {
    @Test func framesLeaveAndTheirDescriptorsComeBack() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try TransmitBench(rig, count: 8)
        let far = FarMemory(rig)
        try far.takeOver(bench.ring, bench.data)
        var expected: [[UInt8]] = []
        // Three laps and a bit, up to seven descriptors at a time: every place of the ring's end is met.
        for round in 0..<25 {
            var slots: [Int] = []
            for index in 0..<(1 + round % 7) {
                let frame = testFrame(60 + 31 * index, seed: UInt8(round))
                expected.append(frame)
                slots.append(bench.put(frame))
            }
            bench.ring()
            #expect(slots.allSatisfy { !bench.isDone($0) }, "nothing has been transferred yet")
            far.settle()
            #expect(slots.allSatisfy { bench.isDone($0) })
            #expect(bench.head == UInt32(bench.tail))
        }
        #expect(rig.sent() == expected)
        #expect(rig.model.counters.dmaFaults == 0)
    }

    /// A frame in three pieces with a checksum to fill in: the long way out.
    @Test func aFrameInPiecesIsGathered() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try TransmitBench(rig)
        let far = FarMemory(rig)
        try far.takeOver(bench.ring, bench.data)
        let frame = testFrame(300)
        var slot = 0
        for (index, piece) in [frame[0..<100], frame[100..<101], frame[101..<300]].enumerated() {
            slot = bench.put(Array(piece)) { $0[.endOfPacket] = index == 2 }
        }
        bench.ring()
        far.settle()
        #expect(rig.sent() == [frame])
        #expect(bench.isDone(slot))
    }

    @Test func framesArrive() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try ReceiveBench(rig, count: 8, provide: 0)
        let far = FarMemory(rig)
        try far.takeOver(bench.ring, bench.data)
        bench.provide(7)
        far.settle()
        for index in 0..<30 {
            let slot = index % 8
            let frame = testFrame(64 + 40 * slot, seed: UInt8(index))
            rig.arrive(frame)
            far.settle()
            let writeBack = bench.writeBack(slot)
            #expect(writeBack.status[.done] && writeBack.status[.endOfPacket])
            #expect(bench.bytes(slot) == frame)
            bench.setBuffer(slot, bench.data.iova + UInt64(slot * 2048))
            bench.provide(slot)
        }
        #expect(rig.model.counters.dmaFaults == 0)
        #expect(rig.model.counters.framesDropped == 0)
    }

    /// Posted writes arrive in order: the driver must find the frame when the message comes.
    @Test func aMessageDoesNotOvertakeWhatItTellsOf() throws {
        let rig = try Rig()
        rig.enableTraffic()
        rig.enableInterrupts()
        var vector = try rig.attach(1)
        let bench = try ReceiveBench(rig, provide: 0)
        let far = FarMemory(rig)
        try far.takeOver(bench.ring, bench.data)
        bench.provide(15)
        far.settle()
        _ = vector.consume()
        rig.arriveAndPoll(testFrame(64))
        var hasCome = vector.consume()
        #expect(!hasCome, "the frame is on its way, and the message behind it")
        #expect(far.step())
        hasCome = vector.consume()
        #expect(!hasCome, "the frame is there, its descriptor is not")
        #expect(far.step())
        hasCome = vector.consume()
        #expect(hasCome)
        #expect(bench.writeBack(0).status[.done])
    }

    /// Descriptors go back behind the buffers that they tell of.
    @Test func buffersGoFirst() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try ReceiveBench(rig, provide: 0)
        let far = FarMemory(rig)
        try far.takeOver(bench.ring, bench.data)
        bench.provide(15)
        far.settle()
        rig.arrive(testFrame(64))
        rig.arrive(testFrame(65))
        far.settle()
        #expect(far.writes.map { $0.iova } == [bench.data.iova, bench.data.iova + 2048, bench.ring.iova])
        #expect(far.writes.map { $0.count } == [64, 65, 32])
    }

    @Test func memoryThatCannotBeReadStopsTheQueueAndIsCounted() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try TransmitBench(rig)
        let far = FarMemory(rig)
        try far.takeOver(bench.ring, bench.data)
        far.refusesReads = true
        let slot = bench.put(testFrame(64))
        bench.ring()
        far.settle()
        #expect(rig.sent().isEmpty && !bench.isDone(slot))
        #expect(rig.model.counters.dmaFaults == 1)
        #expect(far.readCount == 1, "a ring that was refused is not asked for again")
    }

    @Test func aBufferThatMayNotBeReadIsAFault() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try TransmitBench(rig)
        let far = FarMemory(rig)
        try far.takeOver(bench.ring)
        try far.takeOver(bench.data, permissions: .deviceWrites)
        let slot = bench.put(testFrame(64))
        let good = bench.put(testFrame(64))
        bench.ring()
        far.settle()
        #expect(rig.sent().isEmpty)
        #expect(
            bench.isDone(slot) && bench.isDone(good),
            "a frame that cannot be read is done with, as in shared memory"
        )
        #expect(rig.model.counters.dmaFaults == 2)
    }

    /// Whatever is under way when the device is reset ends nowhere.
    @Test(arguments: 0..<8)
    func aResetForgetsWhatIsUnderWay(steps: Int) throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try TransmitBench(rig)
        let far = FarMemory(rig)
        try far.takeOver(bench.ring, bench.data)
        for _ in 0..<3 { bench.put(testFrame(64)) }
        bench.ring()
        for _ in 0..<steps {
            rig.poll()
            _ = far.step()
        }
        let sent = rig.sent().count
        try rig.device.reset()
        far.settle()
        #expect(rig.sent().isEmpty)
        #expect(sent <= 3)
        #expect(rig.model.host.memory.transfers.unconfirmedWrites == 0)
    }
}
