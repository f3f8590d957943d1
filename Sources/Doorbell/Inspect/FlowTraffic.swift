// Work for a card that is looked at: datagrams of many flows come over its wire, and the queue pairs that they are spread
// over sleep on their vectors until some come.

import Backing
import Clock
import Ethernet
import Memory
import Netdev

/// Queue pairs at work, and the wire that gives them work.
final class FlowTraffic {
    private static let bufferBytes = 2048
    private static let frameCount = 1024
    private static let burst = 16

    /// Frames that were sent did not arrive.
    struct Lost: Error, CustomStringConvertible {
        let arrived: Int
        let sent: Int
        var description: String { "\(arrived) of \(sent) frames arrived within five seconds" }
    }

    private let station: UInt64
    private var farEnd: WirePort
    private var hostEnds: [HostEnd] = []
    private var pumps: [any Pollable] = []

    /// A port as an object's field.
    private final class HostEnd {
        var port: WirePort
        init(_ port: consuming WirePort) { self.port = port }

        /// Takes what has come; how many frames.
        func drain() -> Int {
            var count = 0
            // SAFETY: a frame is not looked at after it was consumed.
            while let frame = unsafe port.receive.peek() {
                unsafe port.receive.consume(frame)
                count += 1
            }
            port.receive.release()
            return count
        }
    }

    /// - Parameters:
    ///   - station: where frames are sent to, first byte in the lowest bits.
    ///   - farEnd: of the card's wire.
    init(to station: UInt64, from farEnd: consuming WirePort) {
        self.station = station
        self.farEnd = farEnd
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
        var arrived = 0
        _ = DeviceClock.monotonic.waitUntil(timeoutNanoseconds: 5_000_000_000, intervalNanoseconds: 200_000) {
            for _ in 0..<Self.burst where sent < Self.frameCount && sent - arrived < Self.frameCount / 4 {
                // SAFETY: bytes have no padding.
                guard unsafe farEnd.transmit.send(frame(sent).span.bytes, wireTime: 0) else { break }
                sent += 1
            }
            for end in hostEnds { arrived += end.drain() }
            return arrived >= Self.frameCount
        }
        guard arrived >= Self.frameCount else { throw Lost(arrived: arrived, sent: sent) }
        return try look()
    }

    /// A UDP datagram of flow `number`, between networks for benchmarks (RFC 2544).
    private func frame(_ number: Int) -> [UInt8] {
        let flow = [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
        var frame = (0..<6).map { UInt8(truncatingIfNeeded: station >> (8 * $0)) } + [2, 0, 0, 0, 0, 1, 0x08, 0x00]
        frame += [0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 198, 18] + flow + [198, 19, 0, 1]
        frame += flow + [0x23, 0x83, 0, 26, 0, 0]
        return frame + [UInt8](repeating: 0, count: 60 - frame.count)
    }
}
