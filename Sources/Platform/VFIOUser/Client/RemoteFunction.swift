// A function at the other end of a connection: what the backing, its views and its leases share. One connection at a time,
// one command at a time, whichever thread asks.

import Backing
import Clock
import Glibc
import Interrupts
import Leases
import Memory
import PCIe
import Registers
import Synchronization

/// The connection and the books that are kept on it.
@safe final class RemoteFunction: @unchecked Sendable {
    // SAFETY (Sendable): what changes is touched with `lock` held; the rest is immutable or atomic.
    let name: String
    let identity: PCIeIdentity
    let options: VFIOUserOptions
    let presence: LinkPresence
    private let lock = RecursiveLock()
    private var link: ClientLink
    /// How many `together` are under way, all of the thread that holds the lock.
    private var togetherDepth = 0
    private(set) var device: DeviceDescription

    private let memory: IOVASpace
    private var loans: [UInt64: Loan] = [:]
    private var nextIOVA: UInt64 = 0x10_0000_0000
    private var vectors: [Int: InterruptCell] = [:]
    /// Message control of the MSI-X capability.
    private let msixControl: UInt16?
    private let areas: [Int: MappedAreas]
    private var doorbells: [Int: DoorbellWindow] = [:]

    /// Memory that is lent to the device: what a new connection is told again.
    private struct Loan {
        let byteCount: Int
        let permissions: DMAPermissions
        /// The lease's holder keeps it open.
        let file: Int32
    }

    /// Takes over a connected socket and gets to know the device behind it.
    init(
        _ socket: consuming OwnedDescriptor,
        name: String,
        _ options: VFIOUserOptions
    ) throws(DeviceError) {
        let memory = IOVASpace()
        let presence = LinkPresence()
        var link = ClientLink(socket, options, memory: memory, presence: presence)
        var areas: [Int: MappedAreas] = [:]
        var device: DeviceDescription
        let identity: PCIeIdentity
        let msix: UInt16?
        do throws(LinkFailure) {
            try link.negotiate()
            device = try link.describe { region, description, file in
                // A store by message would be behind one to memory.
                if region < 6, !options.postsStores { areas[region] = MappedAreas(description, file) }
            }
            identity = try link.identity()
            try link.switchOn(device)
            msix = try link.findMSIX()
            device.vectorCount = try link.vectorCount(of: device, msix)
        } catch {
            throw DeviceError(error.code, device: name, operation: "connect", error.detail)
        }
        self.name = name
        self.options = options
        self.memory = memory
        self.presence = presence
        self.areas = areas
        self.device = device
        self.identity = identity
        msixControl = msix.map { $0 + 2 }
        self.link = link
    }

    var counters: VFIOUserClientCounters { locked { link.counters } }

    private func locked<Result>(_ body: () -> Result) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return body()
    }

    /// Runs `body` on the connection; its failure as the operation's error.
    private func exchange<Result>(
        _ operation: String,
        _ body: (inout ClientLink) throws(LinkFailure) -> Result
    ) throws(DeviceError) -> Result {
        lock.lock()
        defer { lock.unlock() }
        do throws(LinkFailure) {
            return try body(&link)
        } catch {
            throw DeviceError(error.code, device: name, operation: operation, error.detail)
        }
    }

    // MARK: Registers

    /// Reads a register; all ones if nobody answers, or the server refuses.
    func load(_ region: UInt32, _ offset: UInt64, byteCount: Int) -> UInt64 {
        let nothing = UInt64.max >> UInt64(64 - 8 * byteCount)
        guard presence.isAnswering else { return nothing }
        lock.lock()
        defer { lock.unlock() }
        return (try? link.read(region, offset, byteCount: byteCount)) ?? nothing
    }

    /// Writes a register: now, with those that belong together, or without waiting.
    func store(_ region: UInt32, _ offset: UInt64, byteCount: Int, _ value: UInt64) {
        guard presence.isAnswering else { return }
        lock.lock()
        defer { lock.unlock() }
        do throws(LinkFailure) {
            guard togetherDepth > 0 || options.postsStores else {
                return try link.write(region, offset, byteCount: byteCount, value)
            }
            try link.collect(RegionAccess(offset: offset, region: region, count: UInt32(byteCount)), value)
            if togetherDepth == 0 { try link.sendWrites() }
        } catch {
            // A device that refuses a store, or is gone, drops it; the driver finds out by what it reads.
        }
    }

    func together<Result>(_ body: () -> Result) -> Result {
        lock.lock()
        togetherDepth += 1
        defer {
            togetherDepth -= 1
            if togetherDepth == 0 { endTogether() }
            lock.unlock()
        }
        return body()
    }

    private func endTogether() {
        do throws(LinkFailure) {
            if options.postsStores { try link.sendWrites() } else { try link.settleWrites() }
        } catch {
            // As in `store`.
        }
    }

    /// Has the device act on what this thread has collected, before it is reached by another way.
    func settleWrites() {
        lock.lock()
        defer { lock.unlock() }
        do throws(LinkFailure) {
            try link.settleWrites()
        } catch {
            // As in `store`.
        }
    }

    // MARK: Configuration space

    private var configByteCount: UInt64 { device.regions[Region.config]?.byteCount ?? 0 }

    func readConfig(_ offset: UInt16, _ size: AccessSize) -> UInt32 {
        guard UInt64(offset) + UInt64(size.rawValue) <= configByteCount else {
            return UInt32(truncatingIfNeeded: size.allOnes)
        }
        return UInt32(truncatingIfNeeded: load(UInt32(Region.config), UInt64(offset), byteCount: size.rawValue))
    }

    func writeConfig(_ offset: UInt16, _ size: AccessSize, _ value: UInt32) {
        guard presence.isAnswering, UInt64(offset) + UInt64(size.rawValue) <= configByteCount else { return }
        lock.lock()
        defer { lock.unlock() }
        do throws(LinkFailure) {
            try link.write(UInt32(Region.config), UInt64(offset), byteCount: size.rawValue, UInt64(value))
        } catch {
            // As in `store`.
        }
    }

    // MARK: BARs

    /// The view of a BAR; nil: there is none.
    func view(_ index: Int) throws(DeviceError) -> VFIOUserBAR? {
        guard (0..<6).contains(index), let region = device.regions[index], region.isPresent else { return nil }
        lock.lock()
        defer { lock.unlock() }
        if doorbells[index] == nil, !options.postsStores {
            doorbells[index] = try exchange("map BAR \(index)") { link throws(LinkFailure) in
                try link.doorbells(region: index, byteCount: region.byteCount)?.window()
            }
        }
        return VFIOUserBAR(
            function: self,
            region: UInt32(index),
            byteCount: region.byteCount,
            areas: areas[index],
            doorbells: doorbells[index]
        )
    }

    // MARK: DMA

    /// SAFETY: the memory stays mapped in this process, and its file open, until `unmapDMA`.
    @unsafe func mapDMA(
        _ base: UnsafeMutableRawPointer,
        byteCount: Int,
        _ permissions: DMAPermissions,
        file: Int32
    ) throws(DeviceError) -> UInt64 {
        lock.lock()
        defer { lock.unlock() }
        guard loans.count < link.offer.mostMappings else {
            throw DeviceError(
                .noResource,
                device: name,
                operation: "map DMA",
                "the server takes \(link.offer.mostMappings) mappings, and has them"
            )
        }
        // A page of nothing between mappings, and no address twice: a stale or overrun address finds nothing.
        let iova = nextIOVA
        let (next, overflow) = iova.addingReportingOverflow(UInt64(byteCount) + ClientLink.pageBytes)
        guard !overflow else {
            throw DeviceError(.noResource, device: name, operation: "map DMA", "no addresses are left")
        }
        // It may be asked for before the reply has come.
        do {
            unsafe try memory.map(iova: iova, base: base, byteCount: byteCount, permissions)
        } catch {
            throw DeviceError(.invalidArgument, device: name, operation: "map DMA", "\(error)")
        }
        nextIOVA = next
        let loan = Loan(byteCount: byteCount, permissions: permissions, file: file)
        do {
            try exchange("map DMA") { link throws(LinkFailure) in try Self.tell(&link, iova, loan, options) }
        } catch {
            try? memory.unmap(iova: iova)
            throw error
        }
        loans[iova] = loan
        return iova
    }

    private static func tell(
        _ link: inout ClientLink,
        _ iova: UInt64,
        _ loan: Loan,
        _ options: VFIOUserOptions
    ) throws(LinkFailure) {
        let file: OwnedDescriptor?
        do throws(SystemError) {
            file = options.sharesMemory ? try .duplicate(of: loan.file) : nil
        } catch {
            throw .local(error)
        }
        try link.mapDMA(iova, byteCount: UInt64(loan.byteCount), loan.permissions, file: file)
    }

    // MARK: Interrupts

    /// Why no vector was attached, if not for the connection.
    enum VectorRefusal: Error {
        case attached
        case failed(DeviceError)
    }

    func attachVector(_ index: Int) throws(VectorRefusal) -> InterruptCell {
        lock.lock()
        defer { lock.unlock() }
        guard vectors[index] == nil else { throw .attached }
        let cell = InterruptCell.signalledFromOutside()
        let others = vectors
        vectors[index] = cell
        do throws(DeviceError) {
            try exchange("attach vector") { link throws(LinkFailure) in
                try enableMSIX(&link)
                if device.vectorsAreFixed, !others.isEmpty {
                    try setAllVectors(&link)
                } else {
                    try link.setVectors(from: index, [cell.eventDescriptor])
                }
            }
        } catch {
            vectors[index] = nil
            // What the others had may be gone by now.
            if device.vectorsAreFixed, !others.isEmpty {
                _ = try? exchange("restore vectors") { link throws(LinkFailure) in try setAllVectors(&link) }
            }
            throw .failed(error)
        }
        return cell
    }

    /// Where vectors cannot be added, all are taken away and set anew, with an eventfd that nobody reads in the holes. A
    /// message that comes in between is lost, so whoever waits for one is woken to look.
    private func setAllVectors(_ link: inout ClientLink) throws(LinkFailure) {
        try link.disableVectors()
        guard let last = vectors.keys.max() else { return }
        let nobody = InterruptCell.signalledFromOutside()
        try link.setVectors(from: 0, (0...last).map { (vectors[$0] ?? nobody).eventDescriptor })
        for cell in vectors.values {
            var one: UInt64 = 1
            // SAFETY: the address and the size of a local. A full eventfd wakes as well.
            _ = unsafe write(cell.eventDescriptor, &one, 8)
        }
    }

    private func enableMSIX(_ link: inout ClientLink) throws(LinkFailure) {
        guard let msixControl else { return }
        let control = try link.read(UInt32(Region.config), UInt64(msixControl), byteCount: 2)
        guard control & MSIXCapability.enable == 0 else { return }
        let enabled = control | MSIXCapability.enable
        try link.write(UInt32(Region.config), UInt64(msixControl), byteCount: 2, enabled)
    }

    /// Tells a device that has forgotten its vectors about all of them.
    private func restoreVectors(_ link: inout ClientLink) throws(LinkFailure) {
        guard !vectors.isEmpty else { return }
        try enableMSIX(&link)
        guard !device.vectorsAreFixed else { return try setAllVectors(&link) }
        for (index, cell) in vectors.sorted(by: { $0.key < $1.key }) {
            try link.setVectors(from: index, [cell.eventDescriptor])
        }
    }

    // MARK: Reset

    func reset() throws(DeviceError) {
        try exchange("reset") { link throws(LinkFailure) in
            // As Linux's pci_reset_function does: what the driver had configured is there again afterwards.
            let saved = try link.readConfiguration()
            try link.resetDevice()
            try link.writeConfiguration(saved)
            try restoreVectors(&link)
        }
    }

    // MARK: The server's own commands

    /// Serves what the server has asked, unless somebody waits for it just now and does so.
    func serveArrivals() -> Bool {
        guard lock.tryLock() else { return false }
        defer { lock.unlock() }
        return link.serveArrivals()
    }

    /// What to sleep on for `serveArrivals`.
    var serviceDescriptor: Int32? { presence.isAnswering ? locked { link.socket.raw } : nil }

    // MARK: Another connection

    /// Goes on over a new connection to a server that has kept the device.
    func reconnect(_ socket: consuming OwnedDescriptor) throws(DeviceError) {
        lock.lock()
        defer { lock.unlock() }
        guard togetherDepth == 0 else {
            throw DeviceError(.invalidArgument, device: name, operation: "reconnect", "inside of `together`")
        }
        link.breakOff(.gone("another connection takes its place"))
        let counters = link.counters
        link = ClientLink(socket, options, memory: memory, presence: presence)
        link.counters = counters
        try exchange("reconnect") { link throws(LinkFailure) in
            try link.negotiate()
            var isSame = true
            var other = try link.describe { region, description, file in
                guard let mapped = areas[region] else { return }
                if !mapped.replace(description, file) { isSame = false }
            }
            other.vectorCount = device.vectorCount
            guard isSame, Self.fits(other, device) else { throw link.confused("this is another device") }
            // The device may begin to work with the first access to a region: it must find all that it had.
            for (iova, loan) in loans.sorted(by: { $0.key < $1.key }) {
                try Self.tell(&link, iova, loan, options)
            }
            try reattach(&link)
            guard try link.identity() == identity else { throw link.confused("this is another device") }
            try link.switchOn(device)
            try restoreVectors(&link)
            for (index, window) in doorbells {
                let byteCount = device.regions[index]?.byteCount ?? 0
                guard let files = try link.doorbells(region: index, byteCount: byteCount), window.replace(files) else {
                    throw link.confused("BAR \(index) lends other doorbells")
                }
            }
        }
        presence.isAnswering = true
    }

    /// Gives the vectors' descriptors to a server that has none, without an access to the device.
    private func reattach(_ link: inout ClientLink) throws(LinkFailure) {
        guard !device.vectorsAreFixed else { return }
        for (index, cell) in vectors.sorted(by: { $0.key < $1.key }) {
            try link.setVectors(from: index, [cell.eventDescriptor])
        }
    }

    private static func fits(_ one: DeviceDescription, _ other: DeviceDescription) -> Bool {
        one.vectorCount == other.vectorCount
            && one.regions.mapValues(\.byteCount) == other.regions.mapValues(\.byteCount)
    }

    /// Ends the connection, as a server does that goes.
    func disconnect() { locked { link.breakOff(.gone("this side has closed the connection")) } }
}

extension RemoteFunction: DMAUnmapper {
    func unmapDMA(iova: UInt64, byteCount: Int) {
        lock.lock()
        defer { lock.unlock() }
        // The lease that calls this mapped it, once. A server that is gone, or refuses, keeps pages of a file that nobody
        // else has any more.
        do throws(LinkFailure) {
            try link.unmapDMA(iova, byteCount: UInt64(byteCount))
        } catch {}
        try? memory.unmap(iova: iova)
        loans[iova] = nil
    }
}

extension RemoteFunction: VectorDetacher {
    func detachVector(_ index: Int) {
        lock.lock()
        defer { lock.unlock() }
        vectors[index] = nil
        // A server that refuses signals an eventfd that nobody reads.
        do throws(LinkFailure) {
            try link.clearVector(index)
        } catch {}
    }
}
