// What a driver meets only where the model is in its process, or on a thread of its own: a device that is taken away, and a
// model that works while its driver does. The latter is the same behind a socket.

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

private func end(_ lease: consuming InterruptLease) {}
private func end(_ mapping: consuming DMAMapping) {}

@Suite struct InProcessTests {
    @Test(arguments: [Arrangement.direct, .threaded, .sleepy])
    func anUnpluggedDeviceReadsAllOnesAndDropsWrites(_ arrangement: Arrangement) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        do {
            let driver = try ScratchDriver(rig.backing)
            let vector = try rig.backing.attachVector(0, cpu: nil)
            let buffer = try rig.backing.allocateDMA(byteCount: 4096, .both, purpose: "copies")
            rig.function.unplug()

            #expect(driver.bar.read(ScratchRegister.magic).raw == 0xFFFF_FFFF)
            driver.bar.write(ScratchRegister.scratch, 1)
            #expect(try rig.backing.readConfig(0, .word) == 0xFFFF)
            try rig.backing.writeConfig(0x3C, .byte, 1)
            let reset = try #require(throws: DeviceError.self) { try rig.backing.reset() }
            #expect(reset.code == .deviceGone)
            let attach = try #require(throws: DeviceError.self) { end(try rig.backing.attachVector(1, cpu: nil)) }
            #expect(attach.code == .deviceGone)
            // What was dropped has not reached the model either.
            #expect(
                rig.function.onOwner { rig.device.read(bar: 0, 0, .doubleWord) } == 0xFFFF_FFFF,
                "its reset has switched memory space off"
            )
            #expect(rig.function.onOwner { rig.device.readConfig(0x3C, .byte) } == 0)
            #expect(vector.firedCount == 0)
            #expect(buffer.memory.byte(at: 0) == 0)
        }
        #expect(rig.census.outstanding.isEmpty, "leases end without the device")
    }

    /// A write that was under way when the device went must not configure it again.
    @Test func noAccessReachesTheModelOnceItIsUnplugged() async throws {
        for _ in 0..<20 {
            let rig = try Rig(.threaded)
            let function = rig.function
            let progress = Progress()
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for _ in 0..<400 {
                        try function.writeConfig(0x3C, .byte, 0xFF)
                        progress.stores.add(1, ordering: .relaxed)
                    }
                }
                while progress.stores.load(ordering: .relaxed) < 20 { await Task.yield() }
                rig.function.unplug()
            }
            rig.finish()
            #expect(rig.device.readConfig(0x3C, .byte) == 0)
        }
    }

    @Test func requestsOfManyThreadsAreServedOneAtATime() async throws {
        let rig = try Rig(.sleepy)
        defer { rig.finish() }
        let counter = UnguardedCounter()
        let function = rig.function
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<500 { function.onOwner { counter.value += 1 } }
                }
            }
        }
        #expect(function.onOwner { counter.value } == 4000)
    }

    /// The device copies without pause into memory whose lease then ends: from that moment on not one byte changes.
    @Test(arguments: [Arrangement.threaded, .socket])
    func whenAMappingHasEndedTheDeviceWritesNoMore(_ arrangement: Arrangement) throws {
        for round in 0..<10 {
            let rig = try Rig(arrangement)
            defer { rig.finish() }
            var driver = try ScratchDriver(rig.backing)
            let source = try rig.backing.allocateDMA(byteCount: 4096, .deviceReads, purpose: "source")
            source.memory.fill(0xAA)
            let memory = try SharedMemory(byteCount: 4096, name: "destination")
            let mapping = try rig.backing.mapDMA(memory, .deviceWrites)
            driver.copy(from: source.iova, to: mapping.iova, length: 4096)
            // Far ahead: the engine copies until it is stopped.
            driver.bar.write(ScratchRegister.tail, 1_000_000)
            #expect(rig.settle { memory.byte(at: 4095) == 0xAA })

            end(mapping)
            memory.fill(UInt8(round))
            let faults = rig.onOwner { rig.device.host.memory.faults }
            #expect(rig.settle { rig.onOwner { rig.device.host.memory.faults } > faults + 100 })
            #expect(memory.isAll(UInt8(round)) == true)
        }
    }

    @Test(arguments: [Arrangement.threaded, .socket])
    func aVectorThatHasEndedFiresNoMore(_ arrangement: Arrangement) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        var driver = try ScratchDriver(rig.backing)
        let buffer = try rig.backing.allocateDMA(byteCount: 4096, .both, purpose: "copies")
        driver.copy(from: buffer.iova, to: buffer.iova + 64, length: 8)
        driver.bar.write(ScratchRegister.tail, 1_000_000_000)
        for _ in 0..<50 {
            var vector = try rig.backing.attachVector(0, cpu: nil)
            #expect(rig.settle { vector.consume() })
            end(vector)
        }
        #expect(rig.onOwner { rig.device.host.unattachedMessages } == 0, "masked before it was detached")
    }

    @Test(arguments: [Arrangement.sleepy, .sleepySocket])
    func aDriverSleepsOnItsVectorWhileTheModelSleepsOnItsDoorbell(_ arrangement: Arrangement) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        var driver = try ScratchDriver(rig.backing)
        var vector = try rig.backing.attachVector(0, cpu: nil)
        let buffer = try rig.backing.allocateDMA(byteCount: 4096, .both, purpose: "copies")
        let descriptor = vector.eventDescriptor()
        for round in 0..<200 {
            driver.copy(from: buffer.iova, to: buffer.iova + 64, length: 8)
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            // SAFETY: one pollfd, on this stack. The bound turns a lost wake-up into a failure.
            let woken = unsafe poll(&wait, 1, 20_000)
            #expect(woken == 1, "round \(round)")
            #expect(vector.consume() == true)
            guard woken == 1 else { return }
        }
    }

    /// A time-out of 15 device seconds is over at once on virtual time, and not before.
    @Test func virtualTimeIsTheModelsTime() throws {
        let hand = VirtualClock()
        let rig = try Rig(.direct, clock: .virtual(hand))
        var driver = try ScratchDriver(rig.backing)
        let buffer = try rig.backing.allocateDMA(byteCount: 4096, .both, purpose: "copies")
        driver.bar.write(ScratchRegister.latency, 4_000_000_000)
        driver.copy(from: buffer.iova, to: buffer.iova + 64, length: 8)
        #expect(!rig.device.poll())
        #expect(rig.device.nextDeadline == 4_000_000_000)
        hand.advance(nanoseconds: 3_999_999_999)
        #expect(!rig.device.poll())
        hand.advance(nanoseconds: 1)
        #expect(rig.device.poll())
        #expect(rig.device.nextDeadline == nil)
        #expect(driver.bar.read(ScratchRegister.copies).raw == 1)
    }
}

/// How far another thread is.
private final class Progress: Sendable {
    let stores = Atomic<Int>(0)
}

/// A counter that only mutual exclusion keeps right.
private final class UnguardedCounter: @unchecked Sendable {
    // SAFETY (Sendable): the test's claim: it is only touched on the owner thread of the function under test.
    var value = 0
}

@Suite struct DeviceHostTests {
    @Test func messagesForNobodyAreCounted() {
        let host = DeviceHost(clock: .monotonic, vectorCount: 2, doorbellCount: 0)
        let cell = InterruptCell()
        host.route(1, to: cell)
        #expect(host.isRouted(1) && !host.isRouted(0))
        for index in [-1, 0, 2, Int.min, Int.max] { host.raise(index) }
        host.raise(1)
        #expect(host.unattachedMessages == 5)
        #expect(cell.count == 1)
        host.route(1, to: nil)
        host.raise(1)
        #expect(host.unattachedMessages == 6 && cell.count == 1)
    }
}

@Suite struct DeviceErrorTests {
    @Test func readsAsOneLine() {
        let error = DeviceError(.timedOut, device: "0000:03:00.0", operation: "reset", "CTRL.RST stays set")
        #expect(error.description == "0000:03:00.0 reset: CTRL.RST stays set (timedOut)")
    }
}
