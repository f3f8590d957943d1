// The 16 bytes that a stamping queue puts before a frame.

import Clock
import I225Model
import I225Wire
import Registers
import Testing

@Suite("Receive stamps")
struct ReceiveStampTests {
    private func rig(on queue: Int = 0, _ bench: (Rig) throws -> ReceiveBench) throws -> (Rig, ReceiveBench) {
        let rig = try Rig()
        rig.enableTraffic()
        rig.startClock()
        rig.setSystemTime(500, 0)
        let bench = try bench(rig)
        rig.modify(I225Register.receivePacketBuffer) { $0[.timestamps] = true }
        rig.modify(I225Register.splitReceiveControl[queue]) { $0[.timestamps] = true }
        rig.write(I225Register.receiveStampControl, ReceiveStampControl(raw: 0x418))
        return (rig, bench)
    }

    private func header(_ bytes: [UInt8]) -> ReceiveStampHeader {
        func quadword(_ start: Int) -> UInt64 {
            bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        return ReceiveStampHeader(first: quadword(0), second: quadword(8))
    }

    @Test func sixteenBytesBeforeTheFrameHoldBothTimers() throws {
        let (rig, bench) = try rig { try ReceiveBench($0) }
        let frame = testFrame(64)
        let wireTime = rig.clock.now - 300
        rig.arrive(frame, at: wireTime)
        rig.poll()
        let writeBack = bench.writeBack(0)
        #expect(writeBack.status[.stamped])
        #expect(writeBack.length == 80)
        let bytes = bench.bytes(0)
        #expect(Array(bytes[16...]) == frame)
        // Raw stamps are later than the wire by the latency that software takes off again.
        let latency = LinkSpeed.megabits2500.receiveLatency
        #expect(header(bytes).timer0.totalNanoseconds == rig.model.deviceTime(atHostTime: wireTime) + latency)
        #expect(header(bytes).timer1.totalNanoseconds == rig.model.freeTime(atHostTime: wireTime) + latency)
    }

    @Test func theTimersAreThoseThatSRRCTLSelects() throws {
        let (rig, bench) = try rig { try ReceiveBench($0) }
        rig.modify(I225Register.splitReceiveControl[0]) {
            $0[.timer1] = 0
            $0[.timer0] = 1
        }
        rig.arriveAndPoll(testFrame(64))
        let stamps = header(bench.bytes(0))
        #expect(stamps.timer1.seconds == 500)
        #expect(stamps.timer0.seconds == 0)
    }

    @Test func allThreeSwitchesMustBeOn() throws {
        let (rig, bench) = try rig { try ReceiveBench($0) }
        rig.write(I225Register.receiveStampControl, ReceiveStampControl(raw: 0))
        rig.arriveAndPoll(testFrame(64))
        rig.write(I225Register.receiveStampControl, ReceiveStampControl(raw: 0x418))
        rig.modify(I225Register.receivePacketBuffer) { $0[.timestamps] = false }
        rig.arriveAndPoll(testFrame(64))
        rig.modify(I225Register.receivePacketBuffer) { $0[.timestamps] = true }
        rig.modify(I225Register.splitReceiveControl[0]) { $0[.timestamps] = false }
        rig.arriveAndPoll(testFrame(64))
        for slot in 0..<3 {
            #expect(!bench.writeBack(slot).status[.stamped])
            #expect(bench.writeBack(slot).length == 64)
        }
    }

    @Test func aSplitFrameIsStampedInItsFirstBufferOnly() throws {
        let (rig, bench) = try rig { try ReceiveBench($0, bufferKilobytes: 1) }
        let frame = testFrame(1500)
        rig.arriveAndPoll(frame)
        #expect(bench.writeBack(0).status[.stamped])
        #expect(!bench.writeBack(0).status[.endOfPacket])
        #expect(bench.writeBack(0).length == 1024)
        #expect(!bench.writeBack(1).status[.stamped])
        #expect(bench.writeBack(1).status[.endOfPacket])
        #expect(bench.writeBack(1).length == 492)
        #expect(Array(bench.bytes(0)[16...]) + bench.bytes(1) == frame)
    }
}
