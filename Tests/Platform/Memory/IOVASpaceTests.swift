// What a device may reach: every start and length around a mapping, permissions, wrap-around, change under a lookup.

import Memory
import Simulation
import Testing

/// A space with one page of our memory in it.
///
/// SAFETY: the page outlives the space; both live as long as this value.
private struct MappedPage: ~Copyable {
    let space: IOVASpace
    var memory: SharedMemory
    static var iova: UInt64 { 0x1_0000 }

    init(_ permissions: DMAPermissions = .both, iova: UInt64 = Self.iova) throws {
        let memory = try SharedMemory(byteCount: 4096, name: "test")
        let space = IOVASpace()
        unsafe try space.map(iova: iova, base: memory.base, byteCount: 4096, permissions)
        self.space = space
        self.memory = memory
    }
}

extension IOVASpace {
    /// Whether a read (or a write) of `length` bytes at `iova` goes through.
    fileprivate func allows(_ iova: UInt64, length: Int, _ access: DMAPermissions) -> Bool {
        unsafe address(iova, length: length, access) != nil
    }

    // SAFETY (both): UInt8 has no padding and no invalid bit pattern, so its spans may be seen as raw bytes.

    /// Whether a write of `bytes` at `iova` goes through.
    fileprivate func writeBytes(_ bytes: [UInt8], at iova: UInt64) -> Bool {
        unsafe write(iova, from: bytes.span.bytes)
    }

    /// A copy of device-visible memory, if it may be read.
    fileprivate func readBytes(_ iova: UInt64, count: Int) -> [UInt8]? {
        var copy = [UInt8](repeating: 0xEE, count: count)
        var span = copy.mutableSpan
        var bytes = unsafe span.mutableBytes
        return read(iova, into: &bytes) ? copy : nil
    }
}

@Suite struct IOVASpaceTests {
    /// Every start from below to beyond the page, every length that could cross an edge.
    @Test func exactlyWhatLiesInsideIsReached() throws {
        let page = try MappedPage()
        let first = MappedPage.iova
        let end = first + 4096
        var refused: UInt64 = 0
        for start in [first - 4096, first - 2, first - 1, first, first + 1, end - 2, end - 1, end, end + 1] {
            for length in [0, 1, 2, 3, 4095, 4096, 4097, 8192, Int.max] {
                let inside =
                    start >= first && start <= end && UInt64(length) <= end - start
                #expect(page.space.allows(start, length: length, .deviceReads) == inside, "\(start) + \(length)")
                if !inside { refused += 1 }
            }
        }
        #expect(page.space.faults == refused)
    }

    /// Addresses whose end wraps round to the mapping: the classical hole in a bounds check.
    @Test(arguments: [UInt64.max, .max - 1, .max - 4095, .max - 0xFFFF, 1 << 63] as [UInt64])
    func anEndThatWrapsReachesNothing(start: UInt64) throws {
        let page = try MappedPage()
        for length in [1, 2, 4096, 0x1_0000, 0x1_1000, Int.max] {
            #expect(!page.space.allows(start, length: length, .deviceReads))
        }
    }

    @Test func aNegativeLengthReachesNothing() throws {
        let page = try MappedPage()
        for length in [-1, -4096, Int.min] {
            #expect(!page.space.allows(MappedPage.iova, length: length, .deviceReads))
        }
    }

    @Test(
        arguments: [
            (.deviceReads, true, false), (.deviceWrites, false, true), (.both, true, true), ([], false, false),
        ] as [(DMAPermissions, Bool, Bool)]
    )
    func permissionsAreTheDevices(_ permissions: DMAPermissions, reads: Bool, writes: Bool) throws {
        let page = try MappedPage(permissions)
        #expect(page.space.allows(MappedPage.iova, length: 8, .deviceReads) == reads)
        #expect(page.space.allows(MappedPage.iova, length: 8, .deviceWrites) == writes)
        #expect(page.space.allows(MappedPage.iova, length: 8, .both) == (reads && writes))
    }

    @Test func aRefusalIsRemembered() throws {
        let page = try MappedPage(.deviceReads)
        #expect(page.space.lastFault == nil)
        #expect(!page.space.allows(MappedPage.iova + 16, length: 8, .deviceWrites))
        #expect(page.space.lastFault?.iova == MappedPage.iova + 16)
        #expect(page.space.lastFault?.length == 8)
        #expect(page.space.lastFault?.access == .deviceWrites)
        #expect(
            page.space.lastFault?.description == "device write of 8 bytes at IOVA 0x10010: not mapped for it"
        )
        #expect(page.space.faults == 1)
    }

    @Test func copiesAreWholeOrNothing() throws {
        var page = try MappedPage()
        for index in 0..<4096 { page.memory.setByte(at: index, to: UInt8(truncatingIfNeeded: index)) }
        #expect(page.space.readBytes(MappedPage.iova + 4094, count: 2) == [0xFE, 0xFF])
        #expect(page.space.readBytes(MappedPage.iova + 4094, count: 3) == nil)

        let data: [UInt8] = [1, 2, 3]
        #expect(page.space.writeBytes(data, at: MappedPage.iova + 4093))
        #expect((4093..<4096).map { page.memory.byte(at: $0) } == data)
        #expect(!page.space.writeBytes(data, at: MappedPage.iova + 4094))
        #expect((4093..<4096).map { page.memory.byte(at: $0) } == data, "nothing was written, not even what fitted")
    }

    @Test func nothingIsCopiedFromOrToNowhere() throws {
        let page = try MappedPage()
        #expect(page.space.readBytes(MappedPage.iova, count: 0) == [])
        #expect(page.space.writeBytes([], at: MappedPage.iova + 4096), "no bytes, at the very end")
        #expect(!page.space.writeBytes([], at: MappedPage.iova + 4097))
    }

    @Test func refusesWhatCannotBeMapped() throws {
        let page = try MappedPage()
        let base = unsafe page.memory.base
        let refusals: [(UInt64, Int, IOVAError)] = [
            (0x9_0000, 0, .empty),
            (0x9_0000, -4096, .empty),
            (.max, 1, .wraps(iova: .max, byteCount: 1)),
            (.max - 4094, 4096, .wraps(iova: .max - 4094, byteCount: 4096)),
            (MappedPage.iova, 4096, .overlaps(iova: MappedPage.iova, byteCount: 4096)),
            (MappedPage.iova - 1, 2, .overlaps(iova: MappedPage.iova - 1, byteCount: 2)),
            (MappedPage.iova + 4095, 1, .overlaps(iova: MappedPage.iova + 4095, byteCount: 1)),
            (MappedPage.iova - 8, 8192, .overlaps(iova: MappedPage.iova - 8, byteCount: 8192)),
            (MappedPage.iova + 8, 8, .overlaps(iova: MappedPage.iova + 8, byteCount: 8)),
        ]
        let generation = page.space.generation
        for (iova, byteCount, refusal) in refusals {
            #expect(throws: refusal) {
                unsafe try page.space.map(iova: iova, base: base, byteCount: byteCount, .both)
            }
        }
        #expect(page.space.mappingCount == 1)
        #expect(page.space.generation == generation)
    }

    @Test func neighboursDoNotMergeAndDoNotOverlap() throws {
        let page = try MappedPage()
        let base = unsafe page.memory.base
        for iova in [MappedPage.iova - 4096, MappedPage.iova + 4096] {
            unsafe try page.space.map(iova: iova, base: base, byteCount: 4096, .both)
        }
        #expect(page.space.mappingCount == 3)
        #expect(page.space.allows(MappedPage.iova + 4095, length: 1, .both))
        #expect(page.space.allows(MappedPage.iova + 4096, length: 1, .both))
        #expect(
            !page.space.allows(MappedPage.iova + 4095, length: 2, .both),
            "two mappings are not one: their memory need not be"
        )
    }

    @Test func unmappingEndsReachAndChangesTheGeneration() throws {
        let page = try MappedPage()
        let before = page.space.generation
        #expect(throws: IOVAError.notMapped(iova: MappedPage.iova + 1)) {
            try page.space.unmap(iova: MappedPage.iova + 1)
        }
        #expect(page.space.generation == before)
        try page.space.unmap(iova: MappedPage.iova)
        #expect(page.space.generation > before)
        #expect(!page.space.allows(MappedPage.iova, length: 1, .deviceReads))
        #expect(throws: IOVAError.notMapped(iova: MappedPage.iova)) { try page.space.unmap(iova: MappedPage.iova) }
    }

    /// What QEMU sends when it rearranges a guest's memory: ranges of nothing, of all, up to the last byte there is.
    @Test func unmappingARangeClosesAllInItOrNothing() throws {
        let page = try MappedPage()
        let base = unsafe page.memory.base
        let first = MappedPage.iova
        for iova in [first + 0x2000, first + 0x4000] {
            unsafe try page.space.map(iova: iova, base: base, byteCount: 4096, .both)
        }
        #expect(try page.space.unmap(everythingIn: 0...(first - 1)) == [])
        #expect(try page.space.unmap(everythingIn: (first + 0x1000)...(first + 0x1FFF)) == [])
        for cut in [first...(first + 0x2FFE), (first + 1)...(first + 0x2FFF), (first + 4095)...(first + 4095)] {
            let victim = cut.lowerBound == first ? first + 0x2000 : first
            #expect(throws: IOVAError.cuts(iova: victim)) { try page.space.unmap(everythingIn: cut) }
        }
        #expect(page.space.mappingCount == 3)
        #expect(try page.space.unmap(everythingIn: first...(first + 0x2FFF)) == [first, first + 0x2000])
        #expect(!page.space.allows(first, length: 1, .deviceReads))
        #expect(page.space.allows(first + 0x4000, length: 4096, .both))
        #expect(try page.space.unmap(everythingIn: 0...(.max)) == [first + 0x4000])
        #expect(page.space.mappingCount == 0)
    }

    /// Random maps, unmaps and accesses over 16 pages of address space, against a table of which page is open.
    @Test(arguments: [UInt64(1), 2, 3, 4])
    func agreesWithATableOfPages(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let memory = try SharedMemory(byteCount: 16 * 4096, name: "test")
        let base = unsafe memory.base
        let space = IOVASpace()
        var starts: [UInt64: DMAPermissions] = [:]

        for _ in 0..<4000 {
            let page = UInt64.random(in: 0..<16, using: &random)
            let iova = page * 4096
            switch Int.random(in: 0..<5, using: &random) {
            case 4:
                let last = iova + UInt64.random(in: 0..<4, using: &random) * 4096 + 4095
                let inside = starts.keys.filter { (iova...last).contains($0) }.sorted()
                #expect(try space.unmap(everythingIn: iova...last) == inside)
                for start in inside { starts[start] = nil }
            case 0:
                let permissions = DMAPermissions(rawValue: UInt8.random(in: 0...3, using: &random))
                let isFree = starts[iova] == nil
                do {
                    unsafe try space.map(iova: iova, base: base + Int(iova), byteCount: 4096, permissions)
                    #expect(isFree)
                    starts[iova] = permissions
                } catch {
                    #expect(!isFree)
                }
            case 1:
                let wasMapped = starts.removeValue(forKey: iova) != nil
                #expect(((try? space.unmap(iova: iova)) != nil) == wasMapped)
            default:
                let offset = UInt64.random(in: 0..<4096, using: &random)
                let length = Int.random(in: 1...4096, using: &random)
                let access: DMAPermissions = Bool.random(using: &random) ? .deviceReads : .deviceWrites
                // Here the next page of addresses is the next page of memory as well, so two of a kind are one.
                let fits = offset + UInt64(length) <= 4096 || starts[iova + 4096] == starts[iova]
                let expected = (starts[iova]?.contains(access) ?? false) && fits
                let address = unsafe space.address(iova + offset, length: length, access)
                let found = unsafe address.map { unsafe $0 - base }
                #expect(found == (expected ? Int(iova + offset) : nil))
            }
            #expect(space.mappingCount == starts.count)
        }
    }
}
