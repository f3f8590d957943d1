// Defects that the comparison with Linux's own driver brought to light (Guests/gracehopper/differential.bash), by their
// numbers in docs/coherent-memory-defects.md.

import Glibc
import GraceHopperDriver
import Testing
import VFIOVariant

@Suite("Coherent memory without the defects found by comparing the drivers")
struct ComparedDefectTests {
    @Test(
        "defect 22: A write whose bytes cannot be read is an error, and changes nothing",
        arguments: Part.allCases,
        [0, 1, 4]
    )
    func aFailingWriteChangesNothing(part: Part, readable: Int) throws {
        let rig = try Rig()
        let file = try VFIOFile(try rig.device(), census: rig.census)
        try rig.store([1, 2, 3, 4, 5, 6, 7, 8], at: part.base)
        let buffer = try CallerBuffer()
        buffer.fill([9, 9, 9, 9])
        let place = Int64(part.rawValue) << 40
        let answer = code { () throws(VFIOError) in
            // SAFETY: any address will do; the file finds out which bytes are there.
            _ = unsafe try file.pwrite(buffer.lastBytes(readable), count: 8, at: place)
        }
        #expect(answer == EFAULT)
        #expect(try rig.memory(at: part.base, 8) == [1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test("defect 23: A write that goes on behind region 4's BAR is reported whole", arguments: [1, 2, 4, 7])
    func aWriteBehindABARIsWhole(before: Int) throws {
        let device = try Rig().open()
        defer { device.close() }
        let bytes = [UInt8](repeating: 0xA5, count: 8)
        #expect(try device.write(VFIORegion.config, UInt64(0x28 - before), bytes) == 8)
        #expect(
            try device.read(VFIORegion.config, UInt64(0x28 - min(before, 4)), min(before, 4)).allSatisfy { $0 == 0xA5 }
        )
        // The interrupt line is the function's, and keeps what is written to it.
        #expect(try device.write(VFIORegion.config, 0x20, [UInt8](repeating: 0, count: 0x1C) + [0x5A]) == 0x1D)
        #expect(try device.config(0x3C, 1) == 0x5A)
    }
}
