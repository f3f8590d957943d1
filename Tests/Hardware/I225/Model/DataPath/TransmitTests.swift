// Descriptors in, frames out: sections 4.2 and 4.3 of the I225 contract. The arithmetic of each offload has tests of its
// own; these show that descriptors reach it.

import Backing
import Clock
import I225Model
import I225Wire
import Registers
import TestFrames
import Testing

@Suite("Transmit queues")
struct TransmitTests {
    private func bench(count: Int = 16, _ change: (inout I225Options) -> Void = { _ in }) throws -> (Rig, TransmitBench)
    {
        let rig = try Rig(change)
        rig.enableTraffic()
        return (rig, try TransmitBench(rig, count: count))
    }

    /// Puts a frame in as many descriptors as there are pieces.
    private func put(
        _ pieces: [[UInt8]],
        to bench: TransmitBench,
        command change: (inout TransmitCommand) -> Void = { _ in },
        options changeOptions: (inout TransmitOptions) -> Void = { _ in }
    ) -> [Int] {
        pieces.enumerated().map { index, piece in
            let isLast = index == pieces.count - 1
            return bench.put(piece) {
                change(&$0)
                $0[.endOfPacket] = isLast
                $0[.reportStatus] = isLast
            } options: {
                $0.raw = 0
                guard index == 0 else { return }
                $0[.payloadLength] = UInt32(pieces.reduce(0) { $0 + $1.count })
                changeOptions(&$0)
            }
        }
    }

    @Test func aFrameInPiecesIsOneFrameAndItsLastDescriptorComesBack() throws {
        let (rig, bench) = try bench()
        let frame = testFrame(900)
        let slots = put([Array(frame[..<14]), Array(frame[14..<300]), Array(frame[300...])], to: bench)
        bench.ring()
        #expect(rig.sent() == [frame])
        #expect(slots.map { bench.isDone($0) } == [false, false, true])
        #expect(bench.head == 3)
    }

    @Test func aFrameWhoseEndIsNotRungInWaits() throws {
        let (rig, bench) = try bench()
        let frame = testFrame(300)
        _ = put([Array(frame[..<100]), Array(frame[100...])], to: bench)
        bench.ring(1)
        #expect(rig.sent().isEmpty)
        #expect(bench.head == 0)
        bench.ring(2)
        #expect(rig.sent() == [frame])
    }

    @Test func DDKeepsTheOtherBits() throws {
        let (_, bench) = try bench()
        let slot = bench.put(testFrame(64)) { _ in
        } options: {
            $0[.preemptionType] = 2
        }
        let before = bench.ring.word(at: slot * 16 + 8)
        bench.ring()
        #expect(bench.ring.word(at: slot * 16 + 8) == before | TransmitDataDescriptor.doneBit)
    }

    @Test func withoutRSNothingIsWrittenBack() throws {
        let (rig, bench) = try bench()
        let slot = bench.put(testFrame(64)) { $0[.reportStatus] = false }
        bench.ring()
        #expect(!bench.isDone(slot))
        #expect(rig.sent().count == 1)
        #expect(bench.head == 1)
    }

    @Test func theRingWraps() throws {
        let (rig, bench) = try bench(count: 8)
        for number in 0..<30 {
            let frame = testFrame(64, seed: UInt8(number))
            bench.put(frame)
            bench.ring()
            #expect(rig.sent() == [frame])
        }
        #expect(bench.head == 30 % 8)
    }

    @Test func allQueuesSendAndNoneStarvesTheOthers() throws {
        let rig = try Rig { $0.pollBudget = 4 }
        rig.enableTraffic()
        let benches = try (0..<4).map { try TransmitBench(rig, queue: $0, count: 32) }
        for bench in benches {
            for _ in 0..<20 { bench.put(testFrame(64, seed: UInt8(bench.queue * 50))) }
            rig.write(I225Register.transmitTail[bench.queue], UInt32(bench.tail))
        }
        _ = rig.model.poll()
        let first = rig.sent().map { $0[20] }
        #expect(first.count == 16)
        #expect(Set(first).count == 4)
        rig.poll()
        #expect(rig.sent().count == 64)
    }

    @Test func aFullWireHoldsTheDescriptorAndNothingIsLost() throws {
        let rig = try Rig(wireCapacity: 65536)
        rig.enableTraffic()
        let bench = try TransmitBench(rig, count: 128)
        for number in 0..<100 { bench.put(testFrame(1514, seed: UInt8(number))) }
        bench.ring()
        #expect(bench.head < 100)
        #expect(rig.model.nextDeadline != nil)
        var received = 0
        for _ in 0..<100 where received < 100 {
            for frame in rig.sent() {
                #expect(frame == testFrame(1514, seed: UInt8(received)))
                received += 1
            }
            rig.poll()
        }
        #expect(received == 100)
        #expect(bench.head == 100)
    }

    @Test func framesWaitForTheLink() throws {
        let (rig, bench) = try bench()
        rig.model.setCable(plugged: false)
        let slot = bench.put(testFrame(64))
        bench.ring()
        #expect(!bench.isDone(slot))
        rig.model.setCable(plugged: true)
        rig.linkUp()
        #expect(bench.isDone(slot))
        #expect(rig.sent().count == 1)
    }

    @Test func aTagIsInsertedFromTheContextWithTheTypeOfVET() throws {
        let (rig, bench) = try bench()
        let frame = testFrame(100)
        bench.put(TransmitContextDescriptor(vlanTag: 0xA123, macHeaderLength: 14))
        bench.put(frame) { $0[.insertVLAN] = true }
        bench.ring()
        #expect(rig.sent() == [Array(frame[..<12]) + [0x81, 0x00, 0xA1, 0x23] + Array(frame[12...])])
    }

    @Test func checksumsOfIPv4AndTCPAreFilledIn() throws {
        let (rig, bench) = try bench()
        let right = ipv4Frame(6, tcp(payload(77)))
        var prepared = right
        prepared.set16(0, at: 24)
        prepared.set16(
            pseudoHeaderSum(6, addresses: [10, 0, 0, 1, 10, 0, 0, 2], byteCount: 97),
            at: 14 + 20 + 16
        )
        bench.put(
            TransmitContextDescriptor(macHeaderLength: 14, ipHeaderLength: 20, transport: .tcp, isIPv4: true)
        )
        bench.put(prepared) { _ in
        } options: {
            $0[.insertIPChecksum] = true
            $0[.insertTransportChecksum] = true
        }
        bench.ring()
        #expect(rig.sent() == [right])
    }

    @Test func aContextStaysInForceForTheQueue() throws {
        let (rig, bench) = try bench()
        bench.put(TransmitContextDescriptor(vlanTag: 7, macHeaderLength: 14))
        for _ in 0..<3 { bench.put(testFrame(100)) { $0[.insertVLAN] = true } }
        bench.ring()
        #expect(rig.sent().map { $0.number16(at: 14) } == [7, 7, 7])
    }

    @Test func aLongFrameIsSegmented() throws {
        let (rig, bench) = try bench()
        var frame = ipv4Frame(6, tcp(sequence: 1000, flags: 0x18, payload(1700)))
        frame.set16(0, at: 16)
        frame.set16(0, at: 24)
        frame.set16(pseudoHeaderSum(6, addresses: [10, 0, 0, 1, 10, 0, 0, 2], byteCount: 0), at: 50)
        bench.put(
            TransmitContextDescriptor(
                macHeaderLength: 14,
                ipHeaderLength: 20,
                transportHeaderLength: 20,
                segmentSize: 500,
                transport: .tcp,
                isIPv4: true
            )
        )
        let slot = bench.put(frame) {
            $0[.segment] = true
        } options: {
            $0[.payloadLength] = 1700
            $0[.insertIPChecksum] = true
            $0[.insertTransportChecksum] = true
        }
        bench.ring()
        let sent = rig.sent()
        #expect(sent.map(\.count) == [554, 554, 554, 254])
        #expect(sent.map { $0.number32(at: 38) } == [1000, 1500, 2000, 2500])
        #expect(sent.flatMap { $0[54...] } == payload(1700))
        for segment in sent {
            #expect(referenceSum(Array(segment[14..<34])) == 0xFFFF)
            let pseudo = big(pseudoHeaderSum(6, addresses: [10, 0, 0, 1, 10, 0, 0, 2], byteCount: segment.count - 34))
            #expect(referenceSum(pseudo + Array(segment[34...])) == 0xFFFF)
        }
        #expect(bench.isDone(slot))
        #expect(rig.read(I225Register.segmentationContexts) == 1)
        #expect(rig.read(I225Register.goodPacketsTransmitted) == 4)
    }

    @Test func aSmallBudgetCutsSegmentationButLosesNothing() throws {
        let (rig, bench) = try bench { $0.pollBudget = 3 }
        let frame = ipv4Frame(6, tcp(payload(1900)))
        bench.put(
            TransmitContextDescriptor(
                macHeaderLength: 14,
                ipHeaderLength: 20,
                transportHeaderLength: 20,
                segmentSize: 100,
                transport: .tcp,
                isIPv4: true
            )
        )
        bench.put(frame) { $0[.segment] = true }
        rig.write(I225Register.transmitTail[0], UInt32(bench.tail))
        _ = rig.model.poll()
        let first = rig.sent()
        #expect(first.count < 19)
        rig.poll()
        #expect((first + rig.sent()).flatMap { $0[54...] } == payload(1900))
    }

    @Test func aLaunchTimeHoldsTheFrameAndThoseBehindIt() throws {
        let (rig, bench) = try bench()
        rig.startClock()
        rig.write(I225Register.scheduleBaseHigh, 100)
        rig.write(I225Register.scheduleCycle, 1_000_000)
        rig.write(I225Register.queueArbitration, .with { $0[.timeAware] = true })
        rig.write(I225Register.queueScheduling[0], .with { $0[.launchTime] = true })
        rig.setSystemTime(100, 0)
        bench.put(TransmitContextDescriptor(launchTime: 300_000))
        bench.put(testFrame(64, seed: 1))
        bench.put(testFrame(64, seed: 2))
        bench.ring()
        #expect(rig.sent().isEmpty)
        for _ in 0..<50 {
            guard let deadline = rig.model.nextDeadline else { break }
            rig.advance(nanoseconds: max(1, deadline - rig.clock.now))
        }
        #expect(rig.systemTime() == DeviceTime(nanoseconds: 300_000, seconds: 100))
        #expect(rig.sent() == [testFrame(64, seed: 1), testFrame(64, seed: 2)])
    }

    @Test func aLaunchInTheNextCycleIsACycleLater() throws {
        let (rig, bench) = try bench()
        rig.startClock()
        rig.write(I225Register.scheduleBaseHigh, 100)
        rig.write(I225Register.scheduleCycle, 1_000_000)
        rig.write(I225Register.queueArbitration, .with { $0[.timeAware] = true })
        rig.write(I225Register.queueScheduling[0], .with { $0[.launchTime] = true })
        rig.setSystemTime(100, 500_000)
        bench.put(TransmitContextDescriptor(launchTime: 100_000, isFirst: true))
        bench.put(testFrame(64))
        bench.ring()
        rig.advance(nanoseconds: 599_999)
        #expect(rig.sent().isEmpty)
        rig.advance(nanoseconds: 1)
        #expect(rig.sent().count == 1)
    }

    @Test func aTailThatIsRungAsADoorbellCountsLikeARegister() throws {
        let (rig, bench) = try bench()
        let doorbell = try #require(rig.bar.doorbell(at: I225Register.transmitTail[0].offset))
        bench.put(testFrame(64))
        doorbell.ring(1)
        rig.poll()
        #expect(rig.sent().count == 1)
        #expect(rig.read(I225Register.transmitTail[0]) == 1)
        #expect(rig.bar.doorbell(at: I225Register.transmitHead[0].offset) == nil)
    }
}
