// What every virtual device owes whoever drives it, whatever it is and whichever way it is reached: one suite over
// all of them.

import Backing
import Clock
import Memory
import PCIe
import Simulation
import Testing

@Suite struct ModelConformanceTests {
    @Test(arguments: Specimen.all)
    func configSpaceSaysWhoItIs(_ specimen: Specimen) throws {
        let model = try specimen.make(.virtual(VirtualClock()))
        #expect(model.readConfig(0x00, .word) == UInt64(model.identity.vendor))
        #expect(model.readConfig(0x02, .word) == UInt64(model.identity.device))
        #expect(model.readConfig(0x08, .byte) == UInt64(model.identity.revision))
        #expect(model.readConfig(0x08, .doubleWord) >> 8 == UInt64(model.identity.classCode))
        #expect(model.readConfig(ConfigSpace.Offset.command, .word) & 6 == 0, "neither memory space nor bus master")
    }

    /// PCI Local Bus 3.0 §6.2.5.1: all ones in, the size comes out.
    @Test(arguments: Specimen.all)
    func barsTellTheSizesThatTheModelStates(_ specimen: Specimen) throws {
        let model = try specimen.make(.virtual(VirtualClock()))
        for register in model.baseAddressRegisters {
            let offset = ConfigSpace.Offset.baseAddressRegisters + UInt16(register.index * 4)
            model.writeConfig(offset, .doubleWord, 0xFFFF_FFFF)
            if register.is64Bit { model.writeConfig(offset + 4, .doubleWord, 0xFFFF_FFFF) }
            let low = model.readConfig(offset, .doubleWord) & ~0xF
            let high = register.is64Bit ? model.readConfig(offset + 4, .doubleWord) : 0xFFFF_FFFF
            #expect(~(high << 32 | low) &+ 1 == register.byteCount, "BAR \(register.index)")
        }
    }

    @Test(arguments: Specimen.all)
    func capabilityListsEndAndStayInside(_ specimen: Specimen) throws {
        let model = try specimen.make(.virtual(VirtualClock()))
        var seen: Set<UInt64> = []
        var next = model.readConfig(ConfigSpace.Offset.capabilityPointer, .byte)
        while next != 0 {
            guard next >= 0x40, next % 4 == 0, seen.insert(next).inserted else {
                Issue.record("capability at \(next) after \(seen)")
                return
            }
            next = model.readConfig(UInt16(next) + 1, .byte)
        }
        next = 0x100
        while next != 0, model.readConfig(UInt16(next), .doubleWord) != 0 {
            guard next >= 0x100, next % 4 == 0, seen.insert(next).inserted else {
                Issue.record("extended capability at \(next) after \(seen)")
                return
            }
            next = model.readConfig(UInt16(next), .doubleWord) >> 20
        }
    }

    /// Where the vectors' table and pending bits are: inside a BAR that exists, clear of each other, as many as stated.
    @Test(arguments: Specimen.all)
    func theMSIXTableLiesInABAR(_ specimen: Specimen) throws {
        let model = try specimen.make(.virtual(VirtualClock()))
        var capability = model.readConfig(ConfigSpace.Offset.capabilityPointer, .byte)
        while capability != 0, model.readConfig(UInt16(capability), .byte) != UInt64(MSIXCapability.id) {
            capability = model.readConfig(UInt16(capability) + 1, .byte)
        }
        try #require(capability != 0)
        let offset = UInt16(capability)
        let count = model.readConfig(offset + 2, .word) & 0x7FF + 1
        #expect(count == UInt64(model.vectorCount))

        let table = model.readConfig(offset + 4, .doubleWord)
        let pending = model.readConfig(offset + 8, .doubleWord)
        let tableRange = (table & ~7)..<(table & ~7) + count * 16
        let pendingRange = (pending & ~7)..<(pending & ~7) + (count + 63) / 64 * 8
        for (bar, range) in [(table & 7, tableRange), (pending & 7, pendingRange)] {
            let register = try #require(model.baseAddressRegisters.first { $0.index == Int(bar) })
            #expect(range.upperBound <= register.byteCount)
        }
        #expect(table & 7 != pending & 7 || !tableRange.overlaps(pendingRange))
    }

    @Test(arguments: Specimen.all)
    func doorbellsHaveWordsOfTheirOwn(_ specimen: Specimen) throws {
        let model = try specimen.make(.virtual(VirtualClock()))
        var seen: Set<Int> = []
        for register in model.baseAddressRegisters {
            for offset in stride(from: UInt64(0), to: register.byteCount, by: 4) {
                guard let index = model.doorbellIndex(bar: register.index, offset) else { continue }
                #expect(index >= 0 && index < model.host.doorbells.count)
                #expect(seen.insert(index).inserted, "two registers are doorbell \(index)")
            }
        }
        for offset in [UInt64(1), .max, 1 << 40] { #expect(model.doorbellIndex(bar: 0, offset) == nil) }
        for bar in [-1, 6, Int.max] { #expect(model.doorbellIndex(bar: bar, 0) == nil) }
    }

    @Test(arguments: Specimen.all)
    func aFunctionWithMemorySpaceOffDropsAccesses(_ specimen: Specimen) throws {
        let model = try specimen.make(.virtual(VirtualClock()))
        for size in [AccessSize.byte, .word, .doubleWord] {
            model.write(bar: 0, 0, size, 0)
            #expect(model.read(bar: 0, 0, size) == size.allOnes)
        }
    }

    /// Nothing that comes in traps, and the device is still itself afterwards. There is no memory it may reach.
    @Test(arguments: Specimen.all, UInt64(1)...8)
    func anyAccessHasAnAnswer(_ specimen: Specimen, seed: UInt64) throws {
        let clock = VirtualClock()
        let model = try specimen.make(.virtual(clock))
        model.switchOn()
        var hostility = Hostility(seed: seed, clock: clock)
        _ = hostility.strike(model, count: 5000)
        #expect(model.readConfig(0x00, .word) == UInt64(model.identity.vendor))
        #expect(model.host.memory.mappingCount == 0)
    }

    /// A model takes time from its clock alone and chance from nowhere: the same accesses get the same answers.
    @Test(arguments: Specimen.all, UInt64(11)...14)
    func aRunRepeats(_ specimen: Specimen, seed: UInt64) throws {
        func answers() throws -> [UInt64] {
            let clock = VirtualClock()
            let model = try specimen.make(.virtual(clock))
            model.switchOn()
            var hostility = Hostility(seed: seed, clock: clock)
            return hostility.strike(model, count: 5000)
        }
        #expect(try answers() == answers())
    }

    /// PCI Express Base 5.0 §6.6.2: after a function level reset configuration space is as after power-on, and the
    /// function reaches no memory by itself.
    @Test(arguments: Specimen.all, UInt64(21)...24)
    func aResetUndoesEverything(_ specimen: Specimen, seed: UInt64) throws {
        let clock = VirtualClock()
        let model = try specimen.make(.virtual(clock))
        let atPowerOn = model.configBytes
        model.switchOn()
        var hostility = Hostility(seed: seed, clock: clock)
        _ = hostility.strike(model, count: 5000)
        model.reset()
        #expect(model.configBytes == atPowerOn)
        let faults = model.host.memory.faults
        model.switchOn()
        for _ in 0..<100 {
            clock.advance(nanoseconds: 1_000_000)
            _ = model.poll()
        }
        #expect(model.host.memory.faults == faults)
    }
}
