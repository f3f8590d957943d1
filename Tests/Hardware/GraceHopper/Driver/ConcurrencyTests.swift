// Many threads at one device: reads, writes, mappings, configuration space, resets, and closing at any time. Run under the
// thread sanitizer as well.

import Backing
import Clock
import Dispatch
import Glibc
import GraceHopperDriver
import GraceHopperModel
import Leases
import Synchronization
import Testing
import VFIOVariant

/// What went wrong, from any thread.
private final class Complaints: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { if $0.count < 10 { $0.append(line) } } }

    /// Runs `body`, whose errors may only be of these codes.
    func check(_ allowed: Set<Int32>, _ what: String, _ body: () throws(VFIOError) -> Void) {
        do throws(VFIOError) {
            try body()
        } catch {
            if !allowed.contains(error.code) { add("\(what): \(error)") }
        }
    }
}

@Suite("Many threads at one device")
struct ConcurrencyTests {
    private static let rounds = 200

    /// Two addresses for each of the BARs, of which no half is the same.
    private static let first: [UInt8] = littleEndian(0x11_8000_0000, 8) + littleEndian(0x22_0000_0000, 8)
    private static let second: [UInt8] = littleEndian(0x33_0000_0000, 8) + littleEndian(0x44_0000_0000, 8)

    private static func shown(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        bytes[0] |= 0xC
        bytes[8] |= 0xC
        return bytes
    }

    /// Has `workers` run side by side, each with its number, until all are done.
    private static func run(_ workers: [@Sendable () -> Void]) {
        DispatchQueue.concurrentPerform(iterations: workers.count) { workers[$0]() }
    }

    /// Reads and writes of a page of its own at the edge of a part.
    private static func toucher(
        _ device: any GraceDevice,
        _ part: Part,
        page: UInt64,
        _ complaints: Complaints,
        allowed: Set<Int32>
    ) -> @Sendable () -> Void {
        { () -> Void in
            for round in 0..<rounds {
                complaints.check(allowed, "touch") { () throws(VFIOError) in
                    let offset = part.memory - page * 4096
                    let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: round), count: 64)
                    guard try device.write(part.rawValue, offset, bytes) == 64 else { return complaints.add("short") }
                    let seen = try device.read(part.rawValue, offset, 64)
                    if seen != bytes { complaints.add("read \(seen), expected \(bytes)") }
                    let tail = try device.read(part.rawValue, part.memory, 16)
                    if tail != [UInt8](repeating: 0xFF, count: 16) { complaints.add("tail \(tail)") }
                }
            }
        }
    }

    private static func mapper(
        _ device: any GraceDevice,
        _ part: Part,
        page: UInt64,
        _ complaints: Complaints,
        allowed: Set<Int32>
    ) -> @Sendable () -> Void {
        { () -> Void in
            for round in 0..<rounds {
                complaints.check(allowed, "map") { () throws(VFIOError) in
                    let offset = part.memory - page * 4096
                    let mapping = try device.map(region: part.rawValue, offset..<offset + 4096)
                    // SAFETY: a page is mapped, which is this thread's.
                    unsafe mapping.base.storeBytes(of: UInt64(round), as: UInt64.self)
                    let seen = unsafe mapping.base.load(as: UInt64.self)
                    if seen != UInt64(round) { complaints.add("mapping \(seen)") }
                    if try device.read(part.rawValue, offset, 8) != littleEndian(UInt64(round), 8) {
                        complaints.add("read of a mapping")
                    }
                }
            }
        }
    }

    /// Whoever waits moves the time that all share: with many at it, one may find its half minute over.
    @Test("Accesses, mappings and resets at once: each is whole, and nothing stays out", arguments: [0, 1])
    func resets(readsUntilReady: Int) throws {
        let rig = try Rig { $0.readiness.afterReset = .init(.afterReads(readsUntilReady)) }
        let allowed: Set<Int32> = readsUntilReady == 0 ? [] : [ETIME]
        let device = try rig.open()
        let complaints = Complaints()
        Self.run([
            Self.toucher(device, .usable, page: 1, complaints, allowed: allowed),
            Self.toucher(device, .reserved, page: 1, complaints, allowed: allowed),
            Self.mapper(device, .usable, page: 2, complaints, allowed: allowed),
            Self.mapper(device, .reserved, page: 2, complaints, allowed: allowed),
            {
                for _ in 0..<Self.rounds {
                    complaints.check([], "reset") { () throws(VFIOError) in try device.reset() }
                }
            },
        ])
        #expect(complaints.all.isEmpty, "\(complaints.all)")
        #expect(device.counters.resets == Self.rounds)
        #expect(rig.census.outstanding == ["memory window": 2])
        device.close()
        #expect(rig.census.outstanding.isEmpty)
    }

    @Test("A device that is closed and opened meanwhile refuses, and is not touched")
    func closing() throws {
        let rig = try Rig()
        let device = try rig.open()
        let complaints = Complaints()
        Self.run([
            Self.toucher(device, .usable, page: 1, complaints, allowed: [EBADF]),
            Self.mapper(device, .reserved, page: 1, complaints, allowed: [EBADF]),
            {
                for _ in 0..<Self.rounds {
                    complaints.check([EBADF], "config") { () throws(VFIOError) in _ = try device.config(0x18, 8) }
                    complaints.check([EBADF], "region") { () throws(VFIOError) in _ = try device.region(4) }
                }
            },
            {
                for _ in 0..<Self.rounds {
                    device.close()
                    complaints.check([], "open") { () throws(VFIOError) in try device.open() }
                }
            },
        ])
        #expect(complaints.all.isEmpty, "\(complaints.all)")
        device.close()
        #expect(rig.census.outstanding.isEmpty)
    }

    @Test("An access to both fake BARs is one: nobody sees half of it, or half of a reset")
    func configIsWhole() throws {
        let rig = try Rig()
        let device = try rig.open()
        defer { device.close() }
        let complaints = Complaints()
        let allowed = [Self.shown(Self.first), Self.shown(Self.second), Self.shown([UInt8](repeating: 0, count: 16))]
        Self.run([
            {
                for round in 0..<Self.rounds * 2 {
                    complaints.check([], "write") { () throws(VFIOError) in
                        try device.write(VFIORegion.config, 0x18, round % 2 == 0 ? Self.first : Self.second)
                    }
                }
            },
            {
                for _ in 0..<Self.rounds {
                    complaints.check([], "reset") { () throws(VFIOError) in try device.reset() }
                }
            },
            {
                for _ in 0..<Self.rounds * 2 {
                    complaints.check([], "read") { () throws(VFIOError) in
                        let seen = try device.read(VFIORegion.config, 0x18, 16)
                        if !allowed.contains(seen) { complaints.add("BARs \(seen)") }
                    }
                }
            },
        ])
        #expect(complaints.all.isEmpty, "\(complaints.all)")
    }

    /// In real time: a second, for that is how long the access sleeps.
    @Test("Neither a reset nor the end waits for an access that waits for the memory")
    func nobodyWaitsForTheWaiting() throws {
        let rig = try Rig { $0.readiness.afterReset = .init(.never) }
        let device = try NVGraceDevice(
            rig.inProcess(),
            properties: rig.model.properties,
            memory: rig.model.physicalMemory,
            clock: .monotonic,
            census: rig.census
        )
        try device.open()
        let complaints = Complaints()
        let hasEnded = Atomic<Bool>(false)
        Self.run([
            // Half a minute is what it would wait for the memory; it is told that the device was closed.
            {
                let result = code { () throws(VFIOError) in _ = try device.read(4, 0, 8) }
                if result != EBADF { complaints.add("read ended with \(result)") }
                hasEnded.store(true, ordering: .releasing)
            },
            {
                while device.counters.readinessWaits == 0, !hasEnded.load(ordering: .acquiring) { usleep(1000) }
                complaints.check([], "reset") { () throws(VFIOError) in try device.reset() }
                device.close()
            },
        ])
        #expect(complaints.all.isEmpty, "\(complaints.all)")
    }
}
