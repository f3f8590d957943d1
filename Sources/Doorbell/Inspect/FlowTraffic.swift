// Work for a card that is looked at: on every queue pair a pump, and a stack's end that sends datagrams of many flows, which
// come back by a wire that leads back.

import Backing
import Clock
import Ethernet
import Memory
import Netdev

/// Queue pairs at work, until its end.
final class FlowTraffic {
    private static let bufferBytes = 2048
    /// Frames on the way at most: a queue has room for all of them.
    private static let window = 256

    /// Frames that were sent did not come back.
    struct Lost: Error, CustomStringConvertible {
        let came: Int
        let sent: Int
        var description: String { "\(came) of \(sent) frames came back within five seconds" }
    }

    private let station: UInt64
    private let framesPerQueue: Int
    private var hosts: [Host] = []
    private var pumps: [any Pollable] = []

    /// - Parameter station: where frames are sent to, first byte in the lowest bits.
    init(to station: UInt64, framesPerQueue: Int = 256) {
        self.station = station
        self.framesPerQueue = framesPerQueue
    }

    /// Has a queue pair carry frames.
    ///
    /// - Parameter entries: of each of its rings.
    func add<Queue: NetdevQueue & ~Copyable>(
        _ queue: consuming Queue,
        entries: Int,
        on backing: some PCIeBacking
    ) throws {
        let wire = WirePair()
        let near = wire.first
        let flows = UInt16(truncatingIfNeeded: hosts.count * framesPerQueue)
        hosts.append(Host(wire.second, frames: framesPerQueue, flows: flows, to: station))
        let memory = try backing.allocateDMA(byteCount: entries * Self.bufferBytes, .both, purpose: "flow-buffers")
        let buffers = BufferPool(memory: memory, bufferBytes: Self.bufferBytes)
        pumps.append(NetdevPump(queue: queue, port: near, buffers: buffers, clock: .monotonic))
    }

    /// Sends frames on every queue pair until as many have come back.
    ///
    /// - Parameter whileAtWork: looks at the device when they have, while its queues still have their vectors.
    func run<Result>(whileAtWork look: () throws -> Result) throws -> Result {
        // Sleeps at once where there is nothing to do: vectors fire for those who wait for them.
        let loop = PollingLoop(pumps, spinNanoseconds: 0)
        defer { loop.stop() }
        let total = hosts.count * framesPerQueue
        var sent = 0
        var came = 0
        _ = DeviceClock.monotonic.waitUntil(timeoutNanoseconds: 5_000_000_000, intervalNanoseconds: 200_000) {
            for host in hosts where sent - came < Self.window { sent += host.send(16) }
            for host in hosts { came += host.receive() }
            return came >= total
        }
        guard came >= total else { throw Lost(came: came, sent: sent) }
        return try look()
    }

    /// The stack's end of a queue pair: UDP datagrams, each of another flow.
    private final class Host {
        private var port: WirePort
        private var frame = [UInt8](repeating: 0, count: 60)
        private var flow: UInt16
        private var left: Int

        /// - Parameters:
        ///   - frames: to be sent.
        ///   - flows: the first of them.
        init(_ port: consuming WirePort, frames: Int, flows: UInt16, to station: UInt64) {
            self.port = port
            left = frames
            flow = flows
            let address = (0..<6).map { UInt8(truncatingIfNeeded: station >> (8 * $0)) }
            frame.replaceSubrange(0..<14, with: address + [2, 0, 0, 0, 0, 1, 0x08, 0x00])
            // IPv4 of 46 bytes, UDP, between addresses for benchmarks (RFC 2544).
            frame.replaceSubrange(14..<24, with: [0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17])
            frame.replaceSubrange(26..<34, with: [198, 18, 0, 1, 198, 18, 0, 2])
            frame.replaceSubrange(34..<40, with: [0, 0, 0x23, 0x83, 0, 26])
        }

        /// Sends up to `count` of the frames that are left; how many.
        func send(_ count: Int) -> Int {
            let wanted = min(count, left)
            for sent in 0..<wanted {
                flow &+= 1
                frame[34] = UInt8(truncatingIfNeeded: flow >> 8)
                frame[35] = UInt8(truncatingIfNeeded: flow)
                // SAFETY: the bytes are an array's, for the time of the call. (A span of a class's array lives too long for a
                // release build.)
                let isSent = unsafe frame.withUnsafeBytes { unsafe port.transmit.send($0.bytes, wireTime: 0) }
                guard isSent else { return sent }
                left -= 1
            }
            return wanted
        }

        func receive() -> Int {
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
}
