// Our igc driver's rings, interrupts and stamps on an 82576, which QEMU has as `igb`: a relative of the I225 that nobody
// here wrote. For a guest: the function must belong to vfio-pci.
//
// What the two have in common runs as it is; what they do not have in common (bring-up, PHY, NVM, filters, the kind of
// time) is done here, in `Relative.swift`. docs/igb-trial.md says how far that goes, and what was seen.
//
// Prints a line per step, "ready" when frames pass between the card and the TAP device, and figures at the end, which
// SIGTERM brings about. Exit: 0 all held, 1 a step failed, 64 usage, 77 the function cannot be had.

import Backing
import Clock
import Ethernet
import Glibc
import I225Driver
import Interrupts
import Leases
import LinuxVFIO
import Memory
import Netdev
import Synchronization

/// SIGTERM came.
private let isOver = Atomic<Bool>(false)

/// Flushed, because whoever waits for the word reads a file.
func say(_ line: String) {
    print(line)
    fflush(nil)
}

@main
struct IGBTrial {
    private static let bufferBytes = 2048
    private static let bufferCount = 1024

    static func main() {
        guard CommandLine.arguments.count == 3, let address = PCIAddress(CommandLine.arguments[1]) else {
            say("usage: igb-trial ADDRESS TAP")
            exit(64)
        }
        signal(SIGTERM) { _ in isOver.store(true, ordering: .relaxed) }
        let census = Census()
        do {
            try run(address, tap: CommandLine.arguments[2], census)
        } catch let obstacle as VFIOObstacle {
            say("\(obstacle)")
            exit(77)
        } catch {
            say("failed: \(error)")
            exit(1)
        }
        guard census.outstanding.isEmpty else {
            say("failed: still on loan: \(census.outstanding)")
            exit(1)
        }
        say("nothing is left on loan")
    }

    private static func run(_ address: PCIAddress, tap: String, _ census: Census) throws {
        let backing = try LinuxVFIO(address, census: census)
        let relative = try Relative(backing, .monotonic, census)
        let vectors = InterruptVectors(backing)
        var other = try vectors.take(0, name: backing.name)
        var queue = try vectors.take(
            I225Hardware<LinuxVFIO>.vector(ofQueue: 0),
            name: "\(backing.name)-TxRx-0"
        )
        relative.hardware.enableInterrupts(vectors: 3, gapMicroseconds: 20)
        relative.armLinkChange()
        try StampTrial.run(relative, &queue)
        try pass(relative, queue, &other, tap: tap)
    }

    /// Frames between the card and a TAP device, by the driver's queue pair, until SIGTERM.
    private static func pass(
        _ relative: borrowing Relative,
        _ vector: consuming VectorLease,
        _ other: inout VectorLease,
        tap: String
    ) throws {
        let clock = DeviceClock.monotonic
        let host = WirePair()
        let tapWire = TAPWire(try TAPDevice(tap), port: host.second, clock: clock)
        let port = host.first
        let pair = I225QueuePair(
            transmit: try relative.openTransmitQueue(),
            receive: try relative.openReceiveQueue(bufferBytes: bufferBytes),
            vector: vector,
            hardware: relative.hardware
        )
        let memory = try relative.hardware.backing.allocateDMA(
            byteCount: bufferBytes * bufferCount,
            .both,
            purpose: "buffers"
        )
        let pump = NetdevPump(
            queue: pair,
            port: port,
            buffers: BufferPool(memory: memory, bufferBytes: bufferBytes),
            clock: clock
        )
        // Little spinning: with one CPU in the guest the peer needs it.
        let loop = PollingLoop([pump, tapWire], spinNanoseconds: 1_000)
        say("ready")
        while !isOver.load(ordering: .relaxed) {
            clock.wait(nanoseconds: 50_000_000)
            guard other.consume() else { continue }
            if relative.takeLinkChange() { say("link changed") }
            relative.hardware.rearm(1)
        }
        loop.stop()
        say("transmitted \(pump.counters.transmitted) received \(pump.counters.received)")
        say("receive_errors \(pump.counters.receiveErrors) receive_dropped \(pump.counters.receiveDropped)")
    }
}
