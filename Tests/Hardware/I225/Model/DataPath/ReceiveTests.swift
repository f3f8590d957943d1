// Frames in, write-backs out: sections 2.4 and 4.1 of the I225 contract.

import I225Model
import I225Wire
import Registers
import TestFrames
import Testing

@Suite("Receive queues")
struct ReceiveTests {
    private func rig() throws -> Rig {
        let rig = try Rig()
        rig.enableTraffic()
        return rig
    }

    @Test func aLongFrameIsSplitAndOnlyItsLastPieceEndsIt() throws {
        let rig = try rig()
        let bench = try ReceiveBench(rig, bufferKilobytes: 1)
        let frame = testFrame(2500)
        rig.arriveAndPoll(frame)
        #expect((0..<3).map { bench.writeBack($0).length } == [1024, 1024, 452])
        #expect((0..<3).map { bench.writeBack($0).status[.endOfPacket] } == [false, false, true])
        #expect(bench.bytes(0) + bench.bytes(1) + bench.bytes(2) == frame)
    }

    @Test func aFrameForAnotherStationIsFiltered() throws {
        let rig = try rig()
        rig.modify(I225Register.receiveControl) {
            $0[.unicastPromiscuous] = false
            $0[.multicastPromiscuous] = false
        }
        let bench = try ReceiveBench(rig)
        rig.arriveAndPoll(testFrame(64, to: [0x02, 9, 9, 9, 9, 9]))
        rig.arriveAndPoll(testFrame(64, to: [0x01, 0, 0x5E, 0, 0, 1]))
        #expect(bench.head == 0)
        rig.arriveAndPoll(testFrame(64))
        rig.arriveAndPoll(testFrame(64, to: [UInt8](repeating: 0xFF, count: 6)))
        #expect(bench.head == 2)
        #expect(rig.model.counters.framesFiltered == 2)
    }

    @Test func aMulticastFrameIsTakenIfItsBitIsSet() throws {
        let rig = try rig()
        rig.modify(I225Register.receiveControl) { $0[.multicastPromiscuous] = false }
        let bench = try ReceiveBench(rig)
        // 12 bits: (addr[4] >> 4 | addr[5] << 4) = 0x012 for ...:20:01; register 0, bit 18.
        rig.write(I225Register.multicastTable[0], 1 << 18)
        rig.arriveAndPoll(testFrame(64, to: [0x01, 0, 0x5E, 0, 0x20, 0x01]))
        rig.arriveAndPoll(testFrame(64, to: [0x01, 0, 0x5E, 0, 0x20, 0x02]))
        #expect(bench.head == 1)
    }

    @Test func withVMETheTagIsStrippedAndReported() throws {
        let rig = try rig()
        rig.modify(I225Register.deviceControl) { $0[.vlanMode] = true }
        let bench = try ReceiveBench(rig)
        let plain = testFrame(100)
        rig.arriveAndPoll(Array(plain[..<12]) + [0x81, 0x00, 0x60, 0x64] + Array(plain[12...]))
        #expect(bench.writeBack(0).status[.vlanStripped])
        #expect(bench.writeBack(0).vlanTag == 0x6064)
        #expect(bench.bytes(0) == plain)
    }

    @Test func withoutVMETheTagStays() throws {
        let rig = try rig()
        let bench = try ReceiveBench(rig)
        let tagged = ethernet(tags: [5], type: 0x88B5, payload(60))
        rig.arriveAndPoll(tagged)
        #expect(!bench.writeBack(0).status[.vlanStripped])
        #expect(bench.bytes(0) == tagged)
    }

    @Test func theHashChoosesTheQueueAndIsReported() throws {
        let rig = try rig()
        let benches = try (0..<4).map { try ReceiveBench(rig, queue: $0) }
        // The key and the vector of Microsoft's "Verifying the RSS hash calculation".
        let key: [UInt32] = [
            0xDA56_5A6D, 0xC20E_5B25, 0x3D25_6741, 0xB08F_A343, 0xCB2B_CAD0, 0xB4307BAE, 0xA32D_CB77, 0x0CF2_3080,
            0x3BB7_426A, 0xFA01_ACBE,
        ]
        for (index, word) in key.enumerated() { rig.write(I225Register.hashKey[index], word) }
        for index in 0..<32 { rig.write(I225Register.redirectionTable[index], 0x0302_0100) }
        rig.write(
            I225Register.multipleReceiveQueues,
            .with {
                $0[.mode] = MultipleReceiveQueues.receiveSideScaling
                $0[.hashTCPv4] = true
                $0[.hashIPv4] = true
            }
        )
        rig.modify(I225Register.receiveChecksum) { $0[.hashInsteadOfChecksum] = true }
        let frame = ipv4Frame(
            6,
            from: [66, 9, 149, 187],
            to: [161, 142, 100, 80],
            tcp(from: 2794, to: 1766, payload(10))
        )
        rig.arriveAndPoll(frame)
        let queue = Int(0x51CC_C178 & 3)
        #expect(benches[queue].writeBack(0).rssHash == 0x51CC_C178)
        #expect(benches[queue].writeBack(0).rssType == .tcpIPv4)
        #expect(benches.map(\.head) == (0..<4).map { $0 == queue ? 1 : 0 })
    }

    @Test func anEtherTypeFilterChoosesTheQueue() throws {
        let rig = try rig()
        let benches = try (0..<4).map { try ReceiveBench(rig, queue: $0) }
        rig.write(
            I225Register.etherTypeFilter[3],
            .with {
                $0[.etherType] = 0x88F7
                $0[.queue] = 2
                $0[.enabled] = true
                $0[.selectsQueue] = true
            }
        )
        rig.arriveAndPoll(ethernet(type: 0x88F7, payload(50)))
        #expect(benches.map(\.head) == [0, 0, 1, 0])
    }

    @Test func aWrongChecksumIsReportedARightOneToo() throws {
        let rig = try rig()
        let bench = try ReceiveBench(rig)
        let right = ipv4Frame(17, udp(payload(40)))
        var wrong = right
        wrong[60] ^= 1
        rig.arriveAndPoll(right)
        rig.arriveAndPoll(wrong)
        #expect(bench.writeBack(0).status[.ipChecked])
        #expect(bench.writeBack(0).status[.udpChecked])
        #expect(!bench.writeBack(0).status[.transportError])
        #expect(bench.writeBack(1).status[.transportError])
    }

    @Test func aFrameThatIsNotIPIsNotJudged() throws {
        let rig = try rig()
        let bench = try ReceiveBench(rig)
        rig.arriveAndPoll(testFrame(64))
        #expect(bench.writeBack(0).status[.ignoreChecksum])
    }

    @Test func withoutDescriptorsFramesWaitOnTheWire() throws {
        let rig = try rig()
        let bench = try ReceiveBench(rig, provide: 2)
        for number in 0..<5 { rig.arrive(testFrame(64, seed: UInt8(number))) }
        rig.poll()
        #expect(bench.head == 2)
        #expect(rig.read(I225Register.receivedWithoutBuffer) == 1)
        #expect(rig.read(I225Register.missedPackets) == 0)
        bench.provide(10)
        rig.poll()
        #expect(bench.head == 5)
        #expect(bench.bytes(4) == testFrame(64, seed: 4))
    }

    @Test func beyondThePacketBufferTheyAreDroppedAndCounted() throws {
        let rig = try rig()
        let bench = try ReceiveBench(rig, provide: 0)
        rig.modify(I225Register.receivePacketBuffer) { $0[.expressKilobytes] = 2 }
        for _ in 0..<10 { rig.arrive(testFrame(1000)) }
        rig.poll()
        let missed = rig.read(I225Register.missedPackets)
        #expect(missed == 8)
        #expect(rig.read(I225Register.receiveQueueDrops[0]) == missed)
        rig.write(I225Register.receiveQueueDrops[0], 0)
        #expect(rig.read(I225Register.receiveQueueDrops[0]) == 0)
        #expect(rig.model.counters.framesDropped == 8)
        bench.provide(8)
        rig.poll()
        #expect(bench.head == 2)
    }

    @Test func withFlowControlNothingIsDropped() throws {
        let rig = try rig()
        let bench = try ReceiveBench(rig, provide: 0)
        rig.modify(I225Register.deviceControl) { $0[.transmitFlowControl] = true }
        rig.modify(I225Register.receivePacketBuffer) { $0[.expressKilobytes] = 2 }
        for _ in 0..<10 { rig.arrive(testFrame(1000)) }
        rig.poll()
        bench.provide(15)
        rig.poll()
        #expect(bench.head == 10)
        #expect(rig.read(I225Register.missedPackets) == 0)
    }

    @Test func receptionOffOrLinkDownDrainsTheWireAndCounts() throws {
        let rig = try rig()
        let bench = try ReceiveBench(rig)
        rig.modify(I225Register.receiveControl) { $0[.enabled] = false }
        rig.arriveAndPoll(testFrame(64))
        rig.modify(I225Register.receiveControl) { $0[.enabled] = true }
        rig.model.setCable(plugged: false)
        rig.arriveAndPoll(testFrame(64))
        #expect(bench.head == 0)
        #expect(rig.model.counters.framesIgnored == 2)
    }

    @Test func theLongestFrameIsRLPMLWithCRC() throws {
        let rig = try rig()
        let bench = try ReceiveBench(rig)
        rig.write(I225Register.longestPacket, 1000)
        rig.arriveAndPoll(testFrame(996))
        rig.arriveAndPoll(testFrame(997))
        #expect(bench.head == 1)
        #expect(rig.read(I225Register.oversizeReceived) == 1)
    }

    @Test func withoutLPETheLongestFrameHas1522Bytes() throws {
        let rig = try rig()
        rig.modify(I225Register.receiveControl) { $0[.longPackets] = false }
        let bench = try ReceiveBench(rig)
        rig.arriveAndPoll(testFrame(1518))
        rig.arriveAndPoll(testFrame(1519))
        #expect(bench.head == 1)
    }
}
