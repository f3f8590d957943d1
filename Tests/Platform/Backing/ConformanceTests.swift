// What every backing owes a driver, whatever is behind it: one suite over every arrangement.

import Backing
import Clock
import Interrupts
import Leases
import Memory
import PCIe
import Registers
import Testing

private func end(_ lease: consuming InterruptLease) {}
private func end(_ mapping: consuming DMAMapping) {}

@Suite struct ConformanceTests {
    @Test(arguments: Arrangement.allCases)
    func saysWhoTheDeviceIs(_ arrangement: Arrangement) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        #expect(rig.backing.identity == rig.device.identity)
        #expect(rig.backing.vectorCount == 2)
        #expect(rig.backing.name == (arrangement.isRemote ? "socket:scratch" : "in-process:scratch"))
        #expect(try rig.backing.readConfig(0, .doubleWord) == 0x0001_DB00)
    }

    @Test(arguments: Arrangement.allCases)
    func carriesConfigAccessesOfEverySize(_ arrangement: Arrangement) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        try rig.backing.writeConfig(0x3C, .byte, 0x0B)
        #expect(try rig.backing.readConfig(0x3C, .byte) == 0x0B)
        try rig.backing.writeConfig(0x0C, .word, 0xFF40)
        #expect(try rig.backing.readConfig(0x0C, .word) == 0x0040)
        #expect(try rig.backing.readConfig(0x02, .doubleWord) & 0xFFFF == 0x0001)
        for size in [AccessSize.byte, .word, .doubleWord] {
            #expect(try rig.backing.readConfig(0xFFFF, size) == UInt32(size.allOnes), "outside the space")
        }
    }

    @Test(arguments: Arrangement.allCases)
    func findsTheFunctionAsFirmwareLeavesIt(_ arrangement: Arrangement) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        let command = try rig.backing.readConfig(ConfigSpace.Offset.command, .word)
        #expect(command & 2 != 0, "memory space is on")
        #expect(command & 4 == 0, "the bus is the driver's to allow")
        for register in rig.device.baseAddressRegisters {
            let offset = ConfigSpace.Offset.baseAddressRegisters + UInt16(register.index * 4)
            let low = try UInt64(rig.backing.readConfig(offset, .doubleWord)) & ~0xF
            let high = register.is64Bit ? try UInt64(rig.backing.readConfig(offset + 4, .doubleWord)) : 0
            let address = high << 32 | low
            #expect(address != 0 && address % register.byteCount == 0, "BAR \(register.index)")
        }
    }

    @Test(arguments: Arrangement.allCases)
    func carriesRegisterAccesses(_ arrangement: Arrangement) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        let bar = try rig.backing.mapBAR(0)
        #expect(bar.read(ScratchRegister.magic).raw == ScratchRegister.magicValue)
        for value in [UInt32(0), 1, 0x8000_0000, 0xFFFF_FFFF, 0x1234_5678] {
            bar.write(ScratchRegister.scratch, value)
            #expect(bar.read(ScratchRegister.scratch).raw == value)
        }
        let again = try rig.backing.mapBAR(0)
        #expect(again.read(ScratchRegister.scratch).raw == 0x1234_5678, "two views, one device")
        bar.storeWide(ScratchRegister.source[0].offset, 0x0123_4567_89AB_CDEF)
        #expect(bar.read(ScratchRegister.source[0]).raw == 0x89AB_CDEF)
        #expect(bar.read(ScratchRegister.source[1]).raw == 0x0123_4567)
        #expect(rig.device.wideWrites == 1, "64 bits are one access")
        #expect(bar.load(0xFFC) == 0, "no register there")
        #expect([0, ~0].contains(bar.load(0xFFFF_FFFC)), "no BAR there")
    }

    @Test(arguments: Arrangement.allCases, [-1, 1, 3, 6, Int.max])
    func refusesABARThatTheFunctionDoesNotHave(_ arrangement: Arrangement, index: Int) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        let error = try #require(throws: DeviceError.self) { _ = try rig.backing.mapBAR(index) }
        #expect(error.code == .invalidArgument && error.operation == "map BAR")
    }

    @Test(arguments: Arrangement.allCases)
    func aDoorbellStartsACopyAndItsInterruptTellsOfTheEnd(_ arrangement: Arrangement) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        do {
            var driver = try ScratchDriver(rig.backing)
            var done = try rig.backing.attachVector(0, cpu: nil)
            let source = try rig.backing.allocateDMA(byteCount: 4096, .deviceReads, purpose: "source")
            let destination = try rig.backing.allocateDMA(byteCount: 4096, .deviceWrites, purpose: "destination")
            source.memory.fill(0x5A)

            for round in 1...50 {
                driver.copy(from: source.iova + 100, to: destination.iova + 1000, length: round)
                #expect(rig.settle { done.consume() })
                #expect(done.firedCount == UInt64(round))
                #expect(driver.bar.read(ScratchRegister.cause).raw == 1)
                #expect(driver.bar.read(ScratchRegister.cause).raw == 0, "a read clears it")
                #expect(destination.memory.byte(at: 999) == 0)
                #expect(destination.memory.byte(at: 1000 + round - 1) == 0x5A)
                #expect(destination.memory.byte(at: 1000 + round) == 0)
            }
            #expect(driver.bar.read(ScratchRegister.copies).raw == 50)
        }
        #expect(rig.census.outstanding.isEmpty)
    }

    /// One address the device may not read, one it may not write, one mapped for the other direction.
    @Test(arguments: Arrangement.allCases)
    func whatWasNotLentIsNotReached(_ arrangement: Arrangement) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        var driver = try ScratchDriver(rig.backing)
        var refused = try rig.backing.attachVector(1, cpu: nil)
        let source = try rig.backing.allocateDMA(byteCount: 4096, .deviceReads, purpose: "source")
        let destination = try rig.backing.allocateDMA(byteCount: 4096, .deviceWrites, purpose: "destination")
        source.memory.fill(0x11)
        destination.memory.fill(0x22)

        let attempts: [(source: UInt64, destination: UInt64, length: Int)] = [
            (0, destination.iova, 64), (.max, destination.iova, 64), (source.iova, 0, 64),
            (source.iova, .max - 8, 64), (source.iova + 4090, destination.iova, 64),
            (source.iova, destination.iova + 4090, 64), (destination.iova, destination.iova, 64),
            (source.iova, source.iova, 64), (source.iova, destination.iova, 0xFFFF),
        ]
        for (number, attempt) in attempts.enumerated() {
            driver.copy(from: attempt.source, to: attempt.destination, length: attempt.length)
            #expect(rig.settle { refused.consume() })
            #expect(refused.firedCount == UInt64(number + 1))
            #expect(driver.bar.read(ScratchRegister.cause).raw == 2)
        }
        #expect(source.memory.isAll(0x11) == true)
        #expect(destination.memory.isAll(0x22) == true)
        #expect(driver.bar.read(ScratchRegister.copies).raw == 0)
    }

    @Test(arguments: Arrangement.allCases)
    func aMappingThatHasEndedIsOutOfReach(_ arrangement: Arrangement) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        var driver = try ScratchDriver(rig.backing)
        var refused = try rig.backing.attachVector(1, cpu: nil)
        let memory = try SharedMemory(byteCount: 4096, name: "test")
        let mapping = try rig.backing.mapDMA(memory, .both)
        let iova = mapping.iova
        #expect(mapping.byteCount == 4096)
        end(mapping)
        driver.copy(from: iova, to: iova + 64, length: 8)
        #expect(rig.settle { refused.consume() })

        let second = try rig.backing.mapDMA(memory, .both)
        #expect(second.iova != iova, "no address is given out twice")
    }

    @Test(arguments: Arrangement.allCases)
    func aVectorIsLentToOneHolderAtATime(_ arrangement: Arrangement) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        let first = try rig.backing.attachVector(0, cpu: nil)
        let taken = try #require(throws: DeviceError.self) { end(try rig.backing.attachVector(0, cpu: nil)) }
        #expect(taken.code == .noResource)
        for index in [-1, 2, Int.max] {
            let error = try #require(throws: DeviceError.self) { end(try rig.backing.attachVector(index, cpu: nil)) }
            #expect(error.code == .invalidArgument)
        }
        end(first)
        end(try rig.backing.attachVector(0, cpu: 0))
        #expect(rig.census.outstanding.isEmpty)
    }

    /// Vectors come one by one, at any time, also while the device works.
    @Test(arguments: Arrangement.allCases)
    func aMessageWithoutAHolderWaitsForTheNext(_ arrangement: Arrangement) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        var driver = try ScratchDriver(rig.backing)
        let buffer = try rig.backing.allocateDMA(byteCount: 4096, .both, purpose: "copies")
        var first = try rig.backing.attachVector(0, cpu: nil)
        driver.copy(from: buffer.iova, to: buffer.iova + 64, length: 8)
        #expect(rig.settle { first.consume() })
        end(first)

        driver.copy(from: buffer.iova, to: buffer.iova + 64, length: 8)
        #expect(rig.settle { driver.bar.read(ScratchRegister.copies).raw > 0 })
        #expect(rig.settle { rig.onOwner { rig.device.host.doorbells.load(0) == 2 } })
        var second = try rig.backing.attachVector(0, cpu: nil)
        #expect(rig.settle { second.consume() }, "its end masked the vector, so the message was kept pending")
        #expect(second.firedCount == 1)
        #expect(rig.onOwner { rig.device.host.unattachedMessages } == 0)
    }

    @Test(arguments: Arrangement.allCases)
    func aResetClearsTheDeviceAndLeavesTheDriverItsConfiguration(_ arrangement: Arrangement) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        var driver = try ScratchDriver(rig.backing)
        var done = try rig.backing.attachVector(0, cpu: nil)
        let buffer = try rig.backing.allocateDMA(byteCount: 4096, .both, purpose: "copies")
        let offset = ConfigSpace.Offset.baseAddressRegisters
        let address = try rig.backing.readConfig(offset, .doubleWord)
        driver.bar.write(ScratchRegister.scratch, 7)

        try rig.backing.reset()
        #expect(rig.onOwner { rig.device.resets } == 1)
        #expect(driver.bar.read(ScratchRegister.scratch).raw == 0)
        #expect(!driver.bar.read(ScratchRegister.control)[ScratchControl.enable])
        #expect(try rig.backing.readConfig(offset, .doubleWord) == address)
        #expect(try rig.backing.readConfig(ConfigSpace.Offset.command, .word) & 6 == 6)

        driver = try ScratchDriver(rig.backing)
        driver.copy(from: buffer.iova, to: buffer.iova + 64, length: 8)
        #expect(rig.settle { done.consume() }, "vector and mapping outlive the reset")
    }

    @Test(arguments: Arrangement.allCases)
    func disablingStopsTheEngineBeforeTheWriteReturns(_ arrangement: Arrangement) throws {
        let rig = try Rig(arrangement)
        defer { rig.finish() }
        var driver = try ScratchDriver(rig.backing)
        let buffer = try rig.backing.allocateDMA(byteCount: 4096, .both, purpose: "copies")
        driver.bar.write(ScratchRegister.latency, 0)
        for _ in 0..<100 { driver.copy(from: buffer.iova, to: buffer.iova + 64, length: 8) }
        driver.bar.modify(ScratchRegister.control) { $0[ScratchControl.enable] = false }
        _ = driver.bar.read(ScratchRegister.copies)
        for _ in 0..<100 {
            _ = rig.onOwner { rig.device.poll() }
            #expect(driver.bar.read(ScratchRegister.copies).raw == 0)
        }
    }
}
