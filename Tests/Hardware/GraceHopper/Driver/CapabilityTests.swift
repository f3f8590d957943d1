// What is read of a function's capabilities, and lists that are none.

import GraceHopperDriver
import GraceHopperWire
import Simulation
import Testing
import VFIOVariant

/// Configuration space as words in the test's hands.
private struct Words {
    var bytes = [UInt8](repeating: 0, count: 4096)

    mutating func set(_ offset: Int, _ value: UInt32) {
        for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index)) }
    }

    /// A designated capability: header, vendor and length, number and flags.
    mutating func designate(_ offset: Int, vendor: UInt32, number: UInt32, flags: UInt32, next: UInt32) {
        set(offset, 0x23 | 1 << 16 | next << 20)
        set(offset + 4, vendor | 12 << 20)
        set(offset + 8, number | flags << 16)
    }

    func read(_ offset: UInt16) throws(VFIOError) -> UInt32 {
        guard offset % 4 == 0, Int(offset) + 4 <= bytes.count else { throw VFIOError(-1, "read at \(offset)") }
        return (0..<4).reduce(0) { $0 | UInt32(bytes[Int(offset) + $1]) << UInt32(8 * $1) }
    }
}

@Suite("What configuration space tells of coherent memory")
struct CapabilityTests {
    @Test("A part needs the reserve unless NVIDIA's capability says otherwise")
    func reserve() throws {
        var words = Words()
        #expect(try DesignatedCapabilities.needsReserve(words.read))
        // Another vendor's of the same number, another of NVIDIA's, and then the one.
        words.designate(0x100, vendor: 0x8086, number: 3, flags: 1, next: 0x140)
        words.designate(0x140, vendor: 0x10DE, number: 2, flags: 1, next: 0x180)
        words.designate(0x180, vendor: 0x10DE, number: 3, flags: 0, next: 0)
        #expect(try DesignatedCapabilities.needsReserve(words.read))
        words.designate(0x180, vendor: 0x10DE, number: 3, flags: 1, next: 0)
        #expect(try DesignatedCapabilities.needsReserve(words.read) == false)
        words.designate(0x180, vendor: 0x10DE, number: 3, flags: 0xFFFE, next: 0)
        #expect(try DesignatedCapabilities.needsReserve(words.read))
        // At the very end of the space.
        words.designate(0x140, vendor: 0x10DE, number: 2, flags: 1, next: 0xFF4)
        words.designate(0xFF4, vendor: 0x10DE, number: 3, flags: 1, next: 0)
        #expect(try DesignatedCapabilities.needsReserve(words.read) == false)
    }

    @Test("Readiness is told by registers, or by CXL's capability if that is there as a whole")
    func source() throws {
        var words = Words()
        #expect(try ReadinessSource.of(words.read) == .registers)
        words.designate(0x100, vendor: 0x1E98, number: 0, flags: 0, next: 0)
        #expect(try ReadinessSource.of(words.read) == .cxl(0x11C))
        words.designate(0x100, vendor: 0x1E98, number: 0, flags: 0, next: 0xFF0)
        words.set(0x100, 0x23 | 1 << 16 | 0xFF0 << 20)
        words.set(0x104, 0)
        words.designate(0xFF0, vendor: 0x1E98, number: 0, flags: 0, next: 0)
        #expect(try ReadinessSource.of(words.read) == .registers)
    }

    @Test("A list that is a loop, leads nowhere, or is noise ends, and no read is outside")
    func hostileLists() throws {
        var words = Words()
        words.designate(0x100, vendor: 0x8086, number: 0, flags: 0, next: 0x140)
        words.designate(0x140, vendor: 0x8086, number: 0, flags: 0, next: 0x100)
        #expect(try DesignatedCapabilities.needsReserve(words.read))
        words.set(0x140, 0x23 | 0x0FC << 20)
        #expect(try DesignatedCapabilities.needsReserve(words.read))
        words.set(0x140, 0x23 | 0xFFF << 20)
        #expect(try DesignatedCapabilities.needsReserve(words.read))
        // Capabilities of the first 256 bytes in a loop.
        words.set(0x34, 0x40)
        words.set(0x40, 0x4005)
        let lost = try ResetRegisters(words.read)
        #expect(lost.functionReset == nil && lost.powerState == nil)

        var random = SeededRandom(seed: 77)
        for _ in 0..<300 {
            for index in words.bytes.indices { words.bytes[index] = UInt8.random(in: 0...255, using: &random) }
            // More often than not a designated one follows another.
            for offset in stride(from: 0x100, to: 0xFF0, by: 4) where Bool.random(using: &random) {
                words.set(offset, 0x23 | UInt32.random(in: 0...0xFFF, using: &random) << 20)
            }
            _ = try DesignatedCapabilities.needsReserve(words.read)
            _ = try ReadinessSource.of(words.read)
            _ = try ResetRegisters(words.read)
        }
    }

    @Test("Resets through configuration space are found where the capabilities are")
    func resets() throws {
        var words = Words()
        words.set(0x34, 0x60)
        words.set(0x60, 0x8010)
        words.set(0x64, 1 << 28)
        words.set(0x80, 0x0001)
        let resets = try ResetRegisters(words.read)
        #expect(resets.functionReset == 0x69)
        #expect(resets.powerState == 0x84)
        let initiate: [UInt8] = [0x10, 0xA8]
        let other: [UInt8] = [0x80, 0x28]
        // SAFETY: bytes have no padding.
        let found = unsafe [
            resets.startsReset(initiate.span.bytes, at: 0x68), resets.startsReset(other.span.bytes, at: 0x68),
            resets.startsReset(initiate.span.bytes, at: 0x67), resets.startsReset(initiate.span.bytes, at: 0x69),
            resets.startsReset(other.span.bytes, at: 0x69), resets.startsReset(initiate.span.bytes, at: .max),
        ]
        #expect(found == [true, false, false, false, true, false])
        #expect(resets.touchesPower(4, at: 0x84) && resets.touchesPower(5, at: 0x80))
        #expect(!resets.touchesPower(4, at: 0x80) && !resets.touchesPower(2, at: 0x85))
        #expect(ResetRegisters.isReset(from: 3, to: 0))
        #expect(!ResetRegisters.isReset(from: 3, to: 8), "the function keeps its state in D3hot")
        #expect(!ResetRegisters.isReset(from: 1, to: 0) && !ResetRegisters.isReset(from: 3, to: 3))
        // Without function level reset there is nothing to look for.
        words.set(0x64, 0)
        #expect(try ResetRegisters(words.read).functionReset == nil)
    }
}
