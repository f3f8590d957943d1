// The table of a BAR: what it refuses, and how it names offsets.

import Registers
import Testing

@Suite struct RegisterMapTests {
    private let control = Register<PlainWord>(0x00, "CTRL")
    private let multicast = RegisterArray<PlainWord>(0x20, count: 4, "MTA")
    private let queues = RegisterArray<PlainWord>(0x100, stride: 0x40, count: 2, "TDT")

    private func sampleMap() throws -> RegisterMap {
        try RegisterMap(
            [RegisterRow(control, .readWrite), RegisterRow(multicast, .readWrite), RegisterRow(queues, .readWrite)],
            byteCount: 0x200
        )
    }

    @Test func everyWordHasTheRowThatCoversIt() throws {
        let map = try sampleMap()
        let expected: [(UInt32, String)] = [
            (0x00, "CTRL"), (0x04, "0x4"), (0x1C, "0x1C"), (0x20, "MTA[0]"), (0x2C, "MTA[3]"), (0x30, "0x30"),
            (0x100, "TDT[0]"), (0x104, "0x104"), (0x13C, "0x13C"), (0x140, "TDT[1]"), (0x180, "0x180"),
            (0x1FC, "0x1FC"), (0x200, "0x200"), (0xFFFF_FFFC, "0xFFFFFFFC"),
        ]
        for (offset, name) in expected {
            #expect(map.name(at: offset) == name)
            #expect((map.row(at: offset) == nil) == name.hasPrefix("0x"))
        }
    }

    @Test func anArrayGivesTheOffsetsOfItsRegisters() {
        #expect((0..<4).map { multicast[$0].offset } == [0x20, 0x24, 0x28, 0x2C])
        #expect((0..<2).map { queues[$0].offset } == [0x100, 0x140])
    }

    @Test func anIndexOutsideAnArrayTraps() async {
        await #expect(processExitsWith: .failure) { _ = RegisterArray<PlainWord>(0x20, count: 4, "MTA")[4] }
        await #expect(processExitsWith: .failure) { _ = RegisterArray<PlainWord>(0x20, count: 4, "MTA")[-1] }
    }

    @Test func rowsOnEachOtherAreRefused() {
        let inside = Register<PlainWord>(0x28, "INSIDE")
        #expect(throws: RegisterMap.Problem.overlap("MTA", "INSIDE")) {
            try RegisterMap([RegisterRow(multicast, .readWrite), RegisterRow(inside, .readOnly)], byteCount: 0x100)
        }
    }

    @Test func anArrayWithoutStrideOverlapsItself() {
        let stuck = RegisterArray<PlainWord>(0x40, stride: 0, count: 2, "STUCK")
        #expect(throws: RegisterMap.Problem.overlap("STUCK", "STUCK")) {
            try RegisterMap([RegisterRow(stuck, .readWrite)], byteCount: 0x100)
        }
    }

    @Test(arguments: [UInt32(0xFE), 0x101, 0x102, 0x103])
    func anUnalignedRowIsRefused(offset: UInt32) {
        #expect(throws: RegisterMap.Problem.unaligned("ODD")) {
            try RegisterMap([RegisterRow(Register<PlainWord>(offset, "ODD"), .readWrite)], byteCount: 0x200)
        }
    }

    @Test(arguments: [UInt32(0x100), 0x1000, 0xFFFF_FFFC])
    func aRowBeyondTheBARIsRefused(offset: UInt32) {
        #expect(throws: RegisterMap.Problem.outside("FAR")) {
            try RegisterMap([RegisterRow(Register<PlainWord>(offset, "FAR"), .readWrite)], byteCount: 0x100)
        }
    }

    @Test func anArrayThatEndsBeyondTheBARIsRefused() {
        #expect(throws: RegisterMap.Problem.outside("MTA")) {
            try RegisterMap([RegisterRow(multicast, .readWrite)], byteCount: 0x2C)
        }
    }
}
