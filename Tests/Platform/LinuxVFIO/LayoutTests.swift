// Answers of the kernel taken apart, and answers that no kernel gives.

import LinuxVFIO
import Testing

@Suite struct RegionLayoutTests {
    @Test func readsARegionThatCanBeMappedWhole() throws {
        let layout = try #require(
            RegionLayout(regionInfoBytes(flags: 7, byteCount: 0x10_0000, fileOffset: 0x100_0000_0000))
        )
        #expect(layout.byteCount == 0x10_0000 && layout.fileOffset == 0x100_0000_0000)
        #expect(layout.isReadable && layout.isWritable)
        #expect(layout.mappable == [0..<0x10_0000])
    }

    @Test func readsTheGapOfAnInterruptTable() throws {
        let areas: [(offset: UInt64, byteCount: UInt64)] = [(0, 0x2000), (0x4000, 0x1000), (0x8000, 0)]
        let answer = regionInfoBytes(flags: 7, byteCount: 0x8000, fileOffset: 0x1000, sparse: areas)
        #expect(try #require(RegionLayout(answer)).mappable == [0..<0x2000, 0x4000..<0x5000])
    }

    @Test func findsNothingToMapWhereThereIsNothing() throws {
        #expect(try #require(RegionLayout(regionInfoBytes(flags: 3, byteCount: 4096, fileOffset: 0))).mappable == [])
        #expect(try #require(RegionLayout(regionInfoBytes(flags: 7, byteCount: 0, fileOffset: 0))).mappable == [])
        #expect(
            try #require(RegionLayout(regionInfoBytes(flags: 7, byteCount: 4096, fileOffset: 0, sparse: []))).mappable
                == []
        )
    }

    @Test func refusesAnAreaThatLeavesTheRegion() {
        #expect(RegionLayout(regionInfoBytes(flags: 7, byteCount: 4096, fileOffset: 0, sparse: [(4096, 4096)])) == nil)
        #expect(RegionLayout(regionInfoBytes(flags: 7, byteCount: 4096, fileOffset: 0, sparse: [(.max, 2)])) == nil)
    }

    @Test func refusesWhatIsCutShort() {
        let whole = regionInfoBytes(
            flags: 7,
            byteCount: 0x8000,
            fileOffset: 0,
            sparse: [(0, 0x2000), (0x4000, 0x1000)]
        )
        for length in 0..<32 { #expect(RegionLayout(Array(whole.prefix(length))) == nil, "\(length) bytes") }
        for length in 48..<whole.count { #expect(RegionLayout(Array(whole.prefix(length))) == nil, "\(length) bytes") }
        #expect(RegionLayout(whole) != nil)
    }

    @Test func aLoopOfCapabilitiesEnds() {
        var answer = regionInfoBytes(flags: 7, byteCount: 0x8000, fileOffset: 0, sparse: [(0, 0x2000)])
        answer[32] = 9  // another capability …
        answer[36] = 32  // … that leads to itself
        #expect(CapabilityChain(answer, first: 32).find(1) == nil)
        #expect(RegionLayout(answer)?.mappable == [0..<0x8000])
    }
}

@Suite struct IOMMULayoutTests {
    @Test func readsRangesPageSizesAndRoomForMappings() throws {
        let layout = try #require(IOMMULayout(iommuInfoBytes([0xFEF0_0000...(1 << 48) - 1, 0...0xFEDF_FFFF])))
        #expect(layout.pageBytes == 4096)
        #expect(layout.ranges == [0...0xFEDF_FFFF, 0xFEF0_0000...(1 << 48) - 1])
        #expect(layout.mappingsLeft == 65535)
    }

    @Test func aKernelThatSaysNothingGets39Bits() throws {
        var answer = KernelBytes()
        answer.word(16)
        answer.word(1)
        answer.quadWord(0x1000)
        let layout = try #require(IOMMULayout(answer.bytes))
        #expect(layout.ranges == [0...0x7F_FFFF_FFFF])
        #expect(layout.mappingsLeft == nil)
    }

    @Test func refusesRangesThatAreNone() {
        var answer = iommuInfoBytes([0x1000...0x1FFF])
        #expect(IOMMULayout(answer) != nil)
        answer[24 + 16] = 0xFF  // starts behind its end
        answer[24 + 17] = 0xFF
        #expect(IOMMULayout(answer) == nil)
        #expect(IOMMULayout(Array(iommuInfoBytes([0...4095, 8192...12287]).prefix(60))) == nil)
        #expect(IOMMULayout([]) == nil)
    }
}
