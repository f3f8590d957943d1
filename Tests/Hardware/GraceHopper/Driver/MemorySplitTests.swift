// The split of the device's memory, row by row. Source of truth: nvgrace_gpu_init_nvdev_struct of the driver as first
// merged; the two rows where later kernels give a larger BAR are named.

import Glibc
import GraceHopperDriver
import Simulation
import Testing
import VFIOVariant

private let gibi: UInt64 = 1 << 30
private let mebi: UInt64 = 1 << 20

/// Bytes of memory and what becomes of them.
struct SplitRow: Sendable, CustomTestStringConvertible {
    let byteCount: UInt64
    let usable: UInt64
    let reserved: UInt64
    let usableBAR: UInt64
    let reservedBAR: UInt64

    var testDescription: String { "0x\(String(byteCount, radix: 16))" }

    init(_ byteCount: UInt64, _ usable: UInt64, _ reserved: UInt64, bars usableBAR: UInt64, _ reservedBAR: UInt64) {
        self.byteCount = byteCount
        self.usable = usable
        self.reserved = reserved
        self.usableBAR = usableBAR
        self.reservedBAR = reservedBAR
    }

    static let all = [
        SplitRow(96 * gibi, 97280 * mebi, 1024 * mebi, bars: 128 * gibi, gibi),
        SplitRow(97871 * mebi, 96768 * mebi, 1103 * mebi, bars: 128 * gibi, 2 * gibi),
        SplitRow(141 * gibi, 0x23_0000_0000, 1024 * mebi, bars: 256 * gibi, gibi),
        SplitRow(144_000_000_000, 0x21_4000_0000, 0x4711_A000, bars: 256 * gibi, 2 * gibi),
        SplitRow(120_000_000_000, 0x1B_A000_0000, 0x508E_B000, bars: 128 * gibi, 2 * gibi),
        SplitRow(480_000_000_000, 0x6F_8000_0000, 0x423A_C000, bars: 512 * gibi, 2 * gibi),
        // Linux since 6.12 has 128 GiB for region 4.
        SplitRow(65 * gibi + 256 * mebi, 64 * gibi, 1280 * mebi, bars: 64 * gibi, 2 * gibi),
        SplitRow(65 * gibi, 64 * gibi, gibi, bars: 64 * gibi, gibi),
        // Linux since 6.12 has 4 GiB for region 4.
        SplitRow(3 * gibi + 4096, 2 * gibi, gibi + 4096, bars: 2 * gibi, 2 * gibi),
        SplitRow(2 * gibi, gibi, gibi, bars: gibi, gibi),
        SplitRow(1536 * mebi, 512 * mebi, gibi, bars: 512 * mebi, gibi),
        SplitRow(4 * gibi + 700 * mebi, 0xE000_0000, 0x4BC0_0000, bars: 4 * gibi, 2 * gibi),
    ]
}

/// A place and size that cannot be split, and the error.
struct UnsplittableRow: Sendable, CustomTestStringConvertible {
    let base: UInt64
    let byteCount: UInt64
    let needsReserve: Bool
    let code: Int32

    var testDescription: String {
        "0x\(String(byteCount, radix: 16)) at 0x\(String(base, radix: 16)), reserve \(needsReserve)"
    }

    init(_ byteCount: UInt64, at base: UInt64 = 0x40_0000_0000, needsReserve: Bool = true, _ code: Int32) {
        self.base = base
        self.byteCount = byteCount
        self.needsReserve = needsReserve
        self.code = code
    }

    static let all = [
        UnsplittableRow(1536 * mebi - 1, EINVAL),
        UnsplittableRow(1536 * mebi - 4096, EINVAL),
        UnsplittableRow(gibi, EINVAL),
        // Found out before the place is looked at.
        UnsplittableRow(gibi, at: UInt64.max - 4095, EINVAL),
        UnsplittableRow(gibi - 1, EOVERFLOW),
        UnsplittableRow(1, EOVERFLOW),
        UnsplittableRow(0, EOVERFLOW),
        UnsplittableRow(0, needsReserve: false, EINVAL),
        // Parts of pages, which nobody could map.
        UnsplittableRow(96 * gibi + 1, EINVAL),
        UnsplittableRow(96 * gibi + 2048, EINVAL),
        UnsplittableRow(96 * gibi, at: 0x40_0000_0800, EINVAL),
        UnsplittableRow(1, needsReserve: false, EINVAL),
        // Ends that 64 bits do not hold.
        UnsplittableRow(2 * gibi, at: UInt64.max - gibi + 1, EOVERFLOW),
        UnsplittableRow(2 * gibi, at: UInt64.max - 4095, EOVERFLOW),
        UnsplittableRow(UInt64.max - 4095, EOVERFLOW),
        UnsplittableRow(4096, at: UInt64.max - 4095, needsReserve: false, EOVERFLOW),
        // BARs that 64 bits do not hold.
        UnsplittableRow(1 << 63 + 2 * gibi, at: 0, EOVERFLOW),
        UnsplittableRow(1 << 63 + 4096, at: 0, needsReserve: false, EOVERFLOW),
    ]
}

@Suite("The split of coherent memory")
struct MemorySplitTests {
    private static let base: UInt64 = 0x40_0000_0000

    @Test("Every size gives the parts and BARs of the table", arguments: SplitRow.all)
    func splits(row: SplitRow) throws {
        let split = try MemorySplit(base: Self.base, byteCount: row.byteCount, needsReserve: true)
        let reserved = try #require(split.reserved)
        #expect(split.usable.byteCount == row.usable)
        #expect(split.usable.barByteCount == row.usableBAR)
        #expect(split.usable.base == Self.base)
        #expect(reserved.byteCount == row.reserved)
        #expect(reserved.barByteCount == row.reservedBAR)
        #expect(reserved.base == Self.base + row.usable)
    }

    @Test("What cannot be split has the error of the table", arguments: UnsplittableRow.all)
    func refuses(row: UnsplittableRow) {
        let error = #expect(throws: VFIOError.self) {
            try MemorySplit(base: row.base, byteCount: row.byteCount, needsReserve: row.needsReserve)
        }
        #expect(error?.code == row.code, "\(error.map { "\($0)" } ?? "none")")
    }

    @Test("Without a reserve all is one part, of whole pages", arguments: [4096, 1 << 30, 96 << 30, 144_000_000_000])
    func noReserve(byteCount: UInt64) throws {
        let split = try MemorySplit(base: Self.base, byteCount: byteCount, needsReserve: false)
        #expect(split.reserved == nil)
        #expect(split.usable.byteCount == byteCount)
        #expect(split.usable.barByteCount >= byteCount && split.usable.barByteCount / 2 < byteCount)
        #expect(split.usable.barByteCount.nonzeroBitCount == 1)
    }

    @Test("Parts are side by side, hold every byte once, and fit their BARs, at any size and place")
    func partsCoverAll() throws {
        var random = SeededRandom(seed: 5)
        for _ in 0..<2000 {
            let byteCount = UInt64.random(in: 1536 * mebi...(1 << 40), using: &random) & ~4095
            let base = UInt64.random(in: 0...(1 << 46), using: &random) & ~4095
            let split = try MemorySplit(base: base, byteCount: byteCount, needsReserve: true)
            let reserved = try #require(split.reserved)
            #expect(split.usable.addresses.upperBound == reserved.addresses.lowerBound)
            #expect(split.usable.addresses.lowerBound == base && reserved.addresses.upperBound == base + byteCount)
            #expect(split.usable.byteCount % MemorySplit.blockByteCount == 0 && split.usable.byteCount > 0)
            #expect((gibi..<gibi + 512 * mebi).contains(reserved.byteCount))
            #expect(reserved.barByteCount == (reserved.byteCount == gibi ? gibi : 2 * gibi))
            #expect(split.usable.barByteCount >= split.usable.byteCount)
            #expect(split.usable.barByteCount / 2 < split.usable.byteCount)
        }
    }
}
