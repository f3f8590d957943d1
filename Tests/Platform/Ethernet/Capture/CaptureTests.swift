// From a ring to a file: queues, directions and times, as tshark reads them.

import Clock
import Ethernet
import Testing

@Suite struct CaptureTests {
    @Test(.enabled(if: findTool("tshark") != nil, "needs tshark"))
    func tsharkReadsWhatWasCaptured() throws {
        let bench = try CaptureBench(queueNames: ["i225 q0", "i225 q1"])
        let received = frame(to: station(0), from: station(1))
        let sent = frame(to: station(1), from: station(0), length: 1514)
        // A time that a double cannot hold: readers that go through one lose the last digits.
        #expect(bench.put(received, time: 1_700_000_000_123_456_789, .received, queue: 1))
        #expect(bench.put(sent, time: 1_700_000_000_123_456_790, .transmitted, queue: 0))
        try bench.capture.finish()

        let fields =
            "-e frame.interface_name -e frame.time_epoch -e frame.packet_flags_direction -e frame.len -e eth.src"
        let result = try run("tshark -r \(bench.file.path) -T fields -E separator=| \(fields)")
        let lines = result.output.split(separator: "\n").filter { $0.contains("|") }
        #expect(
            lines == [
                "i225 q1|1700000000.123456789|0x00000001|60|02:00:00:00:00:02",
                "i225 q0|1700000000.123456790|0x00000002|1514|02:00:00:00:00:01",
            ]
        )
        #expect(result.status == 0)
    }

    @Test(.enabled(if: findTool("tshark") != nil, "needs tshark"))
    func tsharkShowsComments() throws {
        let file = TemporaryFile()
        var writer = try PcapngWriter(path: file.path, hardware: "I225-LM", comment: "of the file")
        let interface = writer.addInterface(named: "q0")
        let bytes = frame(to: .broadcast, from: station(0))
        // SAFETY: an array's bytes are initialised.
        unsafe writer.append(
            bytes.span.bytes,
            interface: interface,
            time: 1,
            direction: .received,
            comment: "of-the-frame"
        )
        try writer.close()
        #expect(try run("tshark -r \(file.path) -T fields -e frame.comment").output.contains("of-the-frame"))
    }

    @Test func framesOfNoQueueAreCountedAndNotWritten() throws {
        let bench = try CaptureBench(queueNames: ["q0"])
        #expect(bench.put([1], tag: CaptureTag(.received, queue: 1)))
        #expect(bench.put([1], tag: CaptureTag(.transmitted, queue: 0xFF_FFFF)))
        #expect(bench.put([1], tag: CaptureTag(rawValue: 2)))
        #expect(bench.put([1], tag: CaptureTag(.received, queue: 0)))
        try bench.capture.finish()
        #expect(bench.capture.counters.mislabelled == 3)
        #expect(bench.capture.counters.frames == 1)
        #expect(countBlocks(bench.file.bytes) == 3)
    }

    @Test func framesReachTheFileWithinATenthOfASecond() throws {
        let bench = try CaptureBench(queueNames: ["q0"])
        #expect(bench.capture.poll() == false)
        #expect(bench.put([1, 2, 3], tag: CaptureTag(.received, queue: 0)))
        #expect(bench.capture.poll())
        #expect(!bench.capture.poll())
        let deadline = try #require(bench.capture.nextDeadline)
        #expect(deadline <= bench.clock.now + 100_000_000)
        #expect(bench.file.bytes.isEmpty)

        bench.clock.advance(nanoseconds: deadline - bench.clock.now)
        #expect(bench.capture.poll())
        #expect(countBlocks(bench.file.bytes) == 3)
        #expect(bench.capture.nextDeadline == nil)
        #expect(!bench.capture.poll(), "nothing is left to do")
    }

    @Test func aFullDiskStopsTheFileAndNotTheRing() throws {
        let bench = try CaptureBench(path: "/dev/full", queueNames: ["q0"])
        for round: UInt64 in 1...5 {
            for _ in 0..<100 { #expect(bench.put([1], tag: CaptureTag(.received, queue: 0))) }
            while bench.capture.poll() {}
            bench.clock.advance(nanoseconds: 100_000_000)
            while bench.capture.poll() {}
            #expect(bench.capture.counters.lost == 100 * round)
            #expect((bench.capture.takeFailure() != nil) == (round == 1))
            #expect(bench.capture.nextDeadline == nil, "its owner can sleep")
        }
    }

    @Test func aDiskThatIsFullBeforeTheDeadlineLeavesNoDeadline() throws {
        let bench = try CaptureBench(path: "/dev/full", queueNames: ["q0"])
        for _ in 0..<300 {
            #expect(bench.put([UInt8](repeating: 1, count: 1000), tag: CaptureTag(.received, queue: 0)))
            #expect(bench.capture.poll())
        }
        #expect(bench.capture.counters.lost == 300)
        #expect(bench.capture.nextDeadline == nil)
    }

    @Test func aCaptureThatIsLetGoWritesWhatItHas() throws {
        let file = TemporaryFile()
        do {
            let bench = try CaptureBench(path: file.path, queueNames: ["q0"])
            #expect(bench.put([1, 2, 3], tag: CaptureTag(.received, queue: 0)))
        }
        #expect(countBlocks(file.bytes) == 3)
    }

    @Test func tagsCarryDirectionAndQueue() {
        for direction in [FrameDirection.received, .transmitted] {
            for queue in [0, 1, 3, 255, 0xFF_FFFF] {
                let tag = CaptureTag(direction, queue: queue)
                #expect(tag.direction == direction)
                #expect(tag.queue == queue)
            }
        }
        #expect(CaptureTag(.transmitted, queue: 3).rawValue == 0x301)
    }
}

/// A capture on a virtual clock, and the model's end of its ring.
private final class CaptureBench {
    let clock = VirtualClock()
    let file = TemporaryFile()
    let capture: Capture
    private var producer: FrameProducer

    init(path: String? = nil, queueNames: [String]) throws {
        let ring = FrameRing()
        producer = ring.producer
        capture = Capture(
            ring.consumer,
            to: try PcapngWriter(path: path ?? file.path),
            queueNames: queueNames,
            clock: .virtual(clock)
        )
    }

    func put(_ frame: [UInt8], time: UInt64 = 0, tag: CaptureTag) -> Bool {
        // SAFETY: an array's bytes are initialised.
        unsafe producer.send(frame.span.bytes, wireTime: time, tag: tag.rawValue)
    }

    func put(_ frame: [UInt8], time: UInt64, _ direction: FrameDirection, queue: Int) -> Bool {
        put(frame, time: time, tag: CaptureTag(direction, queue: queue))
    }
}
