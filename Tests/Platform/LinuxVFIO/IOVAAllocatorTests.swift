// Addresses for mappings: inside the ranges, apart, aligned, and not soon used again.

import LinuxVFIO
import Simulation
import Testing

@Suite struct IOVAAllocatorTests {
    private func allocator(_ ranges: [ClosedRange<UInt64>]) throws -> IOVAAllocator {
        IOVAAllocator(try #require(IOMMULayout(iommuInfoBytes(ranges))))
    }

    private func expect(
        _ addresses: inout IOVAAllocator,
        _ byteCount: UInt64,
        alignment: UInt64,
        _ expected: UInt64?,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let taken = addresses.take(byteCount: byteCount, alignment: alignment)
        #expect(taken == expected, sourceLocation: location)
    }

    @Test func keepsToTheRangesAndUsesThemUp() throws {
        // Three pages and one; a piece of one page needs a second as its guard.
        var addresses = try allocator([0x1000...0x3FFF, 0xF000...0x10FFF])
        expect(&addresses, 4096, alignment: 4096, 0x1000)
        expect(&addresses, 1, alignment: 4096, 0xF000)
        expect(&addresses, 1, alignment: 4096, nil)
        addresses.giveBack(0x1000)
        expect(&addresses, 8192, alignment: 4096, 0x1000)
    }

    @Test func handsNoAddressOutTwiceWhileThereAreOthers() throws {
        var addresses = try allocator([0...(1 << 39) - 1])
        let taken = addresses.take(byteCount: 4096, alignment: 4096)
        let first = try #require(taken)
        addresses.giveBack(first)
        let next = addresses.take(byteCount: 4096, alignment: 4096)
        let second = try #require(next)
        #expect(second > first + 4096)
        #expect(first >= 1 << 32, "not where memory is")
        #expect(addresses.takenCount == 1)
    }

    @Test func neverHandsOutZero() throws {
        var addresses = try allocator([0...0x1FFF])
        expect(&addresses, 1, alignment: 4096, nil)
        addresses = try allocator([0...0x2FFF])
        expect(&addresses, 1, alignment: 4096, 0x1000)
    }

    @Test func alignsToHugePages() throws {
        var addresses = try allocator([0...(1 << 39) - 1])
        _ = addresses.take(byteCount: 4096, alignment: 4096)
        let taken = addresses.take(byteCount: 4 << 20, alignment: 2 << 20)
        let huge = try #require(taken)
        #expect(huge % (2 << 20) == 0)
    }

    @Test func refusesWhatCannotBe() throws {
        var addresses = try allocator([0...UInt64.max])
        expect(&addresses, 0, alignment: 4096, nil)
        expect(&addresses, .max, alignment: 4096, nil)
        expect(&addresses, .max - 4096, alignment: 4096, nil)
        expect(&addresses, 4096, alignment: 3000, nil)
        #expect(addresses.takenCount == 0)
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func piecesNeverTouch(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let ranges: [ClosedRange<UInt64>] = [0x1000...0x4_FFFF, 0x8_0000...0x10_0FFF, 0x20_0000...0x3F_FFFF]
        var addresses = try allocator(ranges)
        var out: [UInt64: UInt64] = [:]
        var refusals = 0
        for _ in 0..<4000 {
            if Bool.random(using: &random), let victim = out.keys.sorted().randomElement(using: &random) {
                addresses.giveBack(victim)
                out[victim] = nil
                continue
            }
            let byteCount = UInt64.random(in: 1...0x2_0000, using: &random)
            let alignment: UInt64 = [4096, 4096, 0x1_0000].randomElement(using: &random) ?? 4096
            guard let start = addresses.take(byteCount: byteCount, alignment: alignment) else {
                refusals += 1
                continue
            }
            let end = start + byteCount - 1
            #expect(start % alignment == 0)
            #expect(ranges.contains { $0.contains(start) && $0.contains(end) })
            // A whole page of nothing on both sides.
            #expect(!out.contains { start <= $0.key + $0.value + 4095 - ($0.value - 1) % 4096 && $0.key <= end })
            out[start] = byteCount
        }
        #expect(addresses.takenCount == out.count)
        #expect(refusals > 0 && refusals < 3000, "it was full at times, and not always")
    }
}
