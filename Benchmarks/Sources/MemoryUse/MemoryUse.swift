// memory: what a card with four queue pairs of 1024 descriptors and their buffers takes, and what a million frames take
// from the heap once traffic is steady.

import Backing
import Clock
import CountedAllocator
import Ethernet
import Foundation
import I225Driver
import I225Model
import Leases
import Measure
import Memory
import Netdev

@main
enum MemoryUse {
    static let queues = 4
    static let entries = 1024
    static let bufferBytes = 2048
    static let frames = 1_000_000

    static func main() throws {
        var thresholds = Thresholds("memory")
        let before = residentBytes()
        let card = try Card()
        // Several times round all rings, so that every page that traffic uses is there.
        card.pass(frames: 20 * queues * entries)
        let mebibytes = Double(residentBytes() - before) / 1_048_576
        print(
            "\(queues) queue pairs of \(entries) descriptors with buffers: \(decimal(mebibytes)) MiB resident:",
            thresholds.judge("card.mebibytes", mebibytes)
        )
        let start = counted_allocations()
        let passed = card.pass(frames: frames)
        let allocations = Double(counted_allocations() - start)
        print(
            "\(passed) frames in steady state: \(Int(allocations)) allocations:",
            thresholds.judge("steady.allocations", allocations)
        )
        guard passed >= frames else { fail("only \(passed) of \(frames) frames came through") }
        thresholds.finish()
    }

    /// VmRSS of this process.
    private static func residentBytes() -> Int {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kibibytes = Int(line.filter { $0.isNumber })
        else { fail("/proc/self/status has no VmRSS") }
        return kibibytes * 1024
    }
}

/// A card whose wire leads back to it, a pump on each queue pair, and the hosts' ends of the pumps.
final class Card {
    private let model: I225Model
    private let device: Held
    private var pumps: [NetdevPump<I225QueuePair<InProcess<I225Model>>>] = []
    private var hosts: [Host] = []

    /// A noncopyable value as an object's field.
    private final class Held {
        let device: I225Device<InProcess<I225Model>>
        init(_ device: consuming I225Device<InProcess<I225Model>>) { self.device = device }
    }

    init() throws {
        let census = Census()
        model = I225Model(options: I225Options(), port: .loopback(), clock: .monotonic)
        let model = model
        // The link comes up while the driver waits for it: accesses move the model's timers.
        let backing = InProcess(model, name: "memory:i225", census: census)
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        configuration.receiveQueueCount = MemoryUse.queues
        device = Held(try I225Device(backing, configuration, clock: .monotonic, census: census))
        for index in 0..<MemoryUse.queues {
            let buffers = try backing.allocateDMA(
                byteCount: 2 * MemoryUse.entries * MemoryUse.bufferBytes,
                .both,
                purpose: "buffers\(index)"
            )
            let wire = WirePair()
            let near = wire.first
            pumps.append(
                NetdevPump(
                    queue: try device.device.openQueuePair(index, entries: MemoryUse.entries),
                    port: near,
                    buffers: BufferPool(memory: buffers, bufferBytes: MemoryUse.bufferBytes),
                    clock: .monotonic
                )
            )
            hosts.append(Host(wire.second, flows: UInt16(index * 64)))
        }
    }

    /// Sends frames of changing flows from every host until so many have come back; how many did.
    @discardableResult
    func pass(frames: Int) -> Int {
        var received = 0
        var idleRounds = 0
        while received < frames, idleRounds < 1_000_000 {
            var count = 0
            for host in hosts {
                host.send(16)
                count += host.receive()
            }
            for pump in pumps { _ = pump.poll() }
            _ = model.poll()
            received += count
            idleRounds = count > 0 ? 0 : idleRounds + 1
        }
        return received
    }
}

/// The far end of a pump: UDP datagrams of 64 flows in turn.
final class Host {
    private var port: WirePort
    private var frame: [UInt8]
    private var flow: UInt16

    init(_ port: consuming WirePort, flows: UInt16) {
        self.port = port
        flow = flows
        frame = [UInt8](repeating: 0, count: 1514)
        frame.replaceSubrange(0..<12, with: [0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1])
        frame.replaceSubrange(12..<16, with: [0x08, 0x00, 0x45, 0x00])
        frame.replaceSubrange(16..<18, with: [0x05, 0xDC])
        frame.replaceSubrange(22..<24, with: [64, 17])
        frame.replaceSubrange(26..<34, with: [198, 18, 0, 1, 198, 18, 0, 2])
        frame.replaceSubrange(34..<40, with: [0x9C, 0x40, 0x23, 0x83, 0x05, 0xC8])
    }

    func send(_ count: Int) {
        for _ in 0..<count {
            flow &+= 1
            frame[34] = UInt8(truncatingIfNeeded: flow >> 8)
            frame[35] = UInt8(truncatingIfNeeded: flow)
            // SAFETY: bytes have no padding.
            guard unsafe port.transmit.send(frame.span.bytes, wireTime: 0) else { return }
        }
    }

    func receive() -> Int {
        var count = 0
        while let frame = unsafe port.receive.peek() {
            unsafe port.receive.consume(frame)
            count += 1
        }
        port.receive.release()
        return count
    }
}
