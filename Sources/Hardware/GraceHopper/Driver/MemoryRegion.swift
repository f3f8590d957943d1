// One part of the device's memory as a region: what it is, its bytes for reads and writes, and mappings of it. Source of
// truth: nvgrace_gpu_map_device_mem, nvgrace_gpu_map_and_read, nvgrace_gpu_map_and_write (nvgrace-gpu/main.c).

import Glibc
import Leases
import Memory
import Synchronization
import VFIOVariant

/// A part and the way to its bytes. It is mapped when somebody reads or writes it first, and stays so until `unmap`.
final class MemoryRegion: Sendable {
    let part: MemoryPart
    private let caching: MemoryCaching
    private let memory: PhysicalMemory
    private let fileOffset: UInt64
    private let census: Census
    private let window = Mutex<Window?>(nil)

    /// The driver's own mapping. Who is in the midst of an access keeps it.
    private final class Window: Sendable {
        let mapping: RegionMapping
        init(_ mapping: consuming RegionMapping) { self.mapping = mapping }
    }

    /// - Throws: `ENOMEM` where the part is not all in `memory`.
    init(
        _ part: MemoryPart,
        in memory: PhysicalMemory,
        caching: MemoryCaching,
        census: Census
    ) throws(VFIOError) {
        guard let fileOffset = memory.fileOffset(of: part.base, byteCount: part.byteCount) else {
            throw VFIOError(
                ENOMEM,
                "memory of \(hex(part.byteCount)) bytes at \(hex(part.base)), expected it in the machine's "
                    + "\(hex(memory.byteCount)) bytes at \(hex(memory.base))"
            )
        }
        self.part = part
        self.memory = memory
        self.caching = caching
        self.fileOffset = fileOffset
        self.census = census
    }

    /// What a caller learns of it: the BAR, of which only the memory can be mapped.
    var description: VFIORegion {
        VFIORegion(
            byteCount: part.barByteCount,
            is64Bit: true,
            isPrefetchable: true,
            memory: VFIORegion.FileMemory(
                fileDescriptor: memory.fileDescriptor,
                fileOffset: fileOffset,
                areas: [0..<part.byteCount],
                caching: caching
            )
        )
    }

    /// What an access of `count` bytes at `offset` comes to.
    func access(at offset: UInt64, count: Int) throws(VFIOError) -> RegionAccess {
        try RegionAccess(offset: offset, count: count, memory: part.byteCount, bar: part.barByteCount)
    }

    /// Reads what `access` found: memory, then ones.
    func read(_ access: RegionAccess, at offset: UInt64, into bytes: inout MutableRawSpan) throws(VFIOError) {
        let window = access.memoryByteCount > 0 ? try mapped() : nil
        unsafe bytes.withUnsafeMutableBytes { target in
            guard let target = target.baseAddress else { return }
            if let window {
                // SAFETY: `access` is inside the part, and the window shows all of it.
                unsafe memcpy(target, window.mapping.base + Int(offset), access.memoryByteCount)
            }
            // SAFETY: the access is no longer than `bytes`.
            unsafe memset(target + access.memoryByteCount, 0xFF, access.emptyByteCount)
        }
    }

    /// Writes what `access` found to be memory; the rest is dropped.
    func write(_ access: RegionAccess, at offset: UInt64, from bytes: RawSpan) throws(VFIOError) {
        guard access.memoryByteCount > 0 else { return }
        let window = try mapped()
        unsafe bytes.withUnsafeBytes { source in
            guard let source = source.baseAddress else { return }
            // SAFETY: as in `read`.
            unsafe memcpy(window.mapping.base + Int(offset), source, access.memoryByteCount)
        }
    }

    /// Lends a stretch of the memory.
    func map(_ request: MappingRequest) throws(VFIOError) -> RegionMapping {
        try map(at: request.offset, byteCount: request.byteCount, purpose: "region mapping")
    }

    /// Ends the driver's own mapping, if there is one.
    func unmap() { window.withLock { $0 = nil } }

    private func mapped() throws(VFIOError) -> Window {
        try window.withLock { window throws(VFIOError) in
            if let window { return window }
            guard let count = Int(exactly: part.byteCount) else {
                throw VFIOError(ENOMEM, "\(hex(part.byteCount)) bytes to map, expected fewer")
            }
            let made = Window(try map(at: 0, byteCount: count, purpose: "memory window"))
            window = made
            return made
        }
    }

    private func map(at offset: UInt64, byteCount: Int, purpose: String) throws(VFIOError) -> RegionMapping {
        let place = off_t(truncatingIfNeeded: fileOffset + offset)
        let base = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, memory.fileDescriptor, place)
        guard let base = unsafe base, unsafe base != MAP_FAILED else {
            throw VFIOError(ENOMEM, "a mapping of \(byteCount) bytes: \(SystemError.last("mmap"))")
        }
        // SAFETY: mmap has just given it.
        return unsafe RegionMapping(
            owning: base,
            byteCount: byteCount,
            caching: caching,
            mark: census.mark(purpose)
        )
    }
}
