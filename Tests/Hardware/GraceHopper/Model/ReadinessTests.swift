// When the memory may be touched: the two registers, and CXL's capability on parts that have it instead.

import Backing
import Clock
import GraceHopperModel
import GraceHopperWire
import PCIe
import Simulation
import Testing

@Suite struct ReadinessTests {
    private func isReady(_ rig: Rig) -> Bool {
        rig.load(ReadinessRegisters.linkState) == 0xFF && rig.load(ReadinessRegisters.memoryTraining) == 0xFF
    }

    @Test func aHealthyPartIsReadyAtOnceAndAfterAReset() throws {
        let rig = try Rig()
        #expect(isReady(rig))
        rig.model.reset()
        rig.switchOn()
        #expect(isReady(rig))
    }

    @Test(arguments: [0, 1, 7])
    func readinessComesAfterSoManyReads(_ count: Int) throws {
        let rig = try Rig { $0.readiness.atPowerOn = .init(.afterReads(count)) }
        for _ in 0..<count {
            #expect(rig.load(ReadinessRegisters.linkState) != 0xFF)
            #expect(rig.load(ReadinessRegisters.memoryTraining) != 0xFF)
        }
        #expect(isReady(rig) && isReady(rig))
    }

    @Test func readinessComesByTheClock() throws {
        let rig = try Rig { $0.readiness.afterReset = .init(.afterNanoseconds(5_000_000_000)) }
        #expect(isReady(rig))
        rig.clock.advance(nanoseconds: 60_000_000_000)
        rig.model.reset()
        rig.switchOn()
        #expect(!isReady(rig))
        rig.clock.advance(nanoseconds: 4_999_999_999)
        #expect(!isReady(rig))
        rig.clock.advance(nanoseconds: 1)
        #expect(isReady(rig))
    }

    @Test func readinessMayNeverCome() throws {
        let rig = try Rig {
            $0.readiness.atPowerOn.link = .never
            $0.readiness.afterReset.memoryTraining = .never
        }
        rig.clock.advance(nanoseconds: 1 << 60)
        for _ in 0..<100 { #expect(rig.load(ReadinessRegisters.linkState) == 0) }
        #expect(rig.load(ReadinessRegisters.memoryTraining) == 0xFF)
        rig.model.reset()
        rig.switchOn()
        #expect(rig.load(ReadinessRegisters.linkState) == 0xFF)
        #expect(rig.load(ReadinessRegisters.memoryTraining) == 0)
    }

    /// Link and training come up each in its own time; the registers say so each for itself.
    @Test func eachHasItsOwnTime() throws {
        let rig = try Rig {
            $0.readiness.atPowerOn.link = .afterNanoseconds(10)
            $0.readiness.atPowerOn.memoryTraining = .afterNanoseconds(20)
        }
        rig.clock.advance(nanoseconds: 15)
        #expect(rig.load(ReadinessRegisters.linkState) == 0xFF)
        #expect(rig.load(ReadinessRegisters.memoryTraining) == 0)
    }

    // MARK: CXL

    /// The word at +0x1C of the CXL device capability, which such a part has behind NVIDIA's.
    private func cxlWord(_ rig: Rig) throws -> UInt64 {
        let place = try #require(
            [UInt16(0x100), 0x110].first { rig.model.readConfig($0 + 4, .word) == 0x1E98 }
        )
        #expect(rig.model.readConfig(place, .word) == 0x23)
        #expect(rig.model.readConfig(place + 8, .word) == 0)
        #expect(rig.model.readConfig(place + 0x18, .doubleWord) == 0x18)
        return rig.model.readConfig(place + 0x1C, .doubleWord)
    }

    @Test func cxlTellsSizeAndReadiness() throws {
        let rig = try Rig {
            $0.part = GraceHopperPart.all[3]
            $0.memory.byteCount = 96 << 30 | 1 << 28
            $0.readiness.cxl = .init()
            $0.readiness.cxl?.timeoutCode = 3
            $0.readiness.atPowerOn = .init(.afterNanoseconds(1000))
            $0.readiness.atPowerOn.memoryTraining = .afterNanoseconds(2000)
        }
        #expect(try cxlWord(rig) == 0x1000_6000)
        rig.clock.advance(nanoseconds: 1000)
        #expect(try cxlWord(rig) == 0x1000_6001)
        rig.clock.advance(nanoseconds: 1000)
        #expect(try cxlWord(rig) == 0x1000_6003)
        #expect(!isReady(rig), "the registers of other parts are not there")
    }

    /// Bytes of the word are parts of it, and those beside it have none of its flags.
    @Test func cxlFlagsAreInTheirByteAlone() throws {
        let rig = try Rig { $0.readiness.cxl = .init() }
        let word = UInt16(0x100 + 0x1C)
        #expect(rig.model.readConfig(word, .byte) == 3)
        #expect(rig.model.readConfig(word + 1, .byte) == 0)
        #expect(rig.model.readConfig(word - 1, .byte) == 0)
        #expect(rig.model.readConfig(word, .word) == 3)
        #expect(rig.model.readConfig(word - 2, .doubleWord) == 3 << 16)
    }

    @Test func aPartWithoutCXLHasNoneOfIt() throws {
        let rig = try Rig()
        #expect(rig.model.readConfig(0x100, .doubleWord) == 0)
    }
}
