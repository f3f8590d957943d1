// The register table against Linux, and accesses that it does not name.

import Backing
import I225Model
import I225Wire
import Registers
import Testing

@Suite("The register table")
struct RegisterMapTests {
    @Test func noTwoRegistersOverlapAndAllLieInTheBAR() throws {
        #expect(throws: Never.self) {
            _ = try RegisterMap(I225RegisterMap.rows, byteCount: I225RegisterMap.byteCount)
        }
    }

    @Test(
        "Offsets are those of Linux's igc_regs.h",
        arguments: [
            (UInt32(0x00000), "CTRL"), (0x00008, "STATUS"), (0x00010, "EECD"), (0x00020, "MDIC"), (0x01500, "ICR"),
            (0x01580, "EICR"), (0x01680, "EITR[0]"), (0x01690, "EITR[4]"), (0x01704, "IVAR[1]"), (0x05200, "MTA[0]"),
            (0x053FC, "MTA[127]"), (0x05404, "RAH[0]"), (0x0547C, "RAH[15]"), (0x05818, "MRQC"), (0x05B50, "SWSM"),
            (0x0B600, "SYSTIML"), (0x0B6DC, "TXSTMPH_1[2]"), (0x0B66C, "TSICR"), (0x0C0D8, "RDT[3]"),
            (0x0E098, "TDT[2]"), (0x12014, "EERD"),
        ]
    )
    func offsets(_ offset: UInt32, _ name: String) {
        #expect(I225RegisterMap.map.name(at: offset) == name)
    }

    @Test func anUnknownOffsetReadsZeroDropsWritesAndIsCounted() throws {
        let rig = try Rig()
        rig.bar.store(0x1F000, 0xFFFF_FFFF)
        #expect(rig.bar.load(0x1F000) == 0)
        #expect(rig.model.counters.unknownAccesses == 2)
    }
}
