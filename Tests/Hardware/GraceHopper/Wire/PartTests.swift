// The parts, against the id tables of Linux's nvgrace-gpu driver.

import GraceHopperWire
import Testing

@Suite struct PartTests {
    /// Device id, and whether the driver of 6.12 or 7.3 finds the gigabyte of uncached memory needless.
    @Test(arguments: [
        (UInt16(0x2342), false), (0x2345, false), (0x2348, false), (0x2941, true), (0x31C2, true),
    ])
    func everyIdThatLinuxBindsIsAPart(_ device: UInt16, _ needsNoReserve: Bool) throws {
        let part = try #require(GraceHopperPart.of(device: device))
        #expect(part.device == device)
        #expect(part.needsNoReserve == needsNoReserve)
    }

    @Test func othersAreNot() {
        #expect(GraceHopperPart.all.count == 5)
        #expect(Set(GraceHopperPart.all.map(\.device)).count == 5)
        #expect(Set(GraceHopperPart.all.map(\.name)).count == 5)
        for device in [UInt16(0), 0x2341, 0xFFFF] { #expect(GraceHopperPart.of(device: device) == nil) }
    }

    /// A subtree is two leaves of 32 sources.
    @Test func sourcesHaveTheVectorsOfTheirSubtrees() {
        #expect(InterruptRegisters.vector(ofSource: 0) == 0)
        #expect(InterruptRegisters.vector(ofSource: 63) == 0)
        #expect(InterruptRegisters.vector(ofSource: 64) == 1)
        #expect(InterruptRegisters.vector(ofSource: InterruptRegisters.softwareSource) == 2)
        #expect(InterruptRegisters.vector(ofSource: 511) == 7)
        #expect(InterruptRegisters.subtreeCount < GraceHopper.vectorCount)
    }
}
