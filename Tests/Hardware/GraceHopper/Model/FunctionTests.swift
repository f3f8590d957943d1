// The PCI function: what configuration space shows of each part, and what a reset does.

import Backing
import Clock
import GraceHopperModel
import GraceHopperWire
import Memory
import PCIe
import Testing

@Suite struct FunctionTests {
    @Test(arguments: GraceHopperPart.all.map(\.device))
    func everyPartSaysWhoItIs(_ device: UInt16) throws {
        let part = try #require(GraceHopperPart.of(device: device))
        let rig = try Rig { $0.part = part }
        #expect(rig.model.readConfig(0x00, .doubleWord) == UInt64(device) << 16 | 0x10DE)
        // 3D controller, revision a1.
        #expect(rig.model.readConfig(0x08, .doubleWord) == 0x0302_00A1)
        #expect(rig.load(IdentityRegisters.boot) >> 24 == part.architecture)
        #expect(rig.load(IdentityRegisters.boot) & 0xFF == 0xA1)
        #expect(rig.load(IdentityRegisters.bootExtended) >> 24 & 0x3F == part.architecture)
        #expect(rig.load(IdentityRegisters.bootExtended) >> 12 & 0xFF == 0xA1)
    }

    /// 64-bit and prefetchable both, and nothing else: the BARs that a guest sees are the driver's work.
    @Test func theFunctionHasTwoBARs() throws {
        let rig = try Rig()
        let bars = rig.model.baseAddressRegisters
        #expect(bars.map(\.index) == [0, 2])
        #expect(bars.map(\.byteCount) == [16 << 20, 64 << 20])
        #expect(bars.allSatisfy { $0.is64Bit && $0.isPrefetchable })
        for offset in stride(from: UInt16(0x10), to: 0x28, by: 4) { rig.model.writeConfig(offset, .doubleWord, ~0) }
        let words = stride(from: UInt16(0x10), to: 0x28, by: 4).map { rig.model.readConfig($0, .doubleWord) }
        #expect(words == [0xFF00_000C, 0xFFFF_FFFF, 0xFC00_000C, 0xFFFF_FFFF, 0, 0])
    }

    /// As Linux's pci_find_dvsec_capability walks the list.
    private func designated(_ model: GraceHopperModel, vendor: UInt16, number: UInt16) -> UInt16? {
        var offset: UInt16 = 0x100
        for _ in 0..<480 {
            let header = model.readConfig(offset, .doubleWord)
            if header & 0xFFFF == 0x23, model.readConfig(offset + 4, .word) == UInt64(vendor),
                model.readConfig(offset + 8, .word) == UInt64(number)
            {
                return offset
            }
            offset = UInt16(header >> 20)
            guard offset >= 0x100 else { return nil }
        }
        return nil
    }

    @Test(arguments: GraceHopperPart.all.map(\.device))
    func laterPartsSayThatTheyNeedNoReserve(_ device: UInt16) throws {
        let part = try #require(GraceHopperPart.of(device: device))
        let rig = try Rig { $0.part = part }
        let place = designated(rig.model, vendor: 0x10DE, number: 3)
        #expect((place != nil) == part.needsNoReserve)
        if let place {
            #expect(rig.model.readConfig(place + 0xA, .word) & 1 == 1)
            #expect(rig.model.readConfig(place + 4, .doubleWord) >> 20 == 12, "bytes of the capability")
        }
    }

    @Test func whatThePartSaysOfTheReserveCanBeChosen() throws {
        let needing = try Rig { $0.memoryCapability = .needsReserve }
        let place = try #require(designated(needing.model, vendor: 0x10DE, number: 3))
        #expect(needing.model.readConfig(place + 0xA, .word) == 0)
        let absent = try Rig {
            $0.part = GraceHopperPart.all[4]
            $0.memoryCapability = .absent
        }
        #expect(designated(absent.model, vendor: 0x10DE, number: 3) == nil)
    }

    @Test(arguments: [(AccessSize.word, UInt16(0x68)), (.byte, 0x69), (.doubleWord, 0x68), (.doubleWord, 0x66)])
    func aFunctionLevelResetIsAWriteToDeviceControl(_ size: AccessSize, _ offset: UInt16) throws {
        let rig = try Rig()
        rig.store(InterruptRegisters.leafEnableSet, 0xFF)
        rig.model.write(bar: 2, 0x1000, .quadWord, 0x0123_4567_89AB_CDEF)
        let memory = rig.memory(0x1000)
        rig.model.writeConfig(offset, size, 0x80 << UInt64(8 * (0x69 - offset)))
        #expect(rig.model.counters.resets == 1)
        #expect(rig.model.readConfig(ConfigSpace.Offset.command, .word) == 0)
        #expect(rig.model.readConfig(0x10, .doubleWord) == 0xC)
        #expect(rig.memory(0x1000) == memory && memory == [0xEF, 0xCD, 0xAB, 0x89, 0x67, 0x45, 0x23, 0x01])
        rig.switchOn()
        #expect(rig.load(InterruptRegisters.leafEnableSet) == 0)
        #expect(rig.model.read(bar: 2, 0x1000, .quadWord) == 0x0123_4567_89AB_CDEF)
    }

    @Test func theResetOfTheHostDoesTheSame() throws {
        let rig = try Rig()
        let fresh = try Rig()
        rig.store(InterruptRegisters.topEnableSet, 1)
        rig.store(GraceHopper.msixTableOffset, 0xFEE0_0000)
        rig.store(GraceHopper.msixTableOffset + 12, 0)
        rig.model.reset()
        rig.switchOn()
        for offset in [InterruptRegisters.topEnableSet, GraceHopper.msixTableOffset, GraceHopper.msixTableOffset + 12] {
            #expect(rig.load(offset) == fresh.load(offset))
        }
        #expect(rig.load(GraceHopper.msixTableOffset + 12) == 1)
    }

    /// PCI Express Base 5.0 §5.3.1.4.1: no memory accesses in D3hot. Nothing is lost by it.
    @Test func asleepItAnswersNoAccess() throws {
        let rig = try Rig()
        rig.store(InterruptRegisters.leafEnableSet, 0xFF)
        rig.model.writeConfig(0x44, .word, 3)
        #expect(rig.load(InterruptRegisters.leafEnableSet) == ~0)
        rig.store(InterruptRegisters.leafEnableSet, 0xFF00)
        rig.model.writeConfig(0x44, .word, 0)
        #expect(rig.load(InterruptRegisters.leafEnableSet) == 0xFF)
        #expect(rig.model.counters.disabledAccesses == 2)
    }

    @Test func wrongAccessesAreCounted() throws {
        let rig = try Rig()
        #expect(rig.model.read(bar: 0, 16 << 20, .doubleWord) == 0)
        #expect(rig.model.read(bar: 0, .max - 3, .quadWord) == 0)
        #expect(rig.model.read(bar: 1, 0, .byte) == 0)
        #expect(rig.load(0x10) == 0)
        rig.store(0x10, 1)
        #expect(rig.model.counters.unknownAccesses == 5)
        rig.model.write(bar: 0, UInt64(InterruptRegisters.leafEnableSet), .word, 1)
        rig.model.write(bar: 0, UInt64(InterruptRegisters.leafEnableSet) + 2, .doubleWord, 1)
        #expect(rig.model.counters.oddWrites == 2)
        #expect(rig.load(InterruptRegisters.leafEnableSet) == 0)
        // What says who it is cannot be written.
        rig.store(IdentityRegisters.boot, 0)
        #expect(rig.load(IdentityRegisters.boot) == 0x1800_00A1)
    }

    /// A register is the same by any width of read.
    @Test func narrowReadsAreParts() throws {
        let rig = try Rig()
        #expect(rig.model.read(bar: 0, 3, .byte) == 0x18)
        #expect(rig.model.read(bar: 0, 2, .word) == 0x1800)
        #expect(rig.model.read(bar: 0, 0, .quadWord) == 0x1800_00A1)
    }
}
