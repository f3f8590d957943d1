// Frames out and in without any offload: bytes, padding, descriptors.

import I225Wire
import Registers
import Testing

@Suite("Frames without offloads")
struct PlainTrafficTests {
    @Test func aFrameLeavesAsItIsInMemoryAndItsDescriptorComesBack() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try TransmitBench(rig)
        let frame = testFrame(200)
        let slot = bench.put(frame)
        bench.ring()
        #expect(rig.sent() == [frame])
        #expect(bench.isDone(slot))
        #expect(bench.head == 1)
    }

    @Test func aShortFrameIsPaddedWithZerosTo60Bytes() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try TransmitBench(rig)
        let frame = testFrame(17)
        bench.put(frame)
        bench.ring()
        #expect(rig.sent() == [frame + [UInt8](repeating: 0, count: 43)])
    }

    @Test func aFrameArrivesInTheBufferAndItsDescriptorSaysSo() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let bench = try ReceiveBench(rig)
        let frame = testFrame(64)
        rig.arriveAndPoll(frame)
        let writeBack = bench.writeBack(0)
        #expect(writeBack.status[.done])
        #expect(writeBack.status[.endOfPacket])
        #expect(!writeBack.status[.receiveError])
        #expect(writeBack.length == 64)
        #expect(bench.bytes(0) == frame)
        #expect(bench.head == 1)
    }
}
