// What a device may reach: memory by IOVA, with permissions, as an IOMMU gives it. Every access of a model goes through
// here; an address that a driver, a guest or a descriptor made up is answered with nil and a counter, never with a trap.

/// What a device may do with a mapping. Directions are the device's: `deviceReads` is what Linux calls DMA_TO_DEVICE.
@frozen public struct DMAPermissions: OptionSet, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    @inlinable public static var deviceReads: DMAPermissions { .init(rawValue: 1) }
    @inlinable public static var deviceWrites: DMAPermissions { .init(rawValue: 2) }
    @inlinable public static var both: DMAPermissions { .init(rawValue: 3) }
}

/// Why a mapping was refused.
public enum IOVAError: Error, Equatable {
    case empty
    /// `iova + byteCount` does not fit 64 bits.
    case wraps(iova: UInt64, byteCount: Int)
    /// Another mapping lies there.
    case overlaps(iova: UInt64, byteCount: Int)
    case notMapped(iova: UInt64)
    /// The mapping that starts at `iova` lies only partly in the range.
    case cuts(iova: UInt64)
}

/// A stretch of device-visible memory: `[iova, iova + byteCount)` at `base` in this process. For remote memory, which is
/// not in this process, nothing is permitted here and `remotePermissions` says what transfers may do.
@unsafe @frozen public struct IOVAWindow {
    public let iova: UInt64
    public let byteCount: UInt64
    public let base: UnsafeMutableRawPointer
    public let permissions: DMAPermissions
    @usableFromInline let remotePermissions: DMAPermissions

    @inlinable init(iova: UInt64, byteCount: UInt64, base: UnsafeMutableRawPointer, permissions: DMAPermissions) {
        unsafe self.iova = iova
        unsafe self.byteCount = byteCount
        unsafe self.base = base
        unsafe self.permissions = permissions
        unsafe self.remotePermissions = []
    }

    fileprivate init(remote iova: UInt64, byteCount: UInt64, permissions: DMAPermissions) {
        unsafe self.iova = iova
        unsafe self.byteCount = byteCount
        // Never followed, because nothing is permitted.
        unsafe self.base = UnsafeMutableRawPointer(bitPattern: 0x1000).unsafelyUnwrapped
        unsafe self.permissions = []
        unsafe self.remotePermissions = permissions
    }

    fileprivate var lastByte: UInt64 { unsafe iova + (byteCount - 1) }

    /// The address of `[start, start + length)`, if it lies inside and `access` is permitted.
    @inlinable public func address(_ start: UInt64, length: Int, _ access: DMAPermissions) -> UnsafeMutableRawPointer? {
        let offset = unsafe start &- iova
        // `offset` wraps to a huge number below the window; the second comparison cannot overflow after the first.
        guard unsafe offset <= byteCount, length >= 0, unsafe UInt64(length) <= byteCount &- offset,
            unsafe permissions.isSuperset(of: access)
        else { return nil }
        return unsafe base + Int(truncatingIfNeeded: offset)
    }
}

/// The IOVA space of one device. It belongs to the model's owner thread: mapping, unmapping and access are all made
/// there, so that an unmap that has returned has no access behind it.
@safe public final class IOVASpace {
    /// Ascending, none overlaps another. A guest behind a virtual IOMMU has thousands.
    private var windows: [IOVAWindow] = unsafe []
    private var lastHit = 0
    /// Grows with every change; a window that was looked up at an older generation must be looked up again.
    public private(set) var generation: UInt64 = 1
    /// Accesses refused: outside every mapping, or against its permissions.
    public private(set) var faults: UInt64 = 0
    /// The last refused access.
    public private(set) var lastFault: DMAFault?
    /// What the device wants read from and written to remote memory.
    public let transfers = RemoteTransfers()

    public init() {}

    /// Opens `[iova, iova + byteCount)` to the device.
    ///
    /// SAFETY: `base` must stay mapped until `unmap`.
    @unsafe public func map(
        iova: UInt64,
        base: UnsafeMutableRawPointer,
        byteCount: Int,
        _ permissions: DMAPermissions
    ) throws(IOVAError) {
        let place = try freePlace(iova: iova, byteCount: byteCount)
        unsafe windows.insert(
            IOVAWindow(iova: iova, byteCount: UInt64(byteCount), base: base, permissions: permissions),
            at: place
        )
        generation &+= 1
    }

    /// Opens `[iova, iova + byteCount)`, which is not in this process: the device reaches it by `transfers` alone.
    public func mapRemote(iova: UInt64, byteCount: Int, _ permissions: DMAPermissions) throws(IOVAError) {
        let place = try freePlace(iova: iova, byteCount: byteCount)
        unsafe windows.insert(
            IOVAWindow(remote: iova, byteCount: UInt64(byteCount), permissions: permissions),
            at: place
        )
        generation &+= 1
    }

    /// Whether all of `[iova, iova + length)` is remote memory with `access` permitted.
    public func isRemote(_ iova: UInt64, length: Int, _ access: DMAPermissions) -> Bool {
        let place = firstIndex(above: iova) - 1
        guard place >= 0, length >= 0 else { return false }
        let window = unsafe windows[place]
        let offset = unsafe iova - window.iova
        return unsafe offset <= window.byteCount && UInt64(length) <= window.byteCount - offset
            && !access.isEmpty && window.remotePermissions.isSuperset(of: access)
    }

    /// Counts an access that is refused.
    @discardableResult
    package func refuse(_ iova: UInt64, length: Int, _ access: DMAPermissions) -> DMAFault {
        let fault = DMAFault(iova: iova, length: length, access: access)
        faults &+= 1
        lastFault = fault
        return fault
    }

    /// Where in `windows` a new one belongs.
    private func freePlace(iova: UInt64, byteCount: Int) throws(IOVAError) -> Int {
        guard byteCount > 0 else { throw .empty }
        let (end, wraps) = iova.addingReportingOverflow(UInt64(byteCount))
        guard !wraps else { throw .wraps(iova: iova, byteCount: byteCount) }
        let place = firstIndex(above: iova)
        let isClearBelow = unsafe place == 0 || windows[place - 1].lastByte < iova
        let isClearAbove = unsafe place == windows.count || end <= windows[place].iova
        guard isClearBelow, isClearAbove else { throw .overlaps(iova: iova, byteCount: byteCount) }
        return place
    }

    /// Closes the mapping that starts at `iova`.
    public func unmap(iova: UInt64) throws(IOVAError) {
        let place = firstIndex(above: iova) - 1
        guard place >= 0, unsafe windows[place].iova == iova else { throw .notMapped(iova: iova) }
        unsafe windows.remove(at: place)
        generation &+= 1
    }

    /// Closes every mapping in `range`, of which there may be none; where those started. A mapping that lies partly
    /// outside makes it close nothing.
    public func unmap(everythingIn range: ClosedRange<UInt64>) throws(IOVAError) -> [UInt64] {
        let upper = firstIndex(above: range.upperBound)
        var lower = firstIndex(above: range.lowerBound)
        // The one before may start in the range (at its first byte) or reach into it.
        if lower > 0, unsafe windows[lower - 1].lastByte >= range.lowerBound { lower -= 1 }
        guard lower < upper else { return [] }
        guard unsafe windows[lower].iova >= range.lowerBound else { throw unsafe .cuts(iova: windows[lower].iova) }
        guard unsafe windows[upper - 1].lastByte <= range.upperBound else {
            throw unsafe .cuts(iova: windows[upper - 1].iova)
        }
        let closed = unsafe windows[lower..<upper].map { unsafe $0.iova }
        unsafe windows.removeSubrange(lower..<upper)
        generation &+= 1
        return closed
    }

    /// Where in `windows`, which ascend, the first one is that starts above `iova`.
    private func firstIndex(above iova: UInt64) -> Int {
        var low = 0
        var high = unsafe windows.count
        while low < high {
            let middle = (low + high) / 2
            if unsafe windows[middle].iova > iova { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// How many mappings are open.
    public var mappingCount: Int { unsafe windows.count }

    /// The window that holds all of `[iova, iova + length)` with `access` permitted; else nil, and a fault is counted.
    ///
    /// SAFETY: the window is good until `generation` changes.
    @unsafe public func window(_ iova: UInt64, length: Int, _ access: DMAPermissions) -> IOVAWindow? {
        if unsafe lastHit < windows.count, unsafe windows[lastHit].address(iova, length: length, access) != nil {
            return unsafe windows[lastHit]
        }
        let place = firstIndex(above: iova) - 1
        if place >= 0 {
            if unsafe windows[place].address(iova, length: length, access) != nil {
                lastHit = place
                return unsafe windows[place]
            }
            let wide = unsafe widened(place, upTo: iova, length)
            if unsafe wide.address(iova, length: length, access) != nil { return unsafe wide }
        }
        refuse(iova, length: length, access)
        return nil
    }

    /// The window at `place` and those behind it that continue it on both sides, as far as they are needed: an IOMMU maps
    /// page by page what is one piece of memory.
    private func widened(_ place: Int, upTo iova: UInt64, _ length: Int) -> IOVAWindow {
        let first = unsafe windows[place]
        var byteCount = unsafe first.byteCount
        var next = place + 1
        while unsafe next < windows.count, length > 0, unsafe byteCount &- (iova - first.iova) < UInt64(length) {
            let window = unsafe windows[next]
            guard unsafe first.iova + byteCount == window.iova,
                unsafe first.base + Int(byteCount) == window.base,
                unsafe first.permissions == window.permissions, unsafe !window.permissions.isEmpty
            else { break }
            unsafe byteCount += window.byteCount
            next += 1
        }
        return unsafe IOVAWindow(
            iova: first.iova,
            byteCount: byteCount,
            base: first.base,
            permissions: first.permissions
        )
    }

    /// The windows that together hold `[iova, iova + length)`, all with `access` permitted; empty if they do not.
    func windows(over iova: UInt64, length: Int, _ access: DMAPermissions) -> [IOVAWindow] {
        guard length > 0, !access.isEmpty, !iova.addingReportingOverflow(UInt64(length - 1)).overflow else {
            return unsafe []
        }
        let last = iova + UInt64(length - 1)
        var place = firstIndex(above: iova) - 1
        guard place >= 0, unsafe windows[place].lastByte >= iova else { return unsafe [] }
        var found: [IOVAWindow] = unsafe []
        while unsafe place < windows.count {
            let window = unsafe windows[place]
            guard unsafe window.permissions.isSuperset(of: access) else { return unsafe [] }
            if let previous = unsafe found.last, unsafe previous.lastByte + 1 != window.iova { return unsafe [] }
            unsafe found.append(window)
            if unsafe window.lastByte >= last { return unsafe found }
            place += 1
        }
        return unsafe []
    }

    /// The address of `[iova, iova + length)`; nil, and a fault is counted, where the device may not go.
    ///
    /// SAFETY: good until `generation` changes. The memory is shared with a peer that may change it at any time: copy
    /// once, then use the copy.
    @unsafe public func address(_ iova: UInt64, length: Int, _ access: DMAPermissions) -> UnsafeMutableRawPointer? {
        guard let window = unsafe window(iova, length: length, access) else { return nil }
        return unsafe window.address(iova, length: length, access)
    }

    /// Copies device-visible memory into `destination`, all of it or nothing; whether it was allowed.
    public func read(_ iova: UInt64, into destination: inout MutableRawSpan) -> Bool {
        let length = destination.byteCount
        guard let source = unsafe address(iova, length: length, .deviceReads) else { return false }
        unsafe destination.withUnsafeMutableBytes { unsafe $0.copyMemory(from: .init(start: source, count: length)) }
        return true
    }

    /// Copies `source` into device-visible memory, all of it or nothing; whether it was allowed.
    public func write(_ iova: UInt64, from source: RawSpan) -> Bool {
        guard let destination = unsafe address(iova, length: source.byteCount, .deviceWrites) else { return false }
        unsafe source.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            unsafe destination.copyMemory(from: start, byteCount: bytes.count)
        }
        return true
    }
}

/// A refused access of a device.
public struct DMAFault: Error, Equatable, Sendable, CustomStringConvertible {
    public let iova: UInt64
    public let length: Int
    public let access: DMAPermissions

    public var description: String {
        let verb = access.contains(.deviceWrites) ? "write" : "read"
        return "device \(verb) of \(length) bytes at IOVA 0x\(String(iova, radix: 16)): not mapped for it"
    }
}
