// A virtual machine that has the GPU by vfio-user: the server on a thread of its own, and a client that makes the accesses
// of a CPU, in memory where it has the memory's file, and by message where there is none.

import Backing
import Clock
import GraceHopperWire
import Interrupts
import Leases
import Memory
import PCIe
import Registers
import VFIOUser
import VFIOVariant

/// The virtual machine of the story. Its end stops the server.
final class MachineCaller {
    private let backing: VFIOUserBacking
    private let loop: PollingLoop
    private let memory: GPUMemory

    init(_ gpu: VirtualGraceHopper, _ memory: GPUMemory) throws {
        let sockets = try UnixSocket.pair()
        let exported = try gpu.export()
        let server = VFIOUserServer(exported, connection: try .duplicate(of: sockets.first.raw))
        loop = PollingLoop([server])
        self.memory = memory
        do {
            backing = try VFIOUserBacking(
                try .duplicate(of: sockets.second.raw),
                name: "machine",
                census: gpu.census
            )
        } catch {
            loop.stop()
            throw error
        }
    }

    deinit { loop.stop() }

    func readConfig(_ offset: UInt16) throws -> UInt32 { try backing.readConfig(offset, .doubleWord) }
    func writeConfig(_ offset: UInt16, _ value: UInt32) throws { try backing.writeConfig(offset, .doubleWord, value) }
    func reset() throws { try backing.reset() }

    /// Writes and reads at an edge, by the widest accesses that a CPU makes there.
    func run(_ edge: EdgeCase, seed: Int) throws -> EdgeOutcome {
        let bar = try backing.mapBAR(edge.region)
        let pattern = edge.pattern(seed)
        let before = memory.bytes(edge)
        var read: [UInt8] = []
        for isRead in [false, true] {
            var done = 0
            while done < edge.count {
                let place = edge.offset + UInt64(done)
                let size = AccessSize.largest(at: place, remaining: edge.count - done).rawValue
                if isRead {
                    let value = bar.load(place, byteCount: size)
                    read += (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
                } else {
                    let value = (0..<size).reduce(UInt64(0)) { $0 | UInt64(pattern[done + $1]) << UInt64(8 * $1) }
                    bar.store(place, byteCount: size, value)
                }
                done += size
            }
        }
        return .of(written: pattern, told: pattern.count, read: read, before: before, memory: memory.bytes(edge))
    }

    /// Has the GPU interrupt, as its own software does; whether the message came.
    func interrupt() throws -> Bool {
        typealias Tree = InterruptRegisters
        let registers = try backing.mapBAR(GraceHopper.registerBAR)
        let source = Tree.softwareSource
        let leaf = source / 32 * 4
        var vector = try backing.attachVector(Tree.vector(ofSource: source), cpu: nil)
        let command = try backing.readConfig(ConfigSpace.Offset.command, .word)
        try backing.writeConfig(ConfigSpace.Offset.command, .word, command | 0x6)
        registers.store(Tree.leafEnableSet + leaf, 1 << (source % 32))
        registers.store(Tree.topEnableSet, 1 << (source / 64))
        registers.store(Tree.leafTrigger, source)
        let deadline = DeviceClock.monotonic.now &+ 5_000_000_000
        var hasCome = vector.consume()
        while !hasCome, DeviceClock.monotonic.now < deadline {
            DeviceClock.monotonic.wait(nanoseconds: 100_000)
            hasCome = vector.consume()
        }
        registers.store(Tree.leaf + leaf, 1 << (source % 32))
        return hasCome
    }

    /// 8-byte reads by message, behind the memory of a region, where there is no other way: how many a second.
    func messageRate(region: Int, at offset: UInt64, count: Int) throws -> Double {
        let bar = try backing.mapBAR(region)
        let start = DeviceClock.monotonic.now
        for _ in 0..<count { _ = bar.load(offset, byteCount: 8) }
        return Double(count) * 1e9 / Double(max(1, DeviceClock.monotonic.now &- start))
    }
}
