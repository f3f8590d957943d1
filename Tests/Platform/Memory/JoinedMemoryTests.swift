// Memory that an IOMMU shows a device as one piece and that is in several: found where the pieces continue each other here
// as well, and mapped once more, in the device's order, where they do not.

import Memory
import Testing

/// `pages` pages of our memory, entered at `iova` one by one, in the order that `order` says.
///
/// SAFETY: the memory outlives the space; both live as long as this value.
private final class Pages {
    let space = IOVASpace()
    let memory: SharedMemory
    static var iova: UInt64 { 0x10_0000 }

    init(_ order: [Int], _ permissions: (Int) -> DMAPermissions = { _ in .both }) throws {
        memory = try SharedMemory(byteCount: order.count * 4096, name: "test")
        for (place, page) in order.enumerated() {
            unsafe memory.base.storeBytes(of: UInt64(page), toByteOffset: page * 4096, as: UInt64.self)
            unsafe try space.map(
                iova: Self.iova + UInt64(place * 4096),
                base: memory.base + page * 4096,
                byteCount: 4096,
                permissions(place)
            )
        }
    }

    func allows(_ offset: Int, _ length: Int, _ access: DMAPermissions) -> Bool {
        unsafe space.address(Self.iova + UInt64(offset), length: length, access) != nil
    }

    func joined(_ offset: Int, _ length: Int, _ access: DMAPermissions = .both) -> Joined? {
        Joined(JoinedMemory(space, iova: Self.iova &+ UInt64(bitPattern: Int64(offset)), length: length, access))
    }
}

/// A joined range, as something that can be compared with nil.
private final class Joined {
    private let memory: JoinedMemory

    init?(_ memory: consuming JoinedMemory?) {
        guard let memory else { return nil }
        self.memory = memory
    }

    // SAFETY (both): the tests stay inside the range.
    func load(_ offset: Int) -> UInt32 { unsafe memory.base.load(fromByteOffset: offset, as: UInt32.self) }
    func store(_ offset: Int, _ value: UInt32) {
        unsafe memory.base.storeBytes(of: value, toByteOffset: offset, as: UInt32.self)
    }
}

@Suite struct JoinedMemoryTests {
    @Test func piecesThatContinueEachOtherAreOne() throws {
        let pages = try Pages([0, 1, 2])
        let first = unsafe pages.space.address(Pages.iova, length: 1, .both)
        let whole = unsafe pages.space.address(Pages.iova, length: 3 * 4096, .both)
        let isOne = unsafe whole == first && first == pages.memory.base
        #expect(isOne)
        #expect(pages.allows(4095, 2, .deviceWrites))
        #expect(pages.allows(4096, 8192, .deviceReads))
        #expect(pages.space.faults == 0)
        #expect(!pages.allows(0, 3 * 4096 + 1, .deviceReads))
        #expect(!pages.allows(8192, 4097, .deviceReads))
        #expect(pages.space.faults == 2)
        #expect(pages.joined(0, 0) === nil)
    }

    @Test func piecesAreNotOneAcrossAnotherPermission() throws {
        let pages = try Pages([0, 1, 2]) { $0 == 1 ? .deviceReads : .both }
        #expect(!pages.allows(4095, 2, .deviceReads))
        #expect(pages.joined(0, 3 * 4096, .deviceWrites) === nil)
        // Joined for what all of them permit.
        let joined = pages.joined(0, 3 * 4096, .deviceReads)
        #expect(joined !== nil)
    }

    @Test func scatteredPagesAreNotOneByThemselves() throws {
        let pages = try Pages([2, 0, 1])
        #expect(!pages.allows(0, 8192, .deviceReads))
        #expect(pages.allows(4096, 8192, .deviceReads), "the last two continue each other")
        try pages.space.unmap(iova: Pages.iova + 8192)
        #expect(!pages.allows(4096, 8192, .deviceReads))
    }

    @Test func joinsScatteredPagesInTheDevicesOrder() throws {
        let pages = try Pages([2, 0, 3, 1])
        let joined = try #require(pages.joined(16, 4 * 4096 - 32))
        for (place, page) in [2, 0, 3, 1].enumerated() where place > 0 {
            #expect(joined.load(place * 4096 - 16) == UInt32(page))
        }
        // They are the same pages, not copies.
        joined.store(4096 - 8, 0xD00B)
        let seen = unsafe pages.memory.base.load(fromByteOffset: 8, as: UInt32.self)
        #expect(seen == 0xD00B)
        unsafe pages.memory.base.storeBytes(of: 0xBE11, toByteOffset: 3 * 4096 + 8, as: UInt32.self)
        #expect(joined.load(8192 - 8) == 0xBE11)
    }

    @Test func joinsNothingWhereTheDeviceMayNotGo() throws {
        let pages = try Pages([1, 0, 2])
        #expect(pages.joined(0, 3 * 4096 + 1) === nil)
        #expect(pages.joined(-4096, 8192) === nil)
        #expect(pages.joined(0, 4096) === nil, "one is enough")
        #expect(pages.joined(0, .max) === nil)
        try pages.space.unmap(iova: Pages.iova + 4096)
        #expect(pages.joined(0, 3 * 4096) === nil, "a hole")
        #expect(pages.space.faults == 0, "to ask is no access")
    }

    @Test func doesNotJoinWhatCannotBeMappedAgain() throws {
        let space = IOVASpace()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 4 * 4096, alignment: 4096)
        defer { unsafe memory.deallocate() }
        unsafe try space.map(iova: 0x1000, base: memory + 8192, byteCount: 4096, .both)
        unsafe try space.map(iova: 0x2000, base: memory, byteCount: 4096, .both)
        let ours = Joined(JoinedMemory(space, iova: 0x1000, length: 8192, .both))
        #expect(ours === nil, "private memory")
        let shared = try SharedMemory(byteCount: 8192, name: "test")
        unsafe try space.map(iova: 0x1_0000, base: shared.base + 4096, byteCount: 2048, .both)
        unsafe try space.map(iova: 0x1_0800, base: shared.base, byteCount: 2048, .both)
        let parts = Joined(JoinedMemory(space, iova: 0x1_0000, length: 4096, .both))
        #expect(parts === nil, "parts of pages")
    }
}
