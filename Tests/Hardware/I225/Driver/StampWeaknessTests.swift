// One test per weakness that the kernel's Tx timestamps for AF_XDP have, or had and mended, by its
// name and its number in docs/stamp-weaknesses.md.

import Backing
import Clock
import I225Driver
import I225Model
import I225Wire
import Leases
import Memory
import Netdev
import PTP
import Registers
import TestQueues
import Testing
import XSK

@Suite("Tx stamps without the kernel's weaknesses", .overEveryBacking)
struct StampWeaknessTests {
    private static let delay: UInt64 = 50_000

    private func options(_ change: (inout I225Options) -> Void = { _ in }) -> I225Options {
        var options = I225Options()
        options.stampDelayNanoseconds = Self.delay
        change(&options)
        return options
    }

    // MARK: still there

    @Test("weakness 1: Head of line: plain frames complete past a frame that waits for its stamp")
    func headOfLineBlocking() throws {
        let rig = Rig(options())
        let device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        program.send(testFrame(0), chunk: 0, stamped: true)
        for chunk in 1..<6 { program.send(testFrame(UInt8(chunk)), chunk: chunk) }
        _ = queue.poll()
        rig.settle()
        _ = queue.poll()
        #expect(program.completions() == [1, 2, 3, 4, 5])
        #expect(program.outcome(0) == nil)

        rig.advance(nanoseconds: Self.delay)
        _ = queue.poll()
        #expect(program.completions() == [0])
        let sent = rig.timedArrivals()
        #expect(program.outcome(0) == .stamped(nanoseconds: sent[0].deviceTime))
    }

    @Test("weakness 1: Sustained: a ring's worth of plain frames passes while four stamps are pending")
    func plainTrafficNeverStalls() throws {
        let rig = Rig(options { $0.stampDelayNanoseconds = 8_000_000 })
        let device = try rig.open()
        var program = try Program(chunks: 256, census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
        for chunk in 0..<4 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: true) }
        var done = 0
        for chunk in 4..<256 {
            program.send(testFrame(UInt8(truncatingIfNeeded: chunk)), chunk: chunk)
            _ = queue.poll()
            rig.settle()
            _ = queue.poll()
            done += program.completions().count
            _ = rig.arrivals()
        }
        #expect(done == 252)
        #expect(queue.outstandingStamps == 4)
        rig.advance(nanoseconds: 8_000_000)
        _ = queue.poll()
        #expect(program.completions().sorted() == [0, 1, 2, 3])
    }

    @Test("weakness 2: A lost stamp ends at its deadline of 10 ms with a word that says so, not after 15 s")
    func lostStampHoldsNobody() throws {
        let rig = Rig(options { $0.stampFaults = [0: .lost] })
        let device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        program.send(testFrame(0), chunk: 0, stamped: true)
        _ = queue.poll()
        rig.advance(nanoseconds: 9_900_000)
        _ = queue.poll()
        #expect(program.completions() == [])
        rig.advance(nanoseconds: 200_000)
        _ = queue.poll()
        #expect(program.completions() == [0])
        #expect(program.outcome(0) == .timedOut)
        #expect(device.stampCounters.timedOut == 1)
    }

    @Test("weakness 3: A fifth request is told that there is no slot, and its frame goes out at once")
    func fifthRequestIsTold() throws {
        let rig = Rig(options())
        let device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        for chunk in 0..<5 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: true) }
        _ = queue.poll()
        rig.settle()
        _ = queue.poll()
        #expect(program.completions() == [4])
        #expect(program.outcome(4) == .noSlot)
        #expect(device.stampCounters.skipped == 1)
        #expect(rig.arrivals().count == 5)
        rig.advance(nanoseconds: Self.delay)
        _ = queue.poll()
        #expect(program.completions().sorted() == [0, 1, 2, 3])
    }

    @Test("weakness 3: A fifth request waits, if the user so chooses, and then gets its stamp; order is kept")
    func fifthRequestWaits() throws {
        let rig = Rig(options())
        var configuration = I225Configuration()
        configuration.stampShortage = .wait
        let device = try rig.open(configuration)
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        for chunk in 0..<5 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: true) }
        program.send(testFrame(5), chunk: 5)
        _ = queue.poll()
        rig.settle()
        #expect(rig.arrivals().count == 4)
        rig.advance(nanoseconds: Self.delay)
        // One round frees the slots, the next sends.
        for _ in 0..<2 {
            _ = queue.poll()
            rig.settle()
        }
        let late = rig.timedArrivals()
        try #require(late.map { $0.frame } == [testFrame(4), testFrame(5)])
        rig.advance(nanoseconds: Self.delay)
        _ = queue.poll()
        #expect(program.completions().sorted() == [0, 1, 2, 3, 4, 5])
        #expect(program.outcome(4) == .stamped(nanoseconds: late[0].deviceTime))
        #expect(device.stampCounters.skipped == 0)
    }

    @Test("weakness 4: A late stamp never goes to the slot's next user: it is drained before the slot is lent again")
    func lateStampIsDrained() throws {
        let rig = Rig(options { $0.stampFaults = [0: .late(20_000_000)] })
        let device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        program.send(testFrame(0), chunk: 0, stamped: true)
        _ = queue.poll()
        rig.advance(nanoseconds: 10_100_000)
        _ = queue.poll()
        #expect(program.outcome(0) == .timedOut)
        // The slot is in quarantine: four others ask, three get one.
        for chunk in 1..<5 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: true) }
        _ = queue.poll()
        #expect(queue.outstandingStamps == 3)
        rig.advance(nanoseconds: 15_000_000)
        _ = queue.poll()
        let truth = Dictionary(uniqueKeysWithValues: rig.timedArrivals().map { ($0.frame, $0.deviceTime) })
        let outcomes = (1..<5).map { program.outcome($0) }
        #expect(outcomes.count { $0 == .noSlot } == 1)
        for chunk in 1..<5 where outcomes[chunk - 1] != .noSlot {
            #expect(outcomes[chunk - 1] == truth[testFrame(UInt8(chunk))].map { .stamped(nanoseconds: $0) })
        }
        #expect(device.stampCounters.late == 1)
        // Drained, the slot is lent again.
        for chunk in 5..<9 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: true) }
        _ = queue.poll()
        #expect(queue.outstandingStamps == 4)
    }

    @Test("weakness 4: A stamp later than its quarantine is told from the next user's by its time")
    func lateStampBeyondQuarantine() throws {
        let rig = Rig(options { $0.stampFaults = [0: .late(150_000_000)] })
        let device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        program.send(testFrame(0), chunk: 0, stamped: true)
        _ = queue.poll()
        rig.advance(nanoseconds: 10_100_000)
        _ = queue.poll()
        #expect(program.outcome(0) == .timedOut)
        rig.advance(nanoseconds: 105_000_000)
        // The quarantine is over; a request makes the driver look, and ends.
        program.send(testFrame(9), chunk: 9, stamped: true)
        for _ in 0..<3 {
            _ = queue.poll()
            rig.advance(nanoseconds: Self.delay)
        }
        #expect(program.completions() == [0, 9])
        rig.advance(nanoseconds: 30_000_000)
        _ = rig.arrivals()
        // All four are lent, the suspect one too; its old stamp comes 5 ms later, before the deadline of the new.
        for chunk in 1..<5 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: true) }
        _ = queue.poll()
        #expect(queue.outstandingStamps == 4)
        for _ in 0..<12 {
            rig.advance(nanoseconds: 1_000_000)
            _ = queue.poll()
        }
        let truth = Dictionary(uniqueKeysWithValues: rig.timedArrivals().map { ($0.frame, $0.deviceTime) })
        let outcomes = (1..<5).map { program.outcome($0) }
        for chunk in 1..<5 where outcomes[chunk - 1] != .timedOut {
            #expect(outcomes[chunk - 1] == truth[testFrame(UInt8(chunk))].map { .stamped(nanoseconds: $0) })
        }
        // The card keeps the older stamp, so the suspect register has none for its new user.
        #expect(outcomes.count { $0 == .timedOut } == 1)
        #expect(device.stampCounters.late == 1)
    }

    @Test("weakness 4: A slot of a queue that was torn down is not lent while it owes a stamp")
    func lateStampOfTornDownQueue() throws {
        let rig = Rig(options { $0.stampDelayNanoseconds = 3_000_000 })
        let device = try rig.open()
        do {
            var program = try Program(census: rig.census)
            var queue = try device.openXSKQueue(0, try program.socket.takePool())
            program.send(testFrame(0), chunk: 0, stamped: true)
            _ = queue.poll()
            rig.settle()
            _ = consume queue
            #expect(program.completions() == [0])
            #expect(program.outcome(0) == .tornDown)
        }
        _ = rig.arrivals()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(1, try program.socket.takePool())
        rig.advance(nanoseconds: 1_000_000)
        for chunk in 0..<4 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: true) }
        _ = queue.poll()
        #expect(queue.outstandingStamps == 3)
        rig.advance(nanoseconds: 4_000_000)
        _ = queue.poll()
        let truth = Dictionary(uniqueKeysWithValues: rig.timedArrivals().map { ($0.frame, $0.deviceTime) })
        for chunk in 0..<4 where program.outcome(chunk) != .noSlot {
            let expected = truth[testFrame(UInt8(chunk))].map { TransmitStampOutcome.stamped(nanoseconds: $0) }
            #expect(program.outcome(chunk) == expected)
        }
    }

    @Test("weakness 5: A stamp costs a handful of reads, no interrupt and no EICS write")
    func stampIsCheap() throws {
        let rig = Rig(options())
        let recording = Recording(rig.backing, map: I225RegisterMap.map)
        let device = try rig.open(on: recording)
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        program.send(testFrame(0), chunk: 0, stamped: true)
        _ = queue.poll()
        rig.advance(nanoseconds: Self.delay)
        recording.trace.clear()
        _ = queue.poll()
        #expect(program.completions() == [0])
        let entries = recording.trace.entries
        #expect(entries.count <= 3, "\(entries)")
        #expect(!recording.trace.stores.contains { $0.name == "EICS" })
    }

    @Test("weakness 6: A received frame's stamp is the program's before the buffer is the card's again")
    func receiveStampIsCopied() throws {
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        configuration.stampsReceived = true
        let device = try rig.open(configuration)
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
        program.provide(0..<64)
        for _ in 0..<2 { _ = queue.poll() }
        #expect(rig.send(testFrame(1)))
        let wireTime = rig.model.deviceTime(atHostTime: rig.clock.now)
        rig.settle()
        _ = queue.poll()
        let first = program.received()
        // The card goes on with other buffers; what the program has does not change.
        for number in 2..<8 { #expect(rig.send(testFrame(UInt8(number)))) }
        rig.advance(nanoseconds: 1_000)
        _ = queue.poll()
        #expect(first.count == 1)
        #expect(first.first?.frame == testFrame(1))
        #expect(first.first?.metadata?.timestamp == wireTime)
        #expect(program.received().map { $0.frame } == (2..<8).map { testFrame(UInt8($0)) })
    }

    @Test("weakness 7: (6.12) Stale metadata without the descriptor's option asks for nothing")
    func staleMetadata() throws {
        let rig = Rig(options())
        let device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        _ = program.end.requestStamp(at: program.address(0))
        program.send(testFrame(0), chunk: 0)
        _ = queue.poll()
        #expect(queue.outstandingStamps == 0)
        rig.settle()
        _ = queue.poll()
        #expect(program.completions() == [0])
    }

    @Test("weakness 7: (6.12) Flags are read once: what is written over them later asks for nothing and stops nothing")
    func flagsAreReadOnce() throws {
        let rig = Rig(options())
        let device = try rig.open()
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        program.send(testFrame(0), chunk: 0, stamped: true)
        program.send(testFrame(1), chunk: 1)
        _ = queue.poll()
        // SAFETY: bytes have no padding.
        _ = unsafe program.socket.umem.write([UInt8](repeating: 0, count: 8).span.bytes, at: program.address(0) - 32)
        _ = program.end.requestStamp(at: program.address(1))
        rig.advance(nanoseconds: Self.delay)
        for _ in 0..<2 { _ = queue.poll() }
        #expect(program.completions().sorted() == [0, 1])
        let sent = rig.timedArrivals()
        #expect(program.outcome(0) == sent.first.map { .stamped(nanoseconds: $0.deviceTime) })
        #expect(program.outcome(1) == nil)
        #expect(queue.outstandingStamps == 0)
    }

    @Test("weakness 7: (6.12) A full hardware ring loses no descriptor")
    func fullRingLosesNothing() throws {
        let rig = Rig()
        let device = try rig.open()
        var program = try Program(chunks: 256, census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
        for chunk in 0..<256 { program.send(testFrame(UInt8(truncatingIfNeeded: chunk)), chunk: chunk) }
        // The card does nothing meanwhile: the ring fills.
        for _ in 0..<20 { _ = queue.poll() }
        var done: [Int] = []
        var frames: [[UInt8]] = []
        for _ in 0..<40 {
            rig.settle()
            frames += rig.arrivals()
            _ = queue.poll()
            done += program.completions()
        }
        #expect(done == Array(0..<256))
        #expect(frames == (0..<256).map { testFrame(UInt8(truncatingIfNeeded: $0)) })
        #expect(queue.outstandingFrames == 0)
    }

    // MARK: mended since

    @Test("mended: Register 0 erratum: stamps in slots 1 to 3 keep coming, although slot 0 has none")
    func registerZeroErratum() throws {
        let rig = Rig(
            options {
                $0.stampErrata = .silentUntilSlot0IsRead
                $0.stampFaults = [0: .lost]
            }
        )
        var configuration = I225Configuration()
        // So slow that only interrupts bring stamps.
        configuration.stampCollectIntervalNanoseconds = 1_000_000_000
        configuration.stampDeadlineNanoseconds = 1_000_000_000
        configuration.stampQuarantineNanoseconds = 1_000_000_000
        var device = try rig.open(configuration)
        let vectors = try device.enableInterrupts(queueCount: 0)
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        // Slot 0 waits for a stamp that never comes.
        program.send(testFrame(0), chunk: 0, stamped: true)
        for _ in 0..<2 {
            _ = queue.poll()
            rig.advance(nanoseconds: Self.delay)
        }
        _ = rig.arrivals()
        for round in 0..<10 {
            for chunk in 1..<4 { program.send(testFrame(UInt8(round * 4 + chunk)), chunk: chunk, stamped: true) }
            _ = queue.poll()
            rig.advance(nanoseconds: Self.delay)
            rig.advance(nanoseconds: 1_000_000)
            _ = try device.service()
            _ = queue.poll()
            let truth = Dictionary(uniqueKeysWithValues: rig.timedArrivals().map { ($0.frame, $0.deviceTime) })
            #expect(program.completions().sorted() == [1, 2, 3], "round \(round)")
            for chunk in 1..<4 {
                let expected = truth[testFrame(UInt8(round * 4 + chunk))]
                #expect(program.outcome(chunk) == expected.map { .stamped(nanoseconds: $0) })
            }
        }
        #expect(program.outcome(0) == nil)
        _ = consume vectors
    }

    @Test("mended: Register 0 race: a stamp that comes between the look and the read of register 0 is there at once")
    func registerZeroRaceExactly() throws {
        let rig = Rig(options { $0.stampFaults = [0: .late(500_000)] })
        let hooks = RegisterHooks()
        var configuration = I225Configuration()
        configuration.stampCollectIntervalNanoseconds = 1_000_000_000
        var device = try rig.open(on: HookedBacking(rig.backing, hooks), configuration)
        let vectors = try device.enableInterrupts(queueCount: 0)
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        rig.advance(nanoseconds: 100_000)
        _ = try device.service()
        for chunk in 0..<2 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: true) }
        for _ in 0..<2 {
            _ = queue.poll()
            rig.advance(nanoseconds: Self.delay)
        }
        // Slot 1 has its stamp and has told of it; slot 0 gets its own right after the driver's look at the valid bits.
        var looks = 0
        hooks.answer = { offset, value in
            if offset == I225Register.transmitStampControl.offset {
                looks += 1
                if looks == 1 { rig.clock.advance(nanoseconds: 500_000) }
            }
            return value
        }
        _ = try device.service()
        #expect(looks == 1)
        _ = queue.poll()
        let truth = rig.timedArrivals().map { TransmitStampOutcome.stamped(nanoseconds: $0.deviceTime) }
        #expect(program.completions().sorted() == [0, 1])
        #expect((0..<2).map { program.outcome($0) } == truth)
        _ = consume vectors
    }

    @Test(
        "mended: Register 0 race: a stamp that arrives between any two reads of the protocol is not lost",
        arguments: 0..<24
    )
    func registerZeroRace(_ step: Int) throws {
        for errata: StampErrata in [[], .silentUntilSlot0IsRead, .slot0EmptiesAll] {
            let rig = Rig(options { $0.stampErrata = errata })
            // Each register access takes 5 µs, as a trapped one does: the stamps fall between the reads.
            let hooks = RegisterHooks()
            hooks.beforeAccess = { rig.clock.advance(nanoseconds: 5_000) }
            let slow = HookedBacking(rig.backing, hooks)
            var configuration = I225Configuration()
            configuration.stampCollectIntervalNanoseconds = 0
            var device = try rig.open(on: slow, configuration)
            let vectors = try device.enableInterrupts(queueCount: 0)
            _ = consume vectors
            var program = try Program(census: rig.census)
            var queue = try device.openXSKQueue(0, try program.socket.takePool())
            for chunk in 0..<4 {
                program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: true)
                _ = queue.poll()
                // Frames leave some µs apart, so that stamps come at different steps of the protocol.
                rig.advance(nanoseconds: UInt64(step) * 1_000)
            }
            for _ in 0..<40 {
                _ = queue.poll()
                _ = try device.service()
                rig.advance(nanoseconds: 5_000)
            }
            rig.advance(nanoseconds: 10_000_000)
            _ = queue.poll()
            let truth = Dictionary(uniqueKeysWithValues: rig.timedArrivals().map { ($0.frame, $0.deviceTime) })
            for chunk in 0..<4 {
                let expected = truth[testFrame(UInt8(chunk))].map { TransmitStampOutcome.stamped(nanoseconds: $0) }
                #expect(program.outcome(chunk) == expected, "errata \(errata.rawValue), chunk \(chunk)")
            }
            #expect(device.stampCounters.timedOut == 0)
        }
    }

    @Test("mended: Rx stamp offset: the card's 16 bytes are not the frame's, and its length does not count them")
    func receiveStampOffset() throws {
        let rig = Rig()
        var configuration = I225Configuration()
        configuration.isPromiscuous = true
        configuration.stampsReceived = true
        let device = try rig.open(configuration)
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool(), entries: 64)
        program.provide(0..<64)
        for _ in 0..<2 { _ = queue.poll() }
        for length in [60, 61, 64, 1514] { #expect(rig.send(testFrame(7, length: length))) }
        rig.settle()
        _ = queue.poll()
        #expect(program.received().map { $0.frame.count } == [60, 61, 64, 1514])
    }

    @Test("mended: Wrong vector in the wake-up: a queue re-arms its own")
    func wakesItsOwnVector() throws {
        let rig = Rig()
        let recording = Recording(rig.backing, map: I225RegisterMap.map)
        let device = try rig.open(on: recording)
        let program = try Program(census: rig.census)
        let queue = try device.openXSKQueue(2, try program.socket.takePool())
        recording.trace.clear()
        queue.rearm()
        #expect(recording.trace.entries == [.store("EIMS", 1 << 3)])
    }

    @Test("mended: CVE-2026-23445: a stamp that comes after the pool has gone is written nowhere")
    func stampAfterThePool() throws {
        let rig = Rig(options())
        let device = try rig.open()
        var program = try Program(census: rig.census)
        do {
            var queue = try device.openXSKQueue(0, try program.socket.takePool())
            program.send(testFrame(0), chunk: 0, stamped: true)
            _ = queue.poll()
            rig.settle()
        }
        #expect(program.completions() == [0])
        #expect(program.outcome(0) == .tornDown)
        let before = program.socket.umem.read(at: 0, length: 4096)
        rig.advance(nanoseconds: Self.delay * 2)
        // Another queue collects: the late stamp is drained and the old buffer stays as it was.
        var other = try Program(census: rig.census)
        var queue = try device.openXSKQueue(1, try other.socket.takePool())
        other.send(testFrame(1), chunk: 1, stamped: true)
        _ = queue.poll()
        rig.advance(nanoseconds: Self.delay)
        _ = queue.poll()
        #expect(program.socket.umem.read(at: 0, length: 4096) == before)
        #expect(program.socket.diagnostics.lostTransmitFrames == 0)
    }

    @Test("mended: Metadata and chunks that are too short are refused, not cut")
    func shortChunks() throws {
        let rig = Rig()
        let device = try rig.open()
        // 2048 - 256 = 1792 bytes are 1 KB to the card: frames of up to 1522 would come in two pieces.
        let program = try Program(chunkBytes: 2048, census: rig.census)
        let error = #expect(throws: DeviceError.self) {
            _ = try device.openXSKQueue(0, try program.socket.takePool())
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.detail.contains("4096") == true)
    }
}
