// Resets, whoever starts them: the fake BARs forget, the memory does not, and the first access finds out whether it is
// ready. Source of truth: nvgrace_gpu_reset_done, nvgrace_gpu_check_device_ready (nvgrace-gpu/main.c of 7.3).

import Backing
import Clock
import Glibc
import GraceHopperDriver
import GraceHopperModel
import GraceHopperWire
import Leases
import Memory
import PCIe
import Testing
import VFIOVariant

/// What can reset the function.
enum ResetKind: String, Sendable, CaseIterable {
    case call
    /// Bit 15 of device control, alone and among other bytes.
    case functionLevelReset
    case functionLevelResetInALongWrite
    case powerState
    case reopened

    /// Has the function reset, and switches its memory on where that was lost.
    func perform(on device: any VFIODevice) throws {
        switch self {
        case .call: try device.reset()
        case .functionLevelReset: try device.setConfig(0x69, 1, 0xA8)
        case .functionLevelResetInALongWrite:
            let bytes = try device.read(VFIORegion.config, 0x10, 0x60)
            var changed = bytes
            changed[0x59] |= 0x80
            try device.write(VFIORegion.config, 0x10, changed)
        case .powerState:
            try device.setConfig(0x44, 1, 3)
            try device.setConfig(0x44, 2, 0)
        case .reopened:
            device.close()
            try device.open()
        }
        try device.setConfig(0x04, 2, 0x0002)
    }
}

@Suite("Resets of a device with coherent memory")
struct ResetTests {
    @Test("Every reset clears the fake BARs and keeps the memory", arguments: ResetKind.allCases)
    func clears(kind: ResetKind) throws {
        let rig = try Rig()
        let device = try rig.take(ForgetfulBacking(rig.inProcess()))
        try device.open()
        defer { device.close() }
        try device.write(4, 0x1000, [1, 2, 3, 4])
        try device.write(2, 0x1000, [5, 6, 7, 8])
        for round in 0..<2 {
            try device.setConfig(0x18, 8, 0x45_8000_0000)
            try device.setConfig(0x20, 8, 0xA0_0000_0000)
            #expect(try device.config(0x18, 8) == 0x45_8000_000C)
            try kind.perform(on: device)
            #expect(try device.config(0x18, 8) == 0xC, "round \(round)")
            #expect(try device.config(0x20, 8) == 0xC, "round \(round)")
            #expect(try device.read(4, 0x1000, 4) == [1, 2, 3, 4])
            #expect(try device.read(2, 0x1000, 4) == [5, 6, 7, 8])
        }
    }

    @Test("A function that keeps its state in D3hot keeps its BARs")
    func powerStateThatKeeps() throws {
        let device = try Rig().open()
        defer { device.close() }
        try device.setConfig(0x18, 8, 0x45_8000_0000)
        try device.setConfig(0x44, 2, 3)
        try device.setConfig(0x44, 2, 0)
        #expect(try device.config(0x18, 8) == 0x45_8000_000C)
        #expect(device.counters.resets == 0)
    }

    @Test("Writes beside the bit reset nothing")
    func besideTheBit() throws {
        let device = try Rig().open()
        defer { device.close() }
        try device.setConfig(0x18, 8, 0x45_8000_0000)
        try device.setConfig(0x68, 1, 0x80)
        try device.setConfig(0x6A, 1, 0x80)
        try device.setConfig(0x68, 2, 0x2810)
        #expect(try device.config(0x18, 8) == 0x45_8000_000C)
        #expect(device.counters.resets == 0)
    }

    @Test("A reset that fails clears nothing, and the memory has to prove itself")
    func failingReset() throws {
        let rig = try Rig { $0.readiness.afterReset = .init(.afterReads(1)) }
        let backing = ForgetfulBacking(rig.inProcess())
        let device = try rig.take(backing)
        try device.open()
        defer { device.close() }
        _ = try device.read(4, 0, 1)
        try device.setConfig(0x18, 8, 0x45_8000_0000)
        backing.refusesReset = true
        #expect(code { () throws(VFIOError) in try device.reset() } == EIO)
        #expect(try device.config(0x18, 8) == 0x45_8000_000C)
        #expect(device.counters.resets == 0)
        try device.setConfig(0x04, 2, 0)
        #expect(code { () throws(VFIOError) in _ = try device.read(4, 0, 1) } == EIO)
    }

    // MARK: Readiness

    @Test(
        "The first access after a reset waits until the memory is ready, the next ones do not",
        arguments: Place.allCases
    )
    func waits(place: Place) throws {
        let rig = try Rig { $0.readiness.afterReset = .init(.afterNanoseconds(5_000_000_000)) }
        let device = try rig.open(place)
        defer { device.close() }
        for _ in 0..<2 {
            let before = rig.clock.now
            #expect(try device.read(4, 0, 4) == [0, 0, 0, 0])
            #expect(rig.clock.now - before == 5_000_000_000)
            try device.write(4, 0, [0, 0])
            _ = try device.map(region: 2, 0..<4096)
            #expect(rig.clock.now - before == 5_000_000_000)
            try device.reset()
        }
        #expect(device.counters.readinessWaits == 10)
    }

    @Test("Memory that does not come back gives ETIME after half a minute, every time, until it does")
    func neverReady() throws {
        let rig = try Rig { $0.readiness.afterReset = .init(.afterNanoseconds(100_000_000_000)) }
        let device = try rig.open()
        defer { device.close() }
        let before = rig.clock.now
        #expect(code { () throws(VFIOError) in _ = try device.read(4, 0, 4) } == ETIME)
        #expect(rig.clock.now - before == 30_000_000_000)
        #expect(code { () throws(VFIOError) in try device.write(2, 0, [0]) } == ETIME)
        #expect(code { () throws(VFIOError) in _ = try device.map(region: 4, 0..<4096) } == ETIME)
        #expect(rig.clock.now - before == 90_000_000_000)
        #expect(try device.read(4, 0, 4) == [0, 0, 0, 0])
        #expect(rig.clock.now - before == 100_000_000_000)
    }

    @Test("Right after a reset memory space has to be on; later nobody asks")
    func memorySpace() throws {
        let rig = try Rig()
        let device = try rig.open()
        defer { device.close() }
        try device.reset()
        try device.setConfig(0x04, 2, 0)
        #expect(code { () throws(VFIOError) in _ = try device.read(4, 0, 4) } == EIO)
        #expect(code { () throws(VFIOError) in try device.write(2, 0, [1]) } == EIO)
        #expect(code { () throws(VFIOError) in _ = try device.map(region: 4, 0..<4096) } == EIO)
        try device.setConfig(0x04, 2, 2)
        try device.setConfig(0x44, 2, 3)
        #expect(code { () throws(VFIOError) in _ = try device.read(4, 0, 4) } == EIO, "in D3hot")
        try device.setConfig(0x44, 2, 0)
        try device.write(4, 0, [1, 2, 3, 4])
        try device.setConfig(0x04, 2, 0)
        #expect(try device.read(4, 0, 4) == [1, 2, 3, 4])
        #expect(device.counters.refusedReads == 2)
        #expect(device.counters.refusedWrites == 1)
        #expect(device.counters.refusedMappings == 1)
    }

    @Test("A part that tells as CXL does is asked there after a reset, too")
    func cxl() throws {
        let rig = try Rig(.blackwell) {
            $0.readiness.cxl = .init()
            $0.readiness.afterReset.memoryTraining = .afterNanoseconds(1_000_000_000)
        }
        let device = try rig.open()
        defer { device.close() }
        let before = rig.clock.now
        #expect(try device.read(4, 0, 4) == [0, 0, 0, 0])
        #expect(rig.clock.now - before == 1_000_000_000)
    }

    @Test("A function that is gone leaves its memory behind, until somebody resets it")
    func removed() throws {
        let rig = try Rig()
        let function = rig.inProcess()
        let device = try rig.take(function)
        try device.open()
        defer { device.close() }
        try device.write(4, 0, [1, 2, 3, 4])
        function.unplug()
        #expect(try device.read(4, 0, 4) == [1, 2, 3, 4])
        // Of the function itself there are only ones; the fake BARs are the driver's.
        #expect(try device.config(0x00, 4) == 0xFFFF_FFFF)
        #expect(try device.config(0x18, 8) == 0xC)
        #expect(code { () throws(VFIOError) in try device.reset() } == ENODEV)
        #expect(code { () throws(VFIOError) in _ = try device.read(4, 0, 4) } == EIO)
        // A driver that comes now waits for its memory in vain, and not forever.
        #expect(code { () throws(VFIOError) in _ = try rig.take(function) } == ETIME)
    }
}
