// The capture tap: every frame, once, with the card's time.

import Clock
import Ethernet
import I225Model
import I225Wire
import Registers
import Testing

@Suite("Capture")
struct CaptureTests {
    private struct Captured: Equatable {
        let bytes: [UInt8]
        let time: UInt64
        let tag: UInt32
    }

    private func drain(_ ring: inout FrameConsumer) -> [Captured] {
        var frames: [Captured] = []
        // SAFETY: the bytes are copied before the frame is consumed.
        while let frame = unsafe ring.peek() {
            let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: frame.bytes, count: frame.length))
            frames.append(unsafe Captured(bytes: bytes, time: frame.wireTime, tag: frame.tag))
            unsafe ring.consume(frame)
        }
        ring.release()
        return frames
    }

    @Test func everyFrameIsCopiedWithTheDevicesTimeAndItsDirection() throws {
        let rig = try Rig()
        rig.enableTraffic()
        rig.startClock()
        rig.setSystemTime(42, 0)
        let ring = FrameRing()
        var tap = ring.consumer
        rig.model.capture = Optional(ring.producer)
        let transmitter = try TransmitBench(rig, queue: 2)
        let receiver = try ReceiveBench(rig)
        transmitter.put(testFrame(64, seed: 1))
        transmitter.ring()
        let wireTime = try #require(rig.takeWireTime())
        rig.advance(nanoseconds: 1000)
        rig.arrive(testFrame(70, seed: 2))
        rig.poll()
        #expect(receiver.head == 1)
        let sent = rig.model.deviceTime(atHostTime: wireTime)
        let arrived = rig.model.deviceTime(atHostTime: rig.clock.now)
        let frames = drain(&tap)
        #expect(
            frames == [
                Captured(
                    bytes: testFrame(64, seed: 1),
                    time: sent,
                    tag: CaptureTag(.transmitted, queue: 2).rawValue
                ),
                Captured(
                    bytes: testFrame(70, seed: 2),
                    time: arrived,
                    tag: CaptureTag(.received, queue: 0).rawValue
                ),
            ]
        )
    }

    @Test func aTagThatTheDeviceStripsIsInTheCapture() throws {
        let rig = try Rig()
        rig.enableTraffic()
        rig.modify(I225Register.deviceControl) { $0[.vlanMode] = true }
        let ring = FrameRing()
        var tap = ring.consumer
        rig.model.capture = Optional(ring.producer)
        let receiver = try ReceiveBench(rig)
        let plain = testFrame(100)
        let tagged = Array(plain[..<12]) + [0x81, 0x00, 0x00, 0x07] + Array(plain[12...])
        rig.arrive(tagged)
        rig.arrive(plain)
        rig.poll()
        #expect(receiver.bytes(0) == plain)
        #expect(drain(&tap).map(\.bytes) == [tagged, plain])
    }

    @Test func aCaptureThatIsTooSlowLosesCopiesNotFrames() throws {
        let rig = try Rig()
        rig.enableTraffic()
        let ring = FrameRing(capacity: 65536)
        rig.model.capture = Optional(ring.producer)
        let transmitter = try TransmitBench(rig, count: 128)
        for _ in 0..<100 { transmitter.put(testFrame(1500)) }
        transmitter.ring()
        #expect(rig.sent().count == 100)
        let lost = rig.model.counters.framesNotCaptured
        #expect(lost > 0 && lost < 100)
    }
}
