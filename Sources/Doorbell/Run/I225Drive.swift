// A card, wherever it is, as a network interface of this host:
//
//   backing │ driver ─ queue pair ─ pump ─ wire ─ netdev TAP

import Backing
import Clock
import Ethernet
import Glibc
import I225Driver
import Leases
import Memory
import Netdev
import PTP

/// Drives the card behind any backing; the compiler makes one of it for each kind.
struct I225Drive {
    private static let bufferBytes = 2048
    private static let bufferCount = 2048
    private static let ringEntries = 512

    /// The TAP device that is the interface on the host.
    let netdevTAP: String
    let clock: DeviceClock
    let census: Census

    /// What passed on the host's side.
    struct Result {
        let statistics: [String: UInt64]
        let netdev: TAPCounters
    }

    /// Runs until `shouldStop` says so, asked ten times a second.
    ///
    /// - Parameters:
    ///   - onReady: frames pass.
    ///   - onEvent: a line for the log.
    func run(
        _ backing: some PCIeBacking,
        onReady: () -> Void,
        onEvent: (String) -> Void,
        shouldStop: () -> Bool
    ) throws -> Result {
        let host = WirePair()
        let netdevTap = TAPWire(try openTAP(TAPEnd(name: netdevTAP)), port: host.second, clock: clock)
        let hostPort = host.first
        var configuration = I225Configuration()
        // The interface on the host has an address of its own; the card is a cable to it.
        configuration.isPromiscuous = true
        configuration.stampsTransmitted = false
        var device = try I225Device(backing, configuration, clock: clock, census: census)
        try device.clock.setTime(PTPTime.now())
        var vectors = try device.enableInterrupts(queueCount: 1)
        let queue = try device.openQueuePair(0, entries: Self.ringEntries, vector: vectors[0].take())
        let memory = try backing.allocateDMA(
            byteCount: Self.bufferBytes * Self.bufferCount,
            .both,
            purpose: "netdev-buffers"
        )
        let pump = NetdevPump(
            queue: queue,
            port: hostPort,
            buffers: BufferPool(memory: memory, bufferBytes: Self.bufferBytes),
            clock: clock
        )
        let hostLoop = PollingLoop([pump, netdevTap])
        defer { hostLoop.stop() }

        onEvent("link up, \(device.link.speed) Mb/s")
        onReady()
        while !shouldStop() {
            clock.wait(nanoseconds: 100_000_000)
            let events = try device.service()
            if events.linkChanged {
                onEvent(device.link.isUp ? "link up, \(device.link.speed) Mb/s" : "link down")
            }
            if !events.hungQueues.isEmpty { onEvent("Tx queues stand still: \(events.hungQueues)") }
        }
        hostLoop.stop()
        return Result(
            statistics: Dictionary(device.statistics().map { ($0.name, $0.value) }) { first, _ in first },
            netdev: netdevTap.counters
        )
    }
}

extension PTPTime {
    /// The time of day, UTC.
    static func now() -> PTPTime {
        var time = timespec()
        // SAFETY: the address of a local.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return PTPTime(totalNanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
