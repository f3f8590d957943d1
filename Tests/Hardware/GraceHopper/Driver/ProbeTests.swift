// Taking the device: what firmware and the function say of the memory, and waiting until it is ready. Source of truth:
// nvgrace_gpu_probe (nvgrace-gpu/main.c of 6.12 and 7.3).

import Backing
import Clock
import Glibc
import GraceHopperDriver
import GraceHopperModel
import GraceHopperWire
import Interrupts
import Leases
import Memory
import PCIe
import Simulation
import Testing
import VFIOVariant

/// What firmware says that is not enough.
private let unsaid: [FirmwareProperties] = [
    FirmwareProperties(),
    FirmwareProperties([MemoryProperties.base: Rig.base]),
    FirmwareProperties([MemoryProperties.byteCount: Rig.memoryByteCount]),
    FirmwareProperties([MemoryProperties.base: Rig.base, MemoryProperties.byteCount: 0]),
    FirmwareProperties(["nvidia,egm-pxm": 1]),
]

private func second(_ count: UInt64) -> UInt64 { count * 1_000_000_000 }

@Suite("Taking the device")
struct ProbeTests {
    // MARK: Without memory

    @Test("Without the memory's place and size the function is lent as it is", arguments: unsaid)
    func plain(properties: FirmwareProperties) throws {
        // Nobody touches memory, so nobody waits for it.
        let rig = try Rig { $0.readiness.atPowerOn = .init(.never) }
        let before = rig.clock.now
        let device = try rig.take(rig.inProcess(), properties: properties)
        #expect(rig.clock.now == before)
        guard case .plain = device.lending else {
            Issue.record("\(device.lending)")
            return
        }
        try device.open()
        defer { device.close() }
        #expect(try device.region(2) == VFIORegion(byteCount: 64 << 20, is64Bit: true, isPrefetchable: true))
        #expect(try device.region(4) == .absent)
        #expect(device.physicalAddresses(ofRegion: 4) == nil)
        #expect(code { () throws(VFIOError) in _ = try device.read(4, 0, 1) } == EINVAL)
        #expect(code { () throws(VFIOError) in _ = try device.map(region: 4, 0..<4096) } == EINVAL)
        // The function's own BAR 1, and nothing behind it.
        try device.setConfig(0x18, 8, .max)
        try device.setConfig(0x20, 8, .max)
        #expect(try device.config(0x18, 8) == 0xFFFF_FFFF_FC00_000C)
        #expect(try device.config(0x20, 8) == 0)
        try device.reset()
    }

    @Test("Calls that the driver adds nothing to are there with memory and without", arguments: [true, false])
    func everyCallInBothModes(hasMemory: Bool) throws {
        let rig = try Rig()
        let device = try rig.take(rig.inProcess(), properties: hasMemory ? nil : FirmwareProperties())
        try device.open()
        defer { device.close() }
        // The feature is the core's to answer; it knows none.
        #expect(code { () throws(VFIOError) in _ = try device.feature(1 << 16 | 3, []) } == ENOTTY)
        #expect(device.vectorCount == rig.model.vectorCount && device.identity == rig.model.identity)
        #expect(device.canReset)
        #expect(code { () throws(VFIOError) in _ = try device.attachVector(0, cpu: nil) } == 0)
        #expect(code { () throws(VFIOError) in _ = try device.attachVector(99, cpu: nil) } == EINVAL)
        #expect(try device.region(0).byteCount == 16 << 20)
        #expect(try device.read(0, UInt64(ReadinessRegisters.linkState), 4) == [0xFF, 0, 0, 0])
        for index in [3, 5, VFIORegion.rom] { #expect(try device.region(index) == .absent) }
        for index in [-1, 8, 9, Int.max, Int.min] {
            #expect(code { () throws(VFIOError) in _ = try device.region(index) } == EINVAL)
            #expect(code { () throws(VFIOError) in _ = try device.read(index, 0, 1) } == EINVAL)
            #expect(code { () throws(VFIOError) in try device.write(index, 0, [0]) } == EINVAL)
        }
    }

    // MARK: Memory that cannot be

    @Test(
        "A place and size that cannot be split fail the probe",
        arguments: UnsplittableRow.all.filter { $0.byteCount > 0 }
    )
    func unsplittable(row: UnsplittableRow) throws {
        let rig = try Rig(row.needsReserve ? .hopper : .blackwell)
        let properties = FirmwareProperties([
            MemoryProperties.base: row.base, MemoryProperties.byteCount: row.byteCount,
        ])
        #expect(code { () throws(VFIOError) in _ = try rig.take(rig.inProcess(), properties: properties) } == row.code)
        #expect(rig.census.outstanding.isEmpty)
    }

    @Test("Memory that the machine does not have fails the probe")
    func memoryElsewhere() throws {
        let rig = try Rig()
        for (base, byteCount) in [
            (Rig.base + 4096, Rig.memoryByteCount), (Rig.base, Rig.memoryByteCount + 4096), (0, 96 << 30),
            (Rig.base - 4096, 2 << 30), (Rig.base + Rig.memoryByteCount, 2 << 30),
        ] {
            let properties = FirmwareProperties([MemoryProperties.base: base, MemoryProperties.byteCount: byteCount])
            let result = code { () throws(VFIOError) in _ = try rig.take(rig.inProcess(), properties: properties) }
            #expect(result == ENOMEM)
        }
        let result = code { () throws(VFIOError) in
            _ = try NVGraceDevice(
                rig.inProcess(),
                properties: rig.model.properties,
                memory: nil,
                clock: .virtual(rig.clock),
                census: rig.census
            )
        }
        #expect(result == ENOMEM)
    }

    // MARK: Generations

    @Test("A part that needs no reserve shows all of its memory in region 4 and its own BAR in region 2")
    func noReserve() throws {
        let rig = try Rig(.blackwell)
        let device = try rig.open()
        defer { device.close() }
        let memory = try device.region(4)
        #expect(memory.byteCount == 8 << 30)
        #expect(memory.memory?.areas == [0..<Rig.memoryByteCount])
        #expect(try device.region(2) == VFIORegion(byteCount: 64 << 20, is64Bit: true, isPrefetchable: true))
        try device.write(4, Rig.memoryByteCount - 1, [0x5A, 0x5A])
        #expect(try device.read(4, Rig.memoryByteCount - 1, 2) == [0x5A, 0xFF])
        // The window of the function's own BAR shows the memory's first bytes.
        try device.write(4, 0, [1, 2, 3, 4])
        #expect(try device.read(2, 0, 4) == [1, 2, 3, 4])
    }

    @Test("The capability decides, not the part's number")
    func capabilityDecides() throws {
        let hopper = try Rig(.hopper) { $0.memoryCapability = .needsNoReserve }.open()
        defer { hopper.close() }
        #expect(try hopper.region(4).byteCount == 8 << 30)
        let blackwell = try Rig(.blackwell) { $0.memoryCapability = .needsReserve }.open()
        defer { blackwell.close() }
        #expect(try blackwell.region(4).byteCount == 4 << 30)
        #expect(try blackwell.region(2).byteCount == 2 << 30)
    }

    // MARK: Readiness

    @Test("Memory that is not ready is waited for, a second at a time")
    func waits() throws {
        let rig = try Rig { $0.readiness.atPowerOn = .init(.afterNanoseconds(second(5) - 1)) }
        let before = rig.clock.now
        _ = try rig.device()
        #expect(rig.clock.now - before == second(5))
    }

    @Test("Link and memory both have to be ready", arguments: [true, false])
    func bothCount(linkIsReady: Bool) throws {
        let rig = try Rig {
            $0.readiness.atPowerOn.link = linkIsReady ? .atOnce : .never
            $0.readiness.atPowerOn.memoryTraining = linkIsReady ? .never : .atOnce
        }
        #expect(code { () throws(VFIOError) in _ = try rig.device() } == ETIME)
    }

    @Test("Memory that does not get ready in half a minute fails the probe", arguments: Generation.allCases)
    func neverReady(generation: Generation) throws {
        let rig = try Rig(generation) { $0.readiness.atPowerOn = .init(.never) }
        let before = rig.clock.now
        #expect(code { () throws(VFIOError) in _ = try rig.device() } == ETIME)
        #expect(rig.clock.now - before == second(30))
        #expect(rig.census.outstanding.isEmpty)
    }

    @Test(
        "A part that tells as CXL does has its own times",
        arguments: [(0, 1), (1, 4), (2, 16), (3, 64), (4, 256), (7, 256)]
    )
    func cxl(timeout: UInt32, seconds: UInt64) throws {
        func rig(active: ReadinessDelay) throws -> Rig {
            try Rig(.blackwell) {
                var cxl = ReadinessOptions.CXL()
                cxl.timeoutCode = timeout
                $0.readiness.cxl = cxl
                $0.readiness.atPowerOn.link = .atOnce
                $0.readiness.atPowerOn.memoryTraining = active
            }
        }
        let late = try rig(active: .afterNanoseconds(second(seconds)))
        let before = late.clock.now
        _ = try late.device()
        #expect(late.clock.now - before == second(seconds))
        let never = try rig(active: .never)
        #expect(code { () throws(VFIOError) in _ = try never.device() } == ETIME)
        #expect(never.clock.now - before == second(seconds))
    }

    @Test("What CXL's capability says has to be valid within a second")
    func cxlInvalid() throws {
        let rig = try Rig(.blackwell) {
            $0.readiness.cxl = .init()
            $0.readiness.atPowerOn.link = .never
        }
        let before = rig.clock.now
        #expect(code { () throws(VFIOError) in _ = try rig.device() } == ETIME)
        #expect(rig.clock.now - before == second(1))
    }

    @Test("The probe leaves the command register as it found it", arguments: [0, 2, 6])
    func commandIsRestored(command: UInt32) throws {
        let rig = try Rig()
        let function = rig.inProcess()
        try function.writeConfig(ConfigSpace.Offset.command, .word, command)
        _ = try rig.take(function)
        #expect(try function.readConfig(ConfigSpace.Offset.command, .word) == command)
    }

    // MARK: Failures

    @Test("A failure at any step of taking, opening and using leaves nothing on loan", arguments: Generation.allCases)
    func everyStepCanFail(generation: Generation) throws {
        /// Takes and uses the device; the steps that it took.
        func run(_ rig: Rig, _ plan: FaultPlan) throws -> Int {
            let faulty = Faulty(rig.inProcess(), plan: plan)
            let device = try rig.take(faulty)
            try device.open()
            defer { device.close() }
            try device.write(4, 0, [1, 2, 3])
            _ = try device.map(region: 4, 0..<4096)
            try device.reset()
            try device.setConfig(0x14, 8, 0)
            _ = try device.read(4, 0, 3)
            return faulty.stepCount
        }
        let steps = try run(try Rig(generation), FaultPlan())
        #expect(steps > 40)
        var failures = 0
        for step in 0..<steps {
            let rig = try Rig(generation)
            do { _ = try run(rig, FaultPlan(failAtStep: step)) } catch { failures += 1 }
            #expect(rig.census.outstanding.isEmpty, "step \(step)")
        }
        // Not told to the user: that the probe could not give the command register back.
        #expect(failures >= steps - 2)
    }

    @Test("An open that fails leaves the device closed, and the next one can succeed")
    func openFails() throws {
        let rig = try Rig()
        let backing = ForgetfulBacking(rig.inProcess())
        let device = try rig.take(backing)
        backing.refusesReset = true
        #expect(code { () throws(VFIOError) in try device.open() } == EIO)
        backing.refusesReset = false
        // After the function is open, its capabilities cannot be read.
        backing.readsLeft = 0
        #expect(code { () throws(VFIOError) in try device.open() } == EIO)
        backing.readsLeft = .max
        #expect(code { () throws(VFIOError) in _ = try device.read(4, 0, 1) } == EBADF)
        try device.open()
        #expect(code { () throws(VFIOError) in try device.open() } == EBUSY)
        #expect(try device.read(4, 0, 1) == [0])
        device.close()
        #expect(rig.census.outstanding.isEmpty)
    }

    @Test("A closed device answers every call with an error")
    func closed() throws {
        let rig = try Rig()
        let device = try rig.device()
        for region in [0, 2, 4, 7] {
            #expect(code { () throws(VFIOError) in _ = try device.region(region) } == EBADF)
            #expect(code { () throws(VFIOError) in _ = try device.read(region, 0, 4) } == EBADF)
            #expect(code { () throws(VFIOError) in try device.write(region, 0, [1, 2, 3, 4]) } == EBADF)
            #expect(code { () throws(VFIOError) in _ = try device.map(region: region, 0..<4096) } == EBADF)
        }
        #expect(code { () throws(VFIOError) in try device.reset() } == EBADF)
        device.close()
    }
}
