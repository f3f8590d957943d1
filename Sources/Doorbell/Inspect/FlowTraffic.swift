// Work for a card that is looked at: datagrams of many flows come over its wire, and the queue pairs that they are spread
// over sleep on their vectors until some come. They may send them back.

import Backing
import Clock
import Ethernet
import Memory
import Netdev

/// Queue pairs at work, and the wire that gives them work.
final class FlowTraffic {
    private static let bufferBytes = 2048
    private static let burst = 16
    /// Frames on the way at the most: any queue has room for all of them.
    private static let window = 256
    private static let frameBytes = 60
    /// Behind the headers of Ethernet, IPv4 and UDP.
    private static let numberOffset = 42

    /// Frames that were sent did not arrive.
    struct Lost: Error, CustomStringConvertible {
        let arrived: Int
        let sent: Int
        /// Of those that arrived: frames that did before, or that nobody sent.
        let strange: Int

        var description: String {
            "\(arrived) of \(sent) frames arrived, \(strange) strange ones, and then none for five seconds"
        }
    }

    private let station: UInt64
    private let frameCount: Int
    private let returnsFrames: Bool
    private let farEnd: HostEnd
    private var hostEnds: [HostEnd] = []
    private var pumps: [any Pollable] = []

    /// A port as an object's field.
    private final class HostEnd {
        var port: WirePort
        init(_ port: consuming WirePort) { self.port = port }

        /// Takes what has come; `body` gets the bytes of every frame.
        func drain(_ body: (RawSpan) -> Void) {
            // SAFETY: a frame is not looked at after it was consumed.
            while let frame = unsafe port.receive.peek() {
                unsafe body(RawSpan(_unsafeStart: frame.bytes, byteCount: frame.length))
                unsafe port.receive.consume(frame)
            }
            port.receive.release()
        }

        func send(_ bytes: RawSpan) -> Bool { port.transmit.send(bytes, wireTime: 0) }
    }

    /// - Parameters:
    ///   - station: where frames are sent to, first byte in the lowest bits.
    ///   - farEnd: of the card's wire.
    ///   - frames: how many are sent.
    ///   - returnsFrames: whether they are sent back from the queue where they arrive, and have arrived when they are back.
    init(
        to station: UInt64,
        from farEnd: consuming WirePort,
        frames: Int = 1024,
        returnsFrames: Bool = false
    ) {
        self.station = station
        self.farEnd = HostEnd(farEnd)
        frameCount = frames
        self.returnsFrames = returnsFrames
    }

    /// Has a queue pair carry frames.
    func add<Queue: NetdevQueue & ~Copyable>(
        _ queue: consuming Queue,
        buffers count: Int,
        on backing: some PCIeBacking
    ) throws {
        let wire = WirePair()
        let near = wire.first
        hostEnds.append(HostEnd(wire.second))
        let memory = try backing.allocateDMA(byteCount: count * Self.bufferBytes, .both, purpose: "flow-buffers")
        let buffers = BufferPool(memory: memory, bufferBytes: Self.bufferBytes)
        pumps.append(NetdevPump(queue: queue, port: near, buffers: buffers, clock: .monotonic))
    }

    /// Sends frames in bursts until all have arrived.
    ///
    /// - Parameter look: looks at the device then, while its queues still have their vectors.
    func run<Result>(then look: () throws -> Result) throws -> Result {
        // Sleeps at once where there is nothing to do.
        let loop = PollingLoop(pumps, spinNanoseconds: 0)
        defer { loop.stop() }
        var sent = 0
        var seen = [Bool](repeating: false, count: frameCount)
        var arrived = 0
        var strange = 0
        func note(_ bytes: RawSpan) {
            guard let number = number(bytes), number < sent, !seen[number] else {
                strange += 1
                return
            }
            seen[number] = true
            arrived += 1
        }
        let clock = DeviceClock.monotonic
        var lastArrival = clock.now
        while arrived < frameCount, clock.now &- lastArrival < 5_000_000_000 {
            let before = arrived
            for _ in 0..<Self.burst where sent < frameCount && sent - arrived < Self.window {
                let frame = frame(sent)
                // SAFETY: bytes have no padding.
                guard unsafe farEnd.send(frame.span.bytes) else { break }
                sent += 1
            }
            for end in hostEnds {
                end.drain { bytes in if !returnsFrames || !end.send(bytes) { note(bytes) } }
            }
            farEnd.drain(note)
            if arrived > before { lastArrival = clock.now }
            clock.wait(nanoseconds: 20_000)
        }
        guard arrived == frameCount, strange == 0 else { throw Lost(arrived: arrived, sent: sent, strange: strange) }
        return try look()
    }

    /// A UDP datagram of flow `number`, between networks for benchmarks (RFC 2544).
    private func frame(_ number: Int) -> [UInt8] {
        let flow = [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
        var frame = (0..<6).map { UInt8(truncatingIfNeeded: station >> (8 * $0)) } + [2, 0, 0, 0, 0, 1, 0x08, 0x00]
        frame += [0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 198, 18] + flow + [198, 19, 0, 1]
        frame += flow + [0x23, 0x83, 0, 26, 0, 0]
        frame += (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
        return frame + [UInt8](repeating: 0, count: Self.frameBytes - frame.count)
    }

    /// The number of a frame of ours.
    private func number(_ bytes: RawSpan) -> Int? {
        guard bytes.byteCount == Self.frameBytes else { return nil }
        return Int(bytes.networkUInt32(at: Self.numberOffset))
    }
}
