// The backing on a kernel of the test's own: what a driver gets, and that every lease ends, also after a step that fails.

import Backing
import Glibc
import Interrupts
import Leases
import LinuxVFIO
import Memory
import PCIe
import Registers
import Testing

private func end<Lease: ~Copyable>(_ lease: consuming Lease) {}

private func isReadable(_ descriptor: Int32) -> Bool {
    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // SAFETY: the address of a local.
    return unsafe Glibc.poll(&poll, 1, 0) == 1
}

/// A backing, the kernel below it, and the count of what is out.
private struct Rig {
    let host: Host
    let kernel: FakeKernel
    let census = Census()

    init(_ machine: FakeKernel.Machine = FakeKernel.Machine()) throws {
        host = try Host.ready()
        kernel = FakeKernel(machine)
    }

    func open() throws(VFIOObstacle) -> LinuxVFIO {
        try LinuxVFIO(Host.address, files: host.files, calls: kernel, census: census)
    }
}

@Suite struct BackingTests {
    @Test func saysWhoTheFunctionIs() throws {
        let backing = try Rig().open()
        #expect(backing.name == "0000:01:00.0")
        #expect(
            backing.identity
                == PCIeIdentity(
                    vendor: 0x8086,
                    device: 0x15F3,
                    subsystemVendor: 0x8086,
                    subsystem: 1,
                    classCode: 0x02_0000,
                    revision: 3
                )
        )
        #expect(backing.vectorCount == 5)
    }

    @Test func readsAndWritesConfigSpaceInEverySize() throws {
        let backing = try Rig().open()
        try backing.writeConfig(0x3C, .byte, 0xAB)
        try backing.writeConfig(0x3E, .word, 0x1234)
        #expect(try backing.readConfig(0x3C, .doubleWord) == 0x1234_00AB)
        #expect(try backing.readConfig(0x3E, .word) == 0x1234)
        #expect(try backing.readConfig(0xFFF, .byte) == 0)
        #expect(try backing.readConfig(0xFFE, .doubleWord) == ~0, "outside")
        #expect(throws: DeviceError.self) { try backing.readConfig(0, .quadWord) }
    }

    @Test func mapsRegisters() throws {
        let rig = try Rig()
        let backing = try rig.open()
        let bar = try backing.mapBAR(0)
        rig.kernel.poke(0x5400, [0x78, 0x56, 0x34, 0x12])
        #expect(bar.load(0x5400) == 0x1234_5678)
        bar.store(0xC018, 0xCAFE_F00D)
        #expect(bar.load(0xC018) == 0xCAFE_F00D)
        bar.storeWide(0xC020, 0x0123_4567_89AB_CDEF)
        #expect(bar.load(0xC020) == 0x89AB_CDEF && bar.load(0xC024) == 0x0123_4567)
        #expect(bar.doorbell(at: 0xC018) == nil)
        #expect(rig.kernel.held.regions == 1)
    }

    /// Of BAR 0, which is mapped, and BAR 3, whose first page is not.
    @Test(arguments: [0, 3]) func registersAreReachedAtEverySize(_ index: Int) throws {
        let rig = try Rig()
        let bar = try rig.open().mapBAR(index)
        bar.store(UInt64(0x100), byteCount: 8, 0x0807_0605_0403_0201)
        for (offset, size, value) in [
            (0x101, 1, 0x02), (0x106, 2, 0x0807), (0x104, 4, 0x0807_0605), (0x100, 8, 0x0807_0605_0403_0201),
        ] as [(UInt64, Int, UInt64)] {
            #expect(bar.load(offset, byteCount: size) == value, "\(size) bytes at \(offset)")
            bar.store(offset, byteCount: size, ~value)
            #expect(bar.load(offset, byteCount: size) == ~value & (~0 >> UInt64(64 - 8 * size)))
            bar.store(offset, byteCount: size, value)
        }
        #expect(bar.load(UInt64(0x108), byteCount: 8) == 0, "nothing behind them was written")
        for (offset, size) in [(0x101, 2), (0x102, 4), (0x104, 8), (0x100, 3), (1 << 40, 4)] as [(UInt64, Int)] {
            bar.store(offset, byteCount: size, 0)
            let nothing: UInt64 = size == 3 ? ~0 : ~0 >> UInt64(64 - 8 * size)
            let read = bar.load(offset, byteCount: size)
            #expect(read == nothing || read == ~0, "\(size) bytes at \(offset)")
        }
        #expect(bar.load(UInt64(0x100), byteCount: 8) == 0x0807_0605_0403_0201)
    }

    @Test func anAccessOutsideReadsAllOnesAndWritesNothing() throws {
        let rig = try Rig()
        let bar = try rig.open().mapBAR(0)
        for offset in [UInt32(FakeKernel.registerBytes), 0xFFFF_FFFC, 2, 0xFFFE] {
            bar.store(offset, 0x5555_5555)
            bar.storeWide(offset, 0x5555_5555_5555_5555)
            #expect(bar.load(offset) == ~0, "at \(offset)")
        }
        #expect(bar.load(0) == 0 && bar.load(0xFFFC) == 0)
    }

    @Test func reachesWhatCannotBeMappedThroughTheKernel() throws {
        let rig = try Rig()
        let bar = try rig.open().mapBAR(3)
        rig.kernel.poke(3 << 20, [1, 0, 0, 0])
        rig.kernel.poke(3 << 20 + 4096, [2, 0, 0, 0])
        #expect(bar.load(0) == 1, "the table's page, by read")
        #expect(bar.load(4096) == 2, "behind it, by mapping")
        bar.store(12, 7)
        #expect(bar.load(12) == 7)
        bar.storeWide(16, 0x8000_0000_0000_0009)
        #expect(bar.load(16) == 9 && bar.load(20) == 0x8000_0000)
        #expect(bar.load(16384) == ~0)
    }

    @Test(arguments: [-1, 1, 6]) func refusesABARThatIsNotThere(_ index: Int) throws {
        let rig = try Rig()
        let backing = try rig.open()
        #expect(throws: DeviceError.self) { try backing.mapBAR(index) }
        #expect(rig.census.outstanding["mapped BAR"] == nil)
    }

    /// vfio_pci_mmap_fault raises SIGBUS there.
    @Test func registersReadAllOnesWhileMemorySpaceIsOffOrTheFunctionSleeps() throws {
        let rig = try Rig()
        let backing = try rig.open()
        let bar = try backing.mapBAR(0)
        bar.store(0x100, 5)
        try backing.writeConfig(ConfigSpace.Offset.command, .word, 0x0004)
        #expect(bar.load(0x100) == ~0)
        bar.store(0x100, 6)
        try backing.writeConfig(ConfigSpace.Offset.command, .doubleWord, 0x0006)
        #expect(bar.load(0x100) == 5)
        try backing.writeConfig(0x44, .word, 3)  // PMCSR: D3hot
        #expect(bar.load(0x100) == ~0)
        try backing.writeConfig(0x44, .byte, 0)
        #expect(bar.load(0x100) == 5)
    }

    @Test func lendsMemoryAtAddressesThatTheIOMMUTranslates() throws {
        var machine = FakeKernel.Machine()
        machine.ranges = [0x10_0000...0x1F_FFFF]
        let rig = try Rig(machine)
        let backing = try rig.open()
        let memory = try SharedMemory(byteCount: 8192, name: "test")
        let first = try backing.mapDMA(memory, .both)
        let second = try backing.mapDMA(memory, .deviceReads)
        #expect(rig.kernel.held.mappings == [first.iova: 8192, second.iova: 8192])
        #expect(rig.census.outstanding["DMA mapping"] == 2)
        end(first)
        end(second)
        #expect(rig.kernel.held.mappings.isEmpty)
        let tooMuch = try SharedMemory(byteCount: 2 << 20, name: "test")
        #expect {
            _ = try backing.mapDMA(tooMuch, .both)
        } throws: {
            ($0 as? DeviceError)?.code == .noResource
        }
    }

    @Test func tellsOfTheLimitOfLockedMemoryWithFigures() throws {
        var machine = FakeKernel.Machine()
        machine.lockedMemoryLimit = 65536
        let rig = try Rig(machine)
        let backing = try rig.open()
        let ring = try backing.allocateDMA(byteCount: 16384, .both, purpose: "ring")
        #expect {
            _ = try backing.allocateDMA(byteCount: 65536, .both, purpose: "buffers")
        } throws: {
            guard let error = $0 as? DeviceError else { return false }
            let told = [
                "limit of locked memory is 65536", "16384 mapped already 81920", "ulimit -l 80", "LimitMEMLOCK=81920",
            ]
            return error.code == .hostLimit && told.allSatisfy { error.detail.contains($0) }
        }
        #expect(rig.kernel.held.mappings == [ring.iova: 16384], "the failed one left no address behind")
        // What was given back may be locked again.
        end(ring)
        end(try backing.allocateDMA(byteCount: 65536, .both, purpose: "buffers"))
    }

    @Test func aRefusedMappingTakesNoAddresses() throws {
        var machine = FakeKernel.Machine()
        machine.ranges = [0x10_0000...0x10_1FFF]
        let rig = try Rig(machine)
        let backing = try rig.open()
        rig.kernel.failNext(EFAULT)
        #expect(throws: DeviceError.self) { _ = try backing.allocateDMA(byteCount: 4096, .both, purpose: "ring") }
        let ring = try backing.allocateDMA(byteCount: 4096, .both, purpose: "ring")
        #expect(ring.iova == 0x10_0000, "there is room for one")
    }

    @Test func tellsThatThereAreNoMoreMappings() throws {
        let rig = try Rig()
        let backing = try rig.open()
        rig.kernel.failNext(ENOSPC)
        #expect {
            _ = try backing.allocateDMA(byteCount: 4096, .both, purpose: "ring")
        } throws: {
            guard let error = $0 as? DeviceError else { return false }
            return error.code == .hostLimit && error.detail.contains("dma_entry_limit")
        }
    }

    @Test func attachesVectorsOneByOneAtAnyTime() throws {
        let rig = try Rig()
        let backing = try rig.open()
        #expect(backing.canAddVectors)
        var first = try backing.attachVector(2, cpu: nil)
        #expect(!isReadable(first.eventDescriptor()))
        rig.kernel.fire(2)
        #expect(isReadable(first.eventDescriptor()))
        let second = try backing.attachVector(0, cpu: nil)
        var fired = first.consume()
        #expect(fired)
        fired = first.consume()
        #expect(!fired)
        #expect(rig.kernel.interruptCalls == ["set 2 +", "set 0 +"])
        end(second)
        #expect(rig.kernel.held.vectors.keys.sorted() == [2])
        rig.kernel.fire(2)
        fired = first.consume()
        #expect(fired)
        end(first)
        #expect(rig.kernel.interruptCalls.last == "disable")
        #expect(rig.census.outstanding["interrupt vector"] == nil)
    }

    @Test(arguments: [true, false])
    func placesAVectorWhereTheHintSays(_ canAddVectors: Bool) throws {
        var machine = FakeKernel.Machine()
        machine.isFixedOnceEnabled = !canAddVectors
        let rig = try Rig(machine)
        let backing = try rig.open()
        try rig.host.addInterrupts([
            "eth0", "vfio-msix[1](0000:01:00.0)", "vfio-msix[1](0000:02:00.0)", "vfio-msix[11](0000:01:00.0)",
            "vfio-msix[2](0000:01:00.0)",
        ])
        let first = try backing.attachVector(1, cpu: 5)
        #expect(try (0..<5).map(rig.host.affinity) == ["", "5\n", "", "", ""])
        try rig.host.makeFile("proc/irq/31/smp_affinity_list", "0\n")
        let second = try backing.attachVector(2, cpu: 3)
        // Made anew with the second, the first has to be placed again.
        #expect(try rig.host.affinity(1) == (canAddVectors ? "0\n" : "5\n"))
        #expect(try rig.host.affinity(4) == "3\n")
        end(first)
        end(second)
        // A vector that the kernel does not show, or that may not be placed, works all the same.
        end(try backing.attachVector(0, cpu: 3))
        #expect(rig.census.outstanding["interrupt vector"] == nil)
    }

    @Test func wakesTheOthersWhereAVectorMeansToSetAllAnew() throws {
        var machine = FakeKernel.Machine()
        machine.isFixedOnceEnabled = true
        let rig = try Rig(machine)
        let backing = try rig.open()
        #expect(!backing.canAddVectors)
        var first = try backing.attachVector(0, cpu: nil)
        var second = try backing.attachVector(3, cpu: nil)
        #expect(rig.kernel.interruptCalls == ["set 0 +", "disable", "set 0 +--+"])
        var fired = first.consume()
        #expect(fired, "a message may have been lost: it must look")
        fired = second.consume()
        #expect(!fired)
        rig.kernel.fire(3)
        fired = second.consume()
        #expect(fired)
    }

    @Test func aRefusedVectorLeavesTheOthersAsTheyWere() throws {
        var machine = FakeKernel.Machine()
        machine.isFixedOnceEnabled = true
        let rig = try Rig(machine)
        let backing = try rig.open()
        var first = try backing.attachVector(0, cpu: nil)
        rig.kernel.failNext(ENOSPC)
        #expect {
            _ = try backing.attachVector(1, cpu: nil)
        } throws: {
            ($0 as? DeviceError)?.code == .noResource
        }
        #expect(rig.kernel.held.vectors.keys.sorted() == [0])
        _ = first.consume()
        rig.kernel.fire(0)
        let fired = first.consume()
        #expect(fired)
        #expect(throws: DeviceError.self) { _ = try backing.attachVector(0, cpu: nil) }
        #expect(throws: DeviceError.self) { _ = try backing.attachVector(5, cpu: nil) }
        #expect(rig.census.outstanding["interrupt vector"] == 1)
    }

    @Test func resetsWhatCanBeReset() throws {
        let rig = try Rig()
        try rig.open().reset()
        #expect(rig.kernel.resets == 1)
        var machine = FakeKernel.Machine()
        machine.canReset = false
        let backing = try Rig(machine).open()
        #expect {
            try backing.reset()
        } throws: {
            ($0 as? DeviceError)?.code == .refused
        }
    }

    @Test func saysThatAFunctionIsGone() throws {
        let rig = try Rig()
        let backing = try rig.open()
        rig.kernel.poke(FakeKernel.configOffset, [UInt8](repeating: 0xFF, count: 256))
        #expect(try backing.readConfig(0, .doubleWord) == ~0)
        #expect {
            try backing.reset()
        } throws: {
            ($0 as? DeviceError)?.code == .deviceGone
        }
        #expect(rig.kernel.resets == 0)
    }

    @Test func whatWasLentKeepsTheFunctionOpen() throws {
        let rig = try Rig()
        var bar: LinuxVFIOBAR?
        var vector: InterruptLease?
        do {
            let backing = try rig.open()
            bar = try backing.mapBAR(0)
            vector = try backing.attachVector(1, cpu: nil)
        }
        bar?.store(0x10, 3)
        #expect(bar?.load(0x10) == 3)
        #expect(rig.kernel.held.descriptors == 3)
        bar = nil
        #expect(rig.kernel.held.descriptors == 3)
        vector = nil
        #expect(rig.kernel.held == FakeKernel.Held())
        #expect(vector == nil && rig.census.outstanding.isEmpty)
    }

    /// Takes all that a driver takes, and gives it back; how many steps the taking had.
    @discardableResult
    private static func use(_ rig: Rig) throws -> Int {
        let backing = try rig.open()
        let bar = try backing.mapBAR(0)
        let ring = try backing.allocateDMA(byteCount: 4096, .both, purpose: "ring")
        let other = try backing.attachVector(0, cpu: nil)
        let queue = try backing.attachVector(1, cpu: nil)
        try backing.reset()
        bar.store(0, UInt32(truncatingIfNeeded: ring.iova))
        let steps = rig.kernel.steps
        end(other)
        end(queue)
        return steps
    }

    @Test func everythingIsGivenBackWhateverStepFails() throws {
        let whole = try Rig()
        let steps = try Self.use(whole)
        #expect(whole.kernel.held == FakeKernel.Held() && whole.census.outstanding.isEmpty)
        #expect(steps > 15 && steps < whole.kernel.steps)
        for step in 0..<whole.kernel.steps {
            for isFixed in [false, true] {
                var machine = FakeKernel.Machine()
                machine.failAtStep = step
                machine.isFixedOnceEnabled = isFixed
                let rig = try Rig(machine)
                // The end of a lease can tell nobody of a refusal, and must cope.
                if step < steps {
                    #expect(throws: (any Error).self, "step \(step) must show") { try Self.use(rig) }
                } else {
                    try Self.use(rig)
                }
                #expect(rig.kernel.held == FakeKernel.Held(), "step \(step) left something open")
                #expect(rig.census.outstanding.isEmpty, "step \(step) left something on loan")
            }
        }
    }
}
