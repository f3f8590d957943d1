// A server that goes, is late, or is not there: every wait ends, every lease ends, and the error says what happened.

import Backing
import Clock
import Glibc
import Interrupts
import Leases
import Memory
import PCIe
import Registers
import Synchronization
import Testing
import VFIOUser
import VFIOUserTestClient

private func end(_ lease: consuming InterruptLease) {}

@Suite struct LostServerTests {
    /// A session from its first message to its last.
    private func session(_ rig: ClientRig) throws {
        let backing = try rig.connect()
        let bar = try backing.mapBAR(0)
        let vector = try backing.attachVector(3, cpu: nil)
        let buffer = try backing.allocateDMA(byteCount: 4096, .both, purpose: "test")
        bar.store(0, 1)
        _ = bar.load(0)
        bar.together {
            bar.store(0, 2)
            bar.store(4, 3)
        }
        try backing.reset()
        let second = try backing.attachVector(4, cpu: nil)
        _ = (buffer.iova, vector.index, second.index)
    }

    enum Fault: CaseIterable { case cutsOff, isLost, refuses }

    @Test("Whichever message fails, nothing is on loan and every descriptor is closed", arguments: Fault.allCases)
    func everyMessage(_ fault: Fault) throws {
        let honest = try ClientRig()
        try session(honest)
        let count = honest.liar.commands.count
        #expect(count > 40)
        for place in 0..<count {
            var witness = DescriptorWitness()
            let far: FarSide
            do {
                let file = try witness.copy()
                var rig = try ClientRig { _, index, reply in
                    reply.replacements = [file.raw]
                    guard index == place else { return }
                    switch fault {
                    case .cutsOff: reply.fate = .cutsOff
                    case .isLost: reply.fate = .isLost
                    case .refuses: reply.refuse(EIO)
                    }
                }
                rig.options.replyNanoseconds = 2_000_000
                far = rig.far
                do {
                    try session(rig)
                } catch let error as DeviceError {
                    #expect([.deviceGone, .timedOut, .refused].contains(error.code), "message \(place): \(error)")
                }
                #expect(rig.census.outstanding.isEmpty, "message \(place)")
            }
            far.liar.takeTurn()
            #expect(!far.liar.isConnected, "message \(place): the client's socket is closed")
            far.liar.forget()
            let closed = witness.allClosed()
            #expect(closed, "message \(place)")
        }
    }

    @Test func aLateReplyEndsTheConnection() throws {
        let rig = try ClientRig()
        let backing = try rig.connect()
        let bar = try backing.mapBAR(0)
        let vector = try backing.attachVector(0, cpu: nil)
        let buffer = try backing.allocateDMA(byteCount: 4096, .both, purpose: "test")
        rig.liar.lie = { _, _, reply in reply.fate = .isLost }
        let start = rig.clock.now
        let late = try #require(throws: DeviceError.self) { try backing.reset() }
        #expect(late.code == .timedOut && late.detail == "no reply to REGION_READ within 200 ms")
        #expect(rig.clock.now - start >= 200_000_000)
        // From now on nothing waits any more.
        rig.liar.lie = { _, _, _ in }
        let before = rig.liar.commands.count
        for _ in 0..<1000 {
            #expect(bar.load(0) == ~0)
            bar.store(0, 1)
            bar.together { bar.store(4, 1) }
            #expect(try backing.readConfig(0, .doubleWord) == ~0)
            try backing.writeConfig(0x3C, .byte, 1)
        }
        let reset = try #require(throws: DeviceError.self) { try backing.reset() }
        #expect(reset.code == .deviceGone)
        #expect(reset.detail == "the connection has ended: no reply to REGION_READ within 200 ms")
        let attach = try #require(throws: DeviceError.self) { end(try backing.attachVector(1, cpu: nil)) }
        #expect(attach.code == .deviceGone)
        let map = #expect(throws: DeviceError.self) {
            _ = try backing.allocateDMA(byteCount: 4096, .both, purpose: "test").iova
        }
        #expect(map?.code == .deviceGone)
        #expect(rig.liar.commands.count == before)
        #expect(vector.firedCount == 0 && buffer.byteCount == 4096)
        #expect(backing.counters.brokenConnections == 1)
    }

    /// Posted stores to a server that does not read: the socket fills, and the wait for room has its limit.
    @Test func aServerThatDoesNotReadIsNotWaitedForForEver() throws {
        var rig = try ClientRig()
        rig.options.postsStores = true
        let deaf = Switch()
        let far = rig.far
        rig.setTurn { if !deaf.isOn { far.liar.takeTurn() } }
        let backing = try rig.connect()
        let bar = try backing.mapBAR(0)
        deaf.isOn = true
        var stores = 0
        while backing.isConnected, stores < 1_000_000 {
            bar.store(0, 1)
            stores += 1
        }
        #expect(!backing.isConnected && stores > 100)
        bar.store(0, 1)
    }

    private final class Switch: @unchecked Sendable {
        // SAFETY (Sendable): one thread.
        var isOn = false
    }

    // MARK: Paths

    private static func path(_ name: String) -> String { "/tmp/doorbell-test-\(getpid())-\(name).sock" }

    @Test func noServerIsATimeOut() throws {
        var options = VFIOUserOptions()
        options.connectNanoseconds = 20_000_000
        let error = #expect(throws: DeviceError.self) {
            _ = try VFIOUserBacking(path: Self.path("nobody"), options: options, census: Census())
        }
        #expect(error?.code == .timedOut && error?.detail.contains("No such file") == true)
        let long = #expect(throws: DeviceError.self) {
            _ = try VFIOUserBacking(path: String(repeating: "x", count: 200), options: options, census: Census())
        }
        #expect(long?.code == .system)
        let left = Self.path("left")
        do { _ = try UnixSocket.listen(path: left) }
        defer { unsafe unlink(left) }
        let refused = #expect(throws: DeviceError.self) {
            _ = try VFIOUserBacking(path: left, options: options, census: Census())
        }
        #expect(refused?.code == .timedOut && refused?.detail.contains("refused") == true)
    }

    /// It listens, but has another client, or is no vfio-user server at all.
    @Test func aServerThatDoesNotAnswerIsATimeOut() throws {
        let path = Self.path("busy")
        let listener = try UnixSocket.listen(path: path)
        defer { unsafe unlink(path) }
        var options = VFIOUserOptions()
        options.replyNanoseconds = 20_000_000
        let error = #expect(throws: DeviceError.self) {
            _ = try VFIOUserBacking(path: path, options: options, census: Census())
        }
        #expect(error?.detail == "no reply to VERSION within 20 ms")
        _ = listener.raw
    }

    /// The server starts after its client, goes, and comes back with the device as it was.
    @Test func aServerComesAndGoesAndComesBack() throws {
        let path = Self.path("back")
        let places = Servers()
        defer { unsafe unlink(path) }
        var options = VFIOUserOptions()
        options.whileWaiting = { places.takeTurn(path) }
        let census = Census()
        do {
            let backing = try VFIOUserBacking(path: path, options: options, census: census)
            #expect(backing.name == "vfio-user:\(path)")
            let bar = try backing.mapBAR(0)
            let vector = try backing.attachVector(0, cpu: nil)
            bar.store(0, 0x1234)
            places.stop()
            #expect(bar.load(0) == ~0)
            try backing.reconnect()
            #expect(bar.load(0) == 0x1234)
            // A client may change its mind while the connection is in order.
            try backing.reconnect()
            #expect(bar.load(0) == 0x1234)
            #expect(vector.firedCount == 0)
            #expect(places.starts == 2)
        }
        #expect(census.outstanding.isEmpty)
    }

    /// One device, and a server for it that starts when somebody waits for it.
    private final class Servers: @unchecked Sendable {
        // SAFETY (Sendable): one thread.
        let device = SampleDevice(clock: .monotonic)
        private var server: VFIOUserServer<SampleDevice>?
        private(set) var starts = 0
        private var turns = 0

        func takeTurn(_ path: String) {
            turns += 1
            if server == nil, turns > 3, let listener = try? UnixSocket.listen(path: path) {
                var options = VFIOUserServerOptions()
                options.keepsState = true
                server = VFIOUserServer(device, listener: listener, options: options)
                starts += 1
            }
            _ = server?.poll()
        }

        func stop() {
            server = nil
            turns = 0
            _ = try? device.host.memory.unmap(everythingIn: 0 ... .max)
        }
    }
}

/// Both ends on threads of their own.
@Suite struct SharedClientTests {
    @Test func manyThreadsGetTheirOwnAnswers() async throws {
        let pair = try UnixSocket.pair()
        let device = SampleDevice(clock: .monotonic)
        let loop = PollingLoop([VFIOUserServer(device, connection: pair.second)], spinNanoseconds: 100_000)
        defer { loop.stop() }
        let backing = try VFIOUserBacking(pair.first, name: "test:threads", census: Census())
        let bar = try backing.mapBAR(0)
        await withTaskGroup(of: Int.self) { group in
            for thread in 0..<6 {
                group.addTask {
                    let register = 0x100 + UInt32(thread) * 8
                    var wrong = 0
                    for number in 0..<500 {
                        let value = UInt32(thread) << 16 | UInt32(number)
                        if number % 3 == 0 {
                            bar.together {
                                bar.store(register, value)
                                bar.store(register + 4, ~value)
                                // Nobody comes between the two.
                                if bar.load(register) != value || bar.load(register + 4) != ~value { wrong += 1 }
                            }
                        } else {
                            bar.store(register, value)
                            if bar.load(register) != value { wrong += 1 }
                        }
                    }
                    return wrong
                }
            }
            for await wrong in group { #expect(wrong == 0) }
        }
        #expect(backing.isConnected)
    }

    /// Threads that use a view while the server goes, and while a new one is connected to.
    @Test func aServerThatGoesHoldsNobodyUp() async throws {
        for _ in 0..<2 {
            let pair = try UnixSocket.pair()
            let device = SampleDevice(clock: .monotonic)
            let loop = PollingLoop([VFIOUserServer(device, connection: pair.second)], spinNanoseconds: 100_000)
            // Time stands still until the server has stopped: a busy machine's delays are none of its.
            let clock = VirtualClock()
            let hasStopped = Count()
            var options = VFIOUserOptions()
            options.clock = .virtual(clock)
            options.whileWaiting = {
                if hasStopped.value > 0 { clock.advance(nanoseconds: 1_000_000_000) }
                sched_yield()
            }
            let backing = try VFIOUserBacking(pair.first, name: "test:threads", options: options, census: Census())
            let bar = try backing.mapBAR(0)
            let loads = Count()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        while bar.load(0) != ~0 {
                            bar.store(4, 1)
                            // It stops answering; nobody closes the socket.
                            guard loads.next() == 200 else { continue }
                            loop.stop()
                            _ = hasStopped.next()
                        }
                    }
                }
            }
            #expect(!backing.isConnected)
        }
    }

    private final class Count: Sendable {
        private let count = Atomic<Int>(0)
        var value: Int { count.load(ordering: .relaxed) }
        func next() -> Int { count.add(1, ordering: .relaxed).newValue }
    }
}
