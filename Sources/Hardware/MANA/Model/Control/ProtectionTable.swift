// Protection domains, memory registrations, device memory and doorbell pages: what an RDMA driver asks for. They are given
// out, held against each other and taken back; nothing here moves data by them.
// Source: Linux drivers/infiniband/hw/mana (main.c, mr.c, dm.c of 7.x) for the order; gdma.h for the messages.

import MANAWire

struct ProtectionTable {
    private struct Registration {
        let domain: UInt64
        let backing: UInt64?
    }

    /// Bytes of device memory in all, and what it is given out by.
    private static let deviceMemoryBytes: UInt64 = 1 << 20
    private static let mostHandles = 1024

    private var domains: [UInt64: UInt32] = [:]
    private var registrations: [UInt64: Registration] = [:]
    private var deviceMemory: [UInt64: UInt64] = [:]
    private var doorbellPages: Set<Int> = []
    private var nextKey: UInt32 = 0x1000
    /// Pages behind those of the channel and of the network adapter.
    private let pages: Range<Int>

    init(doorbellPages: Range<Int>) { pages = doorbellPages }

    var count: Int { domains.count + registrations.count + deviceMemory.count + doorbellPages.count }

    mutating func removeAll() { self = ProtectionTable(doorbellPages: pages) }

    private func checkRoom() throws(RequestRefusal) {
        guard domains.count + registrations.count + deviceMemory.count < Self.mostHandles else { throw .exhausted }
    }

    private mutating func makeKey() -> UInt32 {
        defer { nextKey &+= 1 }
        return nextKey
    }

    // MARK: Domains and registrations

    mutating func createDomain(_ handle: UInt64) throws(RequestRefusal) -> UInt32 {
        try checkRoom()
        let id = makeKey()
        domains[handle] = id
        return id
    }

    /// Not while something is registered in it.
    mutating func destroyDomain(_ handle: UInt64) throws(RequestRefusal) {
        guard domains[handle] != nil else { throw .notFound }
        guard !registrations.values.contains(where: { $0.domain == handle }) else { throw .notReady }
        domains[handle] = nil
    }

    /// - Parameter isRegion: whether a handle is a region that is whole.
    mutating func register(
        _ handle: UInt64,
        _ request: Message<CreateMemoryRegistration>,
        isRegion: (UInt64) -> Bool
    ) throws(RequestRefusal) -> UInt32 {
        guard domains[request[.domain]] != nil else { throw .notFound }
        let backing: UInt64?
        switch RegistrationType(rawValue: request[.type]) {
        case .physical: backing = nil
        case .virtual, .zeroBased:
            guard isRegion(request[.backing]) else { throw .notFound }
            backing = request[.backing]
        case .deviceMemory:
            guard deviceMemory[request[.backing]] != nil else { throw .notFound }
            backing = request[.backing]
        case nil: throw .invalid
        }
        try checkRoom()
        registrations[handle] = Registration(domain: request[.domain], backing: backing)
        return makeKey()
    }

    mutating func deregister(_ handle: UInt64) throws(RequestRefusal) {
        guard registrations.removeValue(forKey: handle) != nil else { throw .notFound }
    }

    /// Whether a region or a piece of device memory is registered.
    func isInUse(_ backing: UInt64) -> Bool { registrations.values.contains { $0.backing == backing } }

    // MARK: Device memory

    mutating func allocate(_ handle: UInt64, byteCount: UInt64) throws(RequestRefusal) {
        guard byteCount > 0 else { throw .invalid }
        try checkRoom()
        guard byteCount <= Self.deviceMemoryBytes - deviceMemory.values.reduce(0, +) else { throw .exhausted }
        deviceMemory[handle] = byteCount
    }

    mutating func free(_ handle: UInt64) throws(RequestRefusal) {
        guard deviceMemory[handle] != nil else { throw .notFound }
        guard !isInUse(handle) else { throw .notReady }
        deviceMemory[handle] = nil
    }

    // MARK: Doorbell pages

    /// The first of `count` pages that lie side by side.
    mutating func allocatePages(_ count: UInt32, alignment: UInt32) throws(RequestRefusal) -> Int {
        let count = Int(count)
        let alignment = max(1, Int(alignment))
        guard count > 0, alignment.nonzeroBitCount == 1 else { throw .invalid }
        guard count <= pages.count,
            let first = pages.first(where: { first in
                first % alignment == 0 && first + count <= pages.upperBound
                    && doorbellPages.isDisjoint(with: first..<first + count)
            })
        else { throw .exhausted }
        doorbellPages.formUnion(first..<first + count)
        return first
    }

    mutating func freePages(_ first: UInt32, count: UInt32) throws(RequestRefusal) {
        let (end, wraps) = first.addingReportingOverflow(count)
        guard count > 0, !wraps, count <= pages.count, doorbellPages.isSuperset(of: Int(first)..<Int(end)) else {
            throw .notFound
        }
        doorbellPages.subtract(Int(first)..<Int(end))
    }
}
