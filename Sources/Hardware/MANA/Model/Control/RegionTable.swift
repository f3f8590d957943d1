// Memory regions: pages that the driver listed, in its order, until a queue takes them.
// Source: Linux mana_gd_create_dma_region (gdma_main.c), mana_ib_gd_create_dma_region for lists in several requests.

import MANAWire
import Memory

struct RegionTable {
    private struct Region {
        let offset: UInt32
        let pageCount: Int
        var pages: [UInt64]
        var isComplete: Bool { pages.count == pageCount }
    }

    private var regions: [UInt64: Region] = [:]
    private var heldPages = 0
    private let mostRegions: Int
    private let mostPages: Int

    init(_ limits: MANALimits) {
        mostRegions = limits.regions
        mostPages = limits.regionPages
    }

    var count: Int { regions.count }

    mutating func removeAll() {
        regions = [:]
        heldPages = 0
    }

    /// Begins a region; whether all its pages are listed.
    mutating func create(_ handle: UInt64, _ request: Message<CreateRegion>) throws(RequestRefusal) -> Bool {
        let offset = request[.offsetInPage]
        let pageCount = Int(request[.pageCount])
        let (end, wraps) = request[.length].addingReportingOverflow(UInt64(offset))
        // Pages of 4 KiB alone: the function says of no others that it knows them.
        guard request[.pageType] == 0, offset < MANA.pageBytes, request[.length] > 0, !wraps,
            end <= UInt64(pageCount) * UInt64(MANA.pageBytes),
            end > UInt64(pageCount - 1) * UInt64(MANA.pageBytes)
        else { throw .invalid }
        guard regions.count < mostRegions, pageCount <= mostPages - heldPages else { throw .exhausted }
        let pages = try Self.pages(request.elements(.pages), listed: request[.listedCount], atMost: pageCount)
        regions[handle] = Region(offset: offset, pageCount: pageCount, pages: pages)
        heldPages += pageCount
        return pages.count == pageCount
    }

    /// Goes on with a region; whether all its pages are listed now.
    mutating func add(_ request: Message<AddPages>) throws(RequestRefusal) -> Bool {
        guard var region = regions[request[.region]] else { throw .notFound }
        region.pages += try Self.pages(
            request.elements(.pages),
            listed: request[.listedCount],
            atMost: region.pageCount - region.pages.count
        )
        regions[request[.region]] = region
        return region.isComplete
    }

    private static func pages(
        _ elements: [UInt64],
        listed: UInt32,
        atMost most: Int
    ) throws(RequestRefusal) -> [UInt64] {
        let listed = Int(listed)
        guard listed <= elements.count, listed <= most, elements.prefix(listed).allSatisfy({ $0 % 4096 == 0 }) else {
            throw .invalid
        }
        return Array(elements.prefix(listed))
    }

    mutating func remove(_ handle: UInt64) throws(RequestRefusal) {
        guard let region = regions.removeValue(forKey: handle) else { throw .notFound }
        heldPages -= region.pageCount
    }

    /// Whether a handle is a region, and all its pages are listed.
    func isComplete(_ handle: UInt64) -> Bool { regions[handle]?.isComplete ?? false }

    /// A ring of `byteCount` bytes over a region, which stays until `remove`.
    func ring(_ handle: UInt64, byteCount: UInt32, _ memory: IOVASpace) throws(RequestRefusal) -> RingMemory {
        guard let region = regions[handle] else { throw .notFound }
        guard region.isComplete, region.offset == 0,
            let ring = RingMemory(memory, pages: region.pages, byteCount: Int(byteCount), .both)
        else { throw .invalid }
        return ring
    }
}
