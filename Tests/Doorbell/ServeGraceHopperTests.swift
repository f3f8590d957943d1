// `doorbell serve gracehopper`: what its arguments mean, what it prints, and what a client gets and a log tells.

import Backing
import Doorbell
import Foundation
import GraceHopperModel
import GraceHopperWire
import Leases
import Memory
import PCIe
import Registers
import Synchronization
import Testing
import VFIOUser

@Suite struct ServeGraceHopperTests {
    @Test(
        arguments: [
            ("96G", 96 << 30), ("97871M", 97871 << 20), ("0x90000000", 0x9000_0000), ("4K", 4096), ("1T", 1 << 40),
            ("512", 512), ("0x10K", 16 << 10), ("", nil), ("G", nil), ("-1", nil), ("+1", nil), ("1.5G", nil),
            ("96GB", nil), ("16777216T", nil), ("0x", nil),
        ] as [(String, UInt64?)]
    )
    func sizesHaveUnits(text: String, byteCount: UInt64?) { #expect(MemorySize(text)?.byteCount == byteCount) }

    @Test func sizesAreToldInWholeUnits() {
        func text(_ byteCount: UInt64) -> String { MemorySize(byteCount: byteCount).description }
        #expect(text(96 << 30) == "96 GiB" && text(97871 << 20) == "97871 MiB" && text(1 << 40) == "1 TiB")
        #expect(text(4097) == "4097 bytes" && text(0) == "0 bytes")
    }

    private func card(_ change: (inout GraceHopperCard) -> Void) -> GraceHopperCard {
        var card = GraceHopperCard()
        change(&card)
        return card
    }

    @Test func aGPUIsWithinLimits() {
        #expect(card { _ in }.objection == nil)
        #expect(card { $0.memory = MemorySize(byteCount: 0) }.objection != nil)
        #expect(card { $0.base = .max - 4095 }.objection != nil)
        #expect(card { $0.isLinkDown = true }.objection == nil)
        #expect(GraceHopperCard.part("31c2")?.name == "GB300" && GraceHopperCard.part("31C2") != nil)
        #expect(GraceHopperCard.part("1") == nil && GraceHopperCard.part("gb200") == nil)
        #expect(GraceHopperCard.Readiness("never") == .never && GraceHopperCard.Readiness("5") == .seconds(5))
        #expect(GraceHopperCard.Readiness("soon") == nil)
    }

    @Test func theArgumentsReachTheModel() {
        let plain = card { _ in }.options
        #expect(plain.memory.place == .own && plain.firmware.tellsBase && plain.firmware.tellsByteCount)
        let bare = card {
            $0.isBare = true
            $0.memory = MemorySize(byteCount: 0x9000_0000)
        }.options
        #expect(bare.memory.place == .machine && bare.memory.base == 0xA00_0000 && bare.memory.byteCount == 0x9000_0000)
        let broken = card {
            $0.isLinkDown = true
            $0.absentProperties = [.base]
            $0.readiness = .seconds(.max)
            $0.base = 0x1000
        }.options
        #expect(broken.memory.byteCount == 0 && broken.memory.base == 0x1000)
        #expect(!broken.firmware.tellsBase && broken.firmware.tellsByteCount)
        #expect(broken.readiness.atPowerOn.link == .afterNanoseconds(.max))
        #expect(broken.readiness.afterReset.memoryTraining == .afterNanoseconds(.max))
    }

    // MARK: At work

    /// What a run says, from its threads.
    private final class Log: Sendable {
        let events = Mutex<[String]>([])
        let ready = Mutex<(command: String, notes: [String])?>(nil)
        let mayStop = Atomic<Bool>(false)
    }

    /// Serves a card while `work` runs with its socket; what was said.
    private func serve(_ card: GraceHopperCard, _ work: @Sendable (String, Log) throws -> Void) async throws -> Log {
        let path = FileManager.default.temporaryDirectory.appending(path: "gpu-\(UUID().uuidString).sock").path
        var serve = CardServe(.graceHopper(card), listeners: [.path(path)])
        serve.isTraced = true
        let log = Log()
        async let run = onOwnThread { [serve] in
            try serve.run(
                CardServe.Attendance(
                    onReady: { command, notes in log.ready.withLock { $0 = (command?.text ?? "", notes) } },
                    onEvent: { line in log.events.withLock { $0.append(line) } },
                    cableToggles: { 0 },
                    shouldStop: { log.mayStop.load(ordering: .acquiring) }
                )
            )
        }
        while log.ready.withLock({ $0 == nil }) { try await Task.sleep(nanoseconds: 1_000_000) }
        defer { log.mayStop.store(true, ordering: .releasing) }
        try work(path, log)
        // A look at the counters is due ten times a second.
        try await Task.sleep(nanoseconds: 300_000_000)
        log.mayStop.store(true, ordering: .releasing)
        _ = try await run
        return log
    }

    @Test(.timeLimit(.minutes(1)))
    func aClientGetsTheMemoryAsBARsAndTheLogTells() async throws {
        let log = try await serve(card { $0.memory = MemorySize(byteCount: 97871 << 20) }) { path, _ in
            let backing = try VFIOUserBacking(path: path, census: Census())
            #expect(backing.identity.device == 0x2342)
            let reserved = try backing.mapBAR(2)
            reserved.store(0, 0x1234_5678)
            #expect(reserved.load(0) == 0x1234_5678)
            #expect(reserved.load(1103 << 20) == ~0, "the first byte behind the memory")
            reserved.store(1103 << 20, 0)
            do {
                let memory = try backing.allocateDMA(byteCount: 8192, .both, purpose: "test")
                #expect(memory.byteCount == 8192)
            }
            try backing.reset()
        }
        let events = log.events.withLock { $0 }
        let parts = [
            "client connected", "region 2: memory lent", "region 4: memory lent", "1 reads beyond the memory",
            "1 writes beyond the memory", " mapped, 0x2000 bytes", " unmapped, 0x2000 bytes", ": reset",
        ]
        for part in parts {
            #expect(events.contains { $0.contains(part) }, "\(part) in \(events)")
        }
        #expect(log.ready.withLock { $0?.notes } == [])
    }

    @Test(.timeLimit(.minutes(1)))
    func aBareGPUTellsWhatItsMachineMustSay() async throws {
        let bare = card {
            $0.isBare = true
            $0.memory = MemorySize(byteCount: 0x9000_0000)
        }
        let log = try await serve(bare) { path, _ in
            let backing = try VFIOUserBacking(path: path, census: Census())
            let registers = try backing.mapBAR(0)
            #expect(registers.load(0x1498) == 0xFF && registers.load(0x2_00BC) == 0xFF)
            #expect(try backing.readConfig(0x20, .doubleWord) == 0, "no third BAR")
        }
        let ready = log.ready.withLock { $0 }
        #expect(
            ready?.notes == [
                "property nvidia,gpu-mem-base-pa = 0xa000000", "property nvidia,gpu-mem-size = 0x90000000",
                "kernel argument memmap=0x90000000$0xa000000",
            ]
        )
        // All of it below the hole.
        #expect(ready?.command.contains("-m 2815M") == true && ready?.command.contains("size=2815M") == true)
    }

    @Test(.timeLimit(.minutes(1)))
    func aBareGPUWithMoreMemoryIsAboveTheHole() async throws {
        let large = card {
            $0.isBare = true
            $0.memory = MemorySize(byteCount: 3 << 30)
        }
        let log = try await serve(large) { _, _ in }
        let ready = log.ready.withLock { $0 }
        #expect(
            ready?.notes == [
                "property nvidia,gpu-mem-base-pa = 0x100000000", "property nvidia,gpu-mem-size = 0xc0000000",
                "kernel argument memmap=0xc0000000$0x100000000",
                "the base needs ACPI tables of revision 2: QEMU's own cut it to 32 bits",
            ]
        )
        // 2 GiB below the hole, and the memory above it.
        #expect(ready?.command.contains("-m 5G") == true && ready?.command.contains("size=5G") == true)
    }

    @Test(.timeLimit(.minutes(1)))
    func aLargeGPUNeedsAddresses() async throws {
        let log = try await serve(card { $0.memory = MemorySize(byteCount: 480 << 30) }) { _, _ in }
        #expect(log.ready.withLock { $0?.command.contains("phys-bits=46") } == true)
    }
}
