// Accesses of any size, offset and value have an answer, and the device goes on.

import Backing
import Clock
import I225Model
import I225Wire
import Memory
import PCIe
import Registers
import Simulation
import Testing

@Suite("Hostile register accesses")
struct HostileAccessTests {
    @Test func oddReadsAreServedFromTheWordsAround() throws {
        let rig = try Rig()
        rig.write(I225Register.flowControlAddressLow, 0x4433_2211)
        rig.write(I225Register.flowControlAddressHigh, 0x6655)
        #expect(rig.model.read(bar: 0, 0x29, .byte) == 0x22)
        #expect(rig.model.read(bar: 0, 0x2A, .word) == 0x4433)
        #expect(rig.model.read(bar: 0, 0x2B, .word) == 0x5544)
        #expect(rig.model.read(bar: 0, 0x2A, .doubleWord) == 0x6655_4433)
        #expect(rig.model.read(bar: 0, 0x28, .quadWord) == 0x0000_6655_4433_2211)
        #expect(rig.model.read(bar: 0, 0x29, .quadWord) == 0x0000_0066_5544_3322)
    }

    @Test func narrowAndUnalignedWritesAreDroppedAndCounted() throws {
        let rig = try Rig()
        rig.model.write(bar: 0, 0x28, .byte, 0xFF)
        rig.model.write(bar: 0, 0x28, .word, 0xFFFF)
        rig.model.write(bar: 0, 0x29, .doubleWord, 0xFFFF_FFFF)
        rig.model.write(bar: 0, 0x2A, .quadWord, ~0)
        #expect(rig.read(I225Register.flowControlAddressLow) == 0)
        #expect(rig.model.counters.oddWrites == 4)
    }

    @Test func aWriteOf8BytesIsTwoOf4() throws {
        let rig = try Rig()
        rig.model.write(bar: 0, 0x28, .quadWord, 0x0000_1234_89AB_CDEF)
        #expect(rig.read(I225Register.flowControlAddressLow) == 0x89AB_CDEF)
        #expect(rig.read(I225Register.flowControlAddressHigh) == 0x1234)
    }

    @Test(
        "Accesses outside the BARs",
        arguments: [
            (0, UInt64(0x20000)), (0, 0x1FFFE), (0, UInt64.max), (0, UInt64.max - 3), (3, 0x4000), (3, UInt64.max),
            (1, 0), (7, 8),
            (-1, 0),
        ]
    )
    func outside(_ bar: Int, _ offset: UInt64) throws {
        let rig = try Rig()
        for size in AccessSize.allCases {
            _ = rig.model.read(bar: bar, offset, size)
            rig.model.write(bar: bar, offset, size, ~0)
        }
        #expect(rig.model.counters.unknownAccesses + rig.model.counters.oddWrites > 0)
        #expect(rig.read(I225Register.deviceControl).raw == 0)
    }

    @Test(
        "Any configuration access has an answer",
        arguments: AccessSize.allCases
    )
    func configuration(_ size: AccessSize) throws {
        let rig = try Rig()
        for offset: UInt16 in [0, 1, 3, 0x3D, 0x41, 0xFD, 0xFFF, 0x1000, 0xFFFD, 0xFFFF] {
            _ = rig.model.readConfig(offset, size)
            rig.model.writeConfig(offset, size, 0)
        }
        #expect(rig.model.readConfig(0, .word) == 0x8086)
    }

    @Test("Random accesses to all registers", arguments: [UInt64(1), 2, 3, 4])
    func random(_ seed: UInt64) throws {
        let rig = try Rig()
        rig.enableTraffic()
        var random = SeededRandom(seed: seed)
        let rows = I225RegisterMap.map.rows
        for step in 0..<20_000 {
            let row = rows[Int.random(in: 0..<rows.count, using: &random)]
            let offset = UInt64(row.offset) + UInt64(Int.random(in: 0..<row.count, using: &random)) * UInt64(row.stride)
            if Bool.random(using: &random) {
                rig.model.write(bar: 0, offset, .doubleWord, UInt64.random(in: 0...0xFFFF_FFFF, using: &random))
            } else {
                _ = rig.model.read(bar: 0, offset, .doubleWord)
            }
            if step % 16 == 0 {
                rig.arrive(testFrame(Int.random(in: 1...2000, using: &random)))
                rig.clock.advance(nanoseconds: UInt64.random(in: 0...1_000_000_000, using: &random))
                rig.poll(limit: 4)
                _ = rig.model.nextDeadline
                _ = rig.sent()
            }
        }
        // It is still a device: a reset makes it as new.
        try rig.device.reset()
        try rig.device.writeConfig(ConfigSpace.Offset.command, .word, 0x6)
        rig.enableTraffic()
        let bench = try TransmitBench(rig)
        _ = rig.sent()
        bench.put(testFrame(64))
        bench.ring()
        #expect(rig.sent() == [testFrame(64)])
    }
}
