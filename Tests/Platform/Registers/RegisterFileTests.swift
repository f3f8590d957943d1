// The six modes of a register as a driver sees them, and accesses that no row names.

import Registers
import Testing

@Suite struct RegisterFileTests {
    private static let register = Register<PlainWord>(0x10, "REG")
    private static let byteCount = 0x40

    private func file(
        _ mode: RegisterMode,
        writeMask: UInt32 = ~0,
        reset: UInt32 = 0
    ) throws -> RegisterFile {
        let row = RegisterRow(Self.register, mode, writeMask: writeMask, reset: reset)
        return RegisterFile(try RegisterMap([row], byteCount: Self.byteCount))
    }

    /// What a register holding `before` reads as, what it holds after that read, and after a write of `written`.
    struct ModeCase: Sendable, CustomTestStringConvertible {
        let mode: RegisterMode
        let reads: UInt32
        let afterRead: UInt32
        let afterWrite: UInt32
        var testDescription: String { "\(mode)" }

        static let before: UInt32 = 0x0F0F_0F0F
        static let written: UInt32 = 0x3333_3333
        static let writeMask: UInt32 = 0x0000_FFFF
    }

    @Test(arguments: [
        ModeCase(mode: .readWrite, reads: 0x0F0F_0F0F, afterRead: 0x0F0F_0F0F, afterWrite: 0x0F0F_3333),
        ModeCase(mode: .readOnly, reads: 0x0F0F_0F0F, afterRead: 0x0F0F_0F0F, afterWrite: 0x0F0F_0F0F),
        ModeCase(mode: .writeOnly, reads: 0, afterRead: 0x0F0F_0F0F, afterWrite: 0x0F0F_3333),
        ModeCase(mode: .readToClear, reads: 0x0F0F_0F0F, afterRead: 0, afterWrite: 0x0F0F_0F0F),
        ModeCase(mode: .writeOneToClear, reads: 0x0F0F_0F0F, afterRead: 0x0F0F_0F0F, afterWrite: 0x0F0F_0C0C),
        ModeCase(mode: .writeOneToSet, reads: 0x0F0F_0F0F, afterRead: 0x0F0F_0F0F, afterWrite: 0x0F0F_3F3F),
    ])
    func aModeIsKept(_ mode: ModeCase) throws {
        let offset = Self.register.offset
        var file = try file(mode.mode, writeMask: ModeCase.writeMask)

        file[offset] = ModeCase.before
        #expect(file.driverRead(offset) == mode.reads)
        #expect(file[offset] == mode.afterRead)

        file[offset] = ModeCase.before
        file.driverWrite(offset, ModeCase.written)
        #expect(file[offset] == mode.afterWrite)
        #expect(file.unknownAccesses == 0)
    }

    @Test func resetBringsBackTheValuesOfTheTable() throws {
        let array = RegisterArray<PlainWord>(0x20, stride: 8, count: 3, "ARRAY")
        let map = try RegisterMap(
            [RegisterRow(Self.register, .readWrite, reset: 0x1234), RegisterRow(array, .readOnly, reset: 0x5678)],
            byteCount: Self.byteCount
        )
        var file = RegisterFile(map)
        let atReset = [file[Self.register].raw] + (0..<3).map { file[array[$0]].raw }
        #expect(atReset == [0x1234, 0x5678, 0x5678, 0x5678])
        #expect(file[0x24] == 0, "the word between two registers of the array")

        file[Self.register].raw = 1
        for index in 0..<3 { file[array[index]].raw = UInt32(index) }
        file.reset(array[1])
        #expect((0..<3).map { file[array[$0]].raw } == [0, 0x5678, 2])
        file.reset(array)
        #expect((0..<3).map { file[array[$0]].raw } == [0x5678, 0x5678, 0x5678])
        #expect(file[Self.register].raw == 1)
        file.reset()
        #expect(file[Self.register].raw == 0x1234)
    }

    /// Every word of the BAR and some beyond: only the named one answers, the others are counted and change nothing.
    @Test func unknownOffsetsReadZeroDropWritesAndAreCounted() throws {
        var file = try file(.readWrite)
        var expectedCount: UInt64 = 0
        for offset in stride(from: UInt32(0), to: 0x100, by: 4) + [0x8000_0000, 0xFFFF_FFFC]
        where offset != Self.register.offset {
            file.driverWrite(offset, 0xDEAD_BEEF)
            #expect(file.driverRead(offset) == 0)
            expectedCount += 2
        }
        #expect(file.unknownAccesses == expectedCount)
        #expect(file.driverRead(Self.register.offset) == 0)
    }

    @Test func aRegisterThatTheTableDoesNotHaveResetsToZero() throws {
        var file = try file(.readWrite)
        let unknown = Register<PlainWord>(0x04, "UNKNOWN")
        file[unknown].raw = 7
        file.reset(unknown)
        #expect(file[unknown].raw == 0)
    }

    @Test func theDevicesOwnAccessBeyondTheBARTraps() async {
        await #expect(processExitsWith: .failure) {
            let file = RegisterFile(try RegisterMap([], byteCount: 0x40))
            _ = file[0x40]
        }
    }
}
