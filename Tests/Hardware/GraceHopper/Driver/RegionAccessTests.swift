// What accesses and mappings come to, as values: the rows of the table, and random ones against a count byte by byte.

import Glibc
import GraceHopperDriver
import Simulation
import Testing
import VFIOVariant

/// An access, and how many bytes of memory and of nothing it has; nil: `EINVAL`.
struct AccessRow: Sendable, CustomTestStringConvertible {
    let memory: UInt64
    let bar: UInt64
    let offset: UInt64
    let count: Int
    let expected: [Int]?

    var testDescription: String { "0x\(String(offset, radix: 16)),\(count) of 0x\(String(memory, radix: 16))" }

    /// Of a usable part.
    private static func usable(_ offset: UInt64, _ count: Int, _ expected: [Int]?) -> AccessRow {
        AccessRow(memory: 0xE000_0000, bar: 0x1_0000_0000, offset: offset, count: count, expected: expected)
    }

    /// Of a reserved part.
    private static func reserved(_ offset: UInt64, _ count: Int, _ expected: [Int]?) -> AccessRow {
        AccessRow(memory: 0x4BC0_0000, bar: 0x8000_0000, offset: offset, count: count, expected: expected)
    }

    static let all = [
        usable(0, 8, [8, 0]),
        usable(0, 0, [0, 0]),
        usable(0xDFFF_FFF8, 8, [8, 0]),
        usable(0xDFFF_FFFC, 8, [4, 4]),
        usable(0xDFFF_FFFF, 1, [1, 0]),
        usable(0xE000_0000, 8, [0, 8]),
        usable(0xE000_0000, 0, [0, 0]),
        usable(0xFFFF_FFF8, 8, [0, 8]),
        usable(0xFFFF_FFFC, 8, [0, 4]),
        usable(0xFFFF_FFFF, .max, [0, 1]),
        usable(0, .max, [0xE000_0000, 0x2000_0000]),
        usable(0xDFFF_FFFC, .max, [4, 0x2000_0000]),
        usable(0x1_0000_0000, 1, nil),
        usable(0x1_0000_0000, 0, nil),
        usable(.max, 1, nil),
        usable(.max, .max, nil),
        usable(0, -1, nil),
        reserved(0x4BBF_FFFC, 8, [4, 4]),
        reserved(0x4BC0_0000, 4, [0, 4]),
        reserved(0x7FFF_FFFC, 8, [0, 4]),
        reserved(0x8000_0000, 1, nil),
        // A part that fills its BAR has nothing behind it.
        AccessRow(memory: 0x4000_0000, bar: 0x4000_0000, offset: 0x3FFF_FFFC, count: 8, expected: [4, 0]),
    ]
}

/// A mapping and its error; 0: none.
struct MappingRow: Sendable, CustomTestStringConvertible {
    let offset: UInt64
    let byteCount: UInt64
    let code: Int32

    var testDescription: String { "0x\(String(byteCount, radix: 16)) at 0x\(String(offset, radix: 16))" }

    /// Of a part with 0xE000_0000 bytes in a BAR of 0x1_0000_0000.
    static let all = [
        MappingRow(offset: 0, byteCount: 0xE000_0000, code: 0),
        MappingRow(offset: 0, byteCount: 4096, code: 0),
        MappingRow(offset: 0xDFFF_F000, byteCount: 4096, code: 0),
        MappingRow(offset: 0xE000_0000, byteCount: 4096, code: EINVAL),
        MappingRow(offset: 0xDFFF_F000, byteCount: 8192, code: EINVAL),
        MappingRow(offset: 0, byteCount: 0xE000_1000, code: EINVAL),
        MappingRow(offset: 0, byteCount: 0x1_0000_0000, code: EINVAL),
        MappingRow(offset: 0x1_0000_0000, byteCount: 4096, code: EINVAL),
        MappingRow(offset: 0, byteCount: 0, code: EINVAL),
        MappingRow(offset: 0xE000_0000, byteCount: 0, code: EINVAL),
        MappingRow(offset: 0x800, byteCount: 4096, code: EINVAL),
        MappingRow(offset: 0, byteCount: 0x800, code: EINVAL),
        MappingRow(offset: UInt64.max - 4095, byteCount: 8192, code: EOVERFLOW),
        MappingRow(offset: 4096, byteCount: UInt64.max - 4095, code: EOVERFLOW),
        MappingRow(offset: 0, byteCount: UInt64.max - 4095, code: EINVAL),
    ]
}

@Suite("Accesses and mappings as values")
struct RegionAccessTests {
    @Test("Every access of the table is split as the table has it", arguments: AccessRow.all)
    func splits(row: AccessRow) {
        do {
            let access = try RegionAccess(offset: row.offset, count: row.count, memory: row.memory, bar: row.bar)
            #expect([access.memoryByteCount, access.emptyByteCount] == row.expected)
        } catch {
            #expect(row.expected == nil)
            #expect(error.code == EINVAL)
        }
    }

    @Test("Any access of any part comes to what a count byte by byte finds")
    func agreesWithCount() throws {
        var random = SeededRandom(seed: 41)
        for _ in 0..<5000 {
            let bar: UInt64 = 1 << UInt64.random(in: 0...8, using: &random)
            let memory = UInt64.random(in: 0...bar, using: &random)
            let offset = UInt64.random(in: 0..<bar, using: &random)
            let count = Int.random(in: 0...300, using: &random)
            let places = (0..<UInt64(count)).map { offset + $0 }
            let access = try RegionAccess(offset: offset, count: count, memory: memory, bar: bar)
            #expect(access.memoryByteCount == places.count { $0 < memory })
            #expect(access.emptyByteCount == places.count { $0 >= memory && $0 < bar })
        }
    }

    @Test("Every mapping of the table is allowed or refused as the table has it", arguments: MappingRow.all)
    func maps(row: MappingRow) {
        do {
            let request = try MappingRequest(offset: row.offset, byteCount: row.byteCount, memory: 0xE000_0000)
            #expect(row.code == 0)
            #expect(request.offset == row.offset && UInt64(request.byteCount) == row.byteCount)
        } catch {
            #expect(error.code == row.code, "\(error)")
        }
    }
}
