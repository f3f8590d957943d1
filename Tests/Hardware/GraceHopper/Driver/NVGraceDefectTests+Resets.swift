// The defects that concern resets, readiness, and what later parts need no more: see NVGraceDefectTests.swift.

import Backing
import Clock
import Dispatch
import Foundation
import Glibc
import GraceHopperDriver
import GraceHopperModel
import GraceHopperWire
import Leases
import Memory
import Synchronization
import Testing
import VFIOVariant

extension NVGraceDefectTests {
    @Test("defect 16: The BARs are cleared when the function has been reset, not before", arguments: [true, false])
    func barsAreClearedByTheReset(succeeds: Bool) throws {
        let rig = try Rig()
        let backing = ForgetfulBacking(rig.inProcess())
        let device = try rig.take(backing)
        try device.open()
        defer { device.close() }
        try device.setConfig(0x20, 8, 0xA0_0000_0000)
        backing.refusesReset = !succeeds
        _ = code { () throws(VFIOError) in try device.reset() }
        backing.refusesReset = false
        #expect(try device.config(0x20, 8) == (succeeds ? 0xC : 0xA0_0000_000C))
    }

    @Test("defect 17: Resets that VFIO is not asked for clear the BARs, too", arguments: ResetKind.allCases)
    func everyResetClearsTheBARs(kind: ResetKind) throws {
        let rig = try Rig()
        let device = try rig.take(ForgetfulBacking(rig.inProcess()))
        try device.open()
        defer { device.close() }
        try device.setConfig(0x18, 8, 0x45_8000_0000)
        try device.setConfig(0x20, 8, 0xA0_0000_0000)
        try kind.perform(on: device)
        #expect(try device.config(0x18, 8) == 0xC)
        #expect(try device.config(0x20, 8) == 0xC)
    }

    @Test("defect 18: No access is under way while the function is reset")
    func noAccessDuringAReset() throws {
        let rig = try Rig()
        let backing = ForgetfulBacking(rig.inProcess())
        let device = try rig.take(backing)
        try device.open()
        defer { device.close() }
        try device.write(4, 0, [1, 2, 3, 4])
        let log = Mutex<[String]>([])
        let done = DispatchSemaphore(value: 0)
        backing.whileResetting = {
            Thread.detachNewThread {
                _ = try? device.read(4, 0, 4)
                log.withLock { $0.append("read") }
                done.signal()
            }
            // Time enough for an access that nothing holds up.
            usleep(200_000)
            log.withLock { $0.append("reset") }
        }
        try device.reset()
        backing.whileResetting = {}
        #expect(done.wait(timeout: .now() + 20) == .success)
        #expect(log.withLock { $0 } == ["reset", "read"])
    }

    @Test("defect 19: Memory that is not ready after a reset is not touched")
    func memoryIsProvenAfterAReset() throws {
        let rig = try Rig { $0.readiness.afterReset = .init(.afterNanoseconds(3_000_000_000)) }
        let device = try rig.open()
        defer { device.close() }
        for access in 0..<3 {
            try device.reset()
            let before = rig.clock.now
            switch access {
            case 0: _ = try device.read(4, 0, 8)
            case 1: try device.write(2, 0, [1])
            default: _ = try device.map(region: 4, 0..<4096)
            }
            #expect(rig.clock.now - before == 3_000_000_000)
        }
        try device.reset()
        try device.setConfig(0x04, 2, 0)
        #expect(code { () throws(VFIOError) in _ = try device.read(4, 0, 8) } == EIO)
    }

    @Test("defect 20: Memory that is not trained when the driver comes is waited for, and given up after 30 seconds")
    func memoryIsProvenAtTheProbe() throws {
        let late = try Rig(.blackwell) { $0.readiness.atPowerOn = .init(.afterNanoseconds(29_000_000_000)) }
        let before = late.clock.now
        _ = try late.device()
        #expect(late.clock.now - before == 29_000_000_000)
        let never = try Rig(.blackwell) { $0.readiness.atPowerOn = .init(.never) }
        #expect(code { () throws(VFIOError) in _ = try never.device() } == ETIME)
    }

    @Test("defect 21: A part that keeps all of its memory cached loses none to a reserve")
    func noReserveWhereNoneIsNeeded() throws {
        let rig = try Rig(.blackwell)
        let device = try rig.device()
        guard case .memory(let split) = device.lending else {
            Issue.record("\(device.lending)")
            return
        }
        #expect(split.reserved == nil)
        #expect(split.usable.byteCount == Rig.memoryByteCount)
    }
}
