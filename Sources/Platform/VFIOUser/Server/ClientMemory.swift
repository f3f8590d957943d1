// The client's memory that the device may reach: files mapped here, entered in the device's IOVA space.
//
// A file is mapped once, whole, and shared by all mappings that are in it: a guest behind a virtual IOMMU makes one per
// page. What the client can do to a file later (truncate it) must not end this process; see CLinuxGuard.h.

import CLinux
import Glibc
import Memory

/// A file of the client, mapped. Its end unmaps it.
@safe private final class MappedFile {
    struct Key: Hashable {
        let device: UInt64
        let inode: UInt64
        let isWritable: Bool
    }

    let base: UnsafeMutableRawPointer
    let byteCount: Int
    /// Mappings in it.
    var mappingCount = 0
    var isBroken = false

    init(_ descriptor: borrowing OwnedDescriptor, byteCount: Int, isWritable: Bool) throws(Refusal) {
        var error: Int32 = 0
        // SAFETY: a new mapping, ours until deinit.
        let address = unsafe clinux_map_guarded(descriptor.raw, UInt(byteCount), isWritable ? 1 : 0, &error)
        guard let address = unsafe address else { throw Refusal(error, "the file cannot be mapped") }
        unsafe base = address
        self.byteCount = byteCount
    }

    deinit { unsafe clinux_unmap_guarded(base, UInt(byteCount)) }

    /// Asks whether the file was truncated under us.
    func look() -> Bool {
        if !isBroken, unsafe clinux_is_broken(base) != 0 { isBroken = true }
        return isBroken
    }
}

/// All mappings of one client.
final class ClientMemory {
    private struct Mapping {
        let byteCount: UInt64
        /// Nil: the client gave no descriptor, so it is reached by messages.
        let file: MappedFile?
    }

    private static let pageSize: UInt64 = 4096
    /// Files without a mapping that stay mapped, because the next mapping is likely in them.
    private static let mostIdleFiles = 8

    private let space: IOVASpace
    private let mostMappings: Int
    private let mostFiles: Int
    private let mostFileBytes: UInt64
    /// Where new mappings go.
    private var files: [MappedFile.Key: MappedFile] = [:]
    /// Of files that have grown or were truncated since: where older mappings still are.
    private var oldFiles: [MappedFile] = []
    private var mappings: [UInt64: Mapping] = [:]
    private var seenBroken = clinux_broken_count()

    init(_ space: IOVASpace, _ options: VFIOUserServerOptions) {
        self.space = space
        mostMappings = options.mostMappings
        mostFiles = options.mostFiles
        mostFileBytes = options.mostFileBytes
    }

    var count: Int { mappings.count }

    // MARK: Mapping

    /// Enters memory that is in a file.
    func map(_ request: MapDMARequest, _ descriptor: borrowing OwnedDescriptor) throws(Refusal) {
        try check(request)
        guard request.fileOffset % Self.pageSize == 0 else { throw Refusal(EINVAL, "offset not of whole pages") }
        let file = try file(for: request, descriptor)
        let permissions = DMAPermissions(request)
        // SAFETY: the file stays mapped as long as the mapping, which keeps it. `file(for:)` has checked that the range
        // lies in it, so the conversions fit.
        let base = unsafe file.base + Int(request.fileOffset)
        do throws(IOVAError) {
            unsafe try space.map(iova: request.iova, base: base, byteCount: Int(request.size), permissions)
        } catch {
            throw Refusal(error)
        }
        file.mappingCount += 1
        mappings[request.iova] = Mapping(byteCount: request.size, file: file)
    }

    /// Enters memory without a file: the device reaches it by transfers.
    func mapRemote(_ request: MapDMARequest) throws(Refusal) {
        try check(request)
        guard request.flags & MapDMARequest.byMapping == 0 else { throw Refusal(EINVAL, "nothing to map") }
        guard let size = Int(exactly: request.size) else { throw Refusal(EINVAL, "longer than an address space") }
        do throws(IOVAError) {
            try space.mapRemote(iova: request.iova, byteCount: size, DMAPermissions(request))
        } catch {
            throw Refusal(error)
        }
        mappings[request.iova] = Mapping(byteCount: request.size, file: nil)
    }

    private func check(_ request: MapDMARequest) throws(Refusal) {
        guard request.size > 0 else { throw Refusal(EINVAL, "no bytes") }
        guard request.iova % Self.pageSize == 0, request.size % Self.pageSize == 0 else {
            throw Refusal(EINVAL, "not of whole pages")
        }
        guard mappings.count < mostMappings else { throw Refusal(ENOSPC, "more than \(mostMappings) mappings") }
    }

    /// The mapping of the file that the range is in: one that is there, or a new one.
    private func file(
        for request: MapDMARequest,
        _ descriptor: borrowing OwnedDescriptor
    ) throws(Refusal) -> MappedFile {
        var status = clinux_file()
        // SAFETY: the address of a local.
        let result = unsafe clinux_describe_file(descriptor.raw, &status)
        guard result == 0 else { throw Refusal(-result, "fstat") }
        guard status.is_memory != 0 else { throw Refusal(EINVAL, "not a file in memory") }
        guard status.is_readable != 0 else { throw Refusal(EACCES, "a descriptor that cannot be read") }
        let wantsWriting = request.flags & MapDMARequest.writable != 0
        guard !wantsWriting || status.is_writable != 0 else { throw Refusal(EACCES, "a descriptor to read only") }
        let (end, wraps) = request.fileOffset.addingReportingOverflow(request.size)
        guard !wraps, let size = Int(exactly: status.size), end <= UInt64(clamping: size) else {
            throw Refusal(EINVAL, "behind the end of the file")
        }
        let key = MappedFile.Key(device: status.device, inode: status.inode, isWritable: status.is_writable != 0)
        if let file = files[key], !file.look(), end <= UInt64(file.byteCount) { return file }
        try makeRoom(for: UInt64(size))
        // A file that has grown gets a new mapping; the old one lives as long as the mappings in it.
        let file = try MappedFile(descriptor, byteCount: size, isWritable: key.isWritable)
        if let old = files.updateValue(file, forKey: key), old.mappingCount > 0 { oldFiles.append(old) }
        return file
    }

    /// Checks that one file more may be mapped here, without those that nothing is in.
    private func makeRoom(for byteCount: UInt64) throws(Refusal) {
        func isRoom() -> Bool {
            let sizes = files.values.reduce(oldFiles.reduce(0) { $0 + UInt64($1.byteCount) }) {
                $0 + UInt64($1.byteCount)
            }
            return files.count + oldFiles.count < mostFiles && byteCount <= mostFileBytes
                && sizes <= mostFileBytes - byteCount
        }
        guard !isRoom() else { return }
        files = files.filter { $0.value.mappingCount > 0 }
        guard isRoom() else { throw Refusal(ENOSPC, "more than \(mostFiles) files, or \(mostFileBytes) bytes of them") }
    }

    // MARK: Unmapping

    /// Closes all mappings inside a range; there may be none.
    func unmap(_ range: ClosedRange<UInt64>) throws(Refusal) {
        let closed: [UInt64]
        do throws(IOVAError) {
            closed = try space.unmap(everythingIn: range)
        } catch {
            throw Refusal(error)
        }
        for iova in closed {
            guard let mapping = mappings.removeValue(forKey: iova) else { continue }
            mapping.file?.mappingCount -= 1
        }
        if files.count > Self.mostIdleFiles { files = files.filter { $0.value.mappingCount > 0 } }
        if !oldFiles.isEmpty { oldFiles.removeAll { $0.mappingCount == 0 } }
    }

    func unmapAll() {
        // Nothing lies partly outside of everything.
        try? unmap(0...UInt64.max)
        files = [:]
        oldFiles = []
    }

    // MARK: Looks

    /// Takes files that were truncated out of the device's reach; how many.
    func dropBroken() -> UInt64 {
        let count = clinux_broken_count()
        guard count != seenBroken else { return 0 }
        seenBroken = count
        // It may be another client's.
        let broken = files.values.count { $0.look() } + oldFiles.count { $0.look() }
        guard broken > 0 else { return 0 }
        for (iova, mapping) in mappings {
            guard let file = mapping.file, file.isBroken else { continue }
            try? space.unmap(iova: iova)
            mappings[iova] = nil
        }
        files = files.filter { !$0.value.isBroken }
        oldFiles.removeAll { $0.isBroken }
        return UInt64(broken)
    }
}

extension DMAPermissions {
    fileprivate init(_ request: MapDMARequest) {
        self = []
        if request.flags & MapDMARequest.readable != 0 { insert(.deviceReads) }
        if request.flags & MapDMARequest.writable != 0 { insert(.deviceWrites) }
    }
}

extension Refusal {
    fileprivate init(_ error: IOVAError) {
        switch error {
        case .overlaps: self.init(EEXIST, "\(error)")
        case .notMapped: self.init(ENOENT, "\(error)")
        case .empty, .wraps, .cuts: self.init(EINVAL, "\(error)")
        }
    }
}
