// An I225 at work: four queue pairs with their vectors, frames of many flows out and, by a wire that leads back, in.

import Backing
import Clock
import Ethernet
import I225Driver
import I225Model
import Interrupts
import Leases
import Memory
import Netdev

enum I225Inspection {
    private static let queueCount = 4
    private static let framesPerQueue = 256
    private static let bufferBytes = 2048
    private static let entries = 256

    struct NothingCame: Error, CustomStringConvertible {
        let came: Int
        let sent: Int
        var description: String { "\(came) of \(sent) frames came back within five seconds" }
    }

    static func vectors() throws -> VectorListing {
        let census = Census()
        let card = VirtualI225(I225Options(), port: .loopback(), farEnd: [], census: census)
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        configuration.receiveQueueCount = queueCount
        var device = try card.open(configuration)
        // Where this machine's CPUs cannot be told, the vectors go anywhere.
        let spread = (try? Topology.read()).map { topology in
            var spread = AffinitySpread(.allAtOnce, over: topology, near: nil)
            spread.place(upTo: queueCount + 1)
            return spread
        }
        var leases = try device.enableInterrupts(queueCount: queueCount, spread: spread)
        var hosts: [Host] = []
        var pumps: [any Pollable] = []
        for index in 0..<queueCount {
            let wire = WirePair()
            let near = wire.first
            hosts.append(Host(wire.second, flows: UInt16(index * framesPerQueue)))
            let queue = try device.openQueuePair(index, entries: entries, vector: leases[index].take())
            let memory = try card.backing.allocateDMA(
                byteCount: 2 * entries * bufferBytes,
                .both,
                purpose: "inspect-buffers"
            )
            let buffers = BufferPool(memory: memory, bufferBytes: bufferBytes)
            pumps.append(NetdevPump(queue: queue, port: near, buffers: buffers, clock: .monotonic))
        }
        // Sleeps at once where there is nothing to do: vectors fire for those who wait for them.
        let loop = PollingLoop(pumps, spinNanoseconds: 0)
        defer { loop.stop() }
        let total = queueCount * framesPerQueue
        var sent = 0
        var came = 0
        let clock = DeviceClock.monotonic
        _ = clock.waitUntil(timeoutNanoseconds: 5_000_000_000, intervalNanoseconds: 200_000) {
            for host in hosts where sent < total && sent - came < entries { sent += host.send(16) }
            for host in hosts { came += host.receive() }
            return came >= total
        }
        guard came >= total else { throw NothingCame(came: came, sent: sent) }
        _ = try device.service()
        return VectorListing(device: card.backing.name, tableCount: card.backing.vectorCount, device.vectorStatuses)
    }

    /// The stack's end of a queue pair: UDP datagrams, each of another flow.
    private final class Host {
        private var port: WirePort
        private var frame = [UInt8](repeating: 0, count: 60)
        private var flow: UInt16

        init(_ port: consuming WirePort, flows: UInt16) {
            self.port = port
            flow = flows
            frame.replaceSubrange(0..<14, with: [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00])
            // IPv4 of 46 bytes, UDP, between addresses for benchmarks (RFC 2544).
            frame.replaceSubrange(14..<24, with: [0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17])
            frame.replaceSubrange(26..<34, with: [198, 18, 0, 1, 198, 18, 0, 2])
            frame.replaceSubrange(34..<40, with: [0, 0, 0x23, 0x83, 0, 26])
        }

        func send(_ count: Int) -> Int {
            for sent in 0..<count {
                flow &+= 1
                frame[34] = UInt8(truncatingIfNeeded: flow >> 8)
                frame[35] = UInt8(truncatingIfNeeded: flow)
                let frame = frame
                // SAFETY: bytes have no padding.
                guard unsafe port.transmit.send(frame.span.bytes, wireTime: 0) else { return sent }
            }
            return count
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
