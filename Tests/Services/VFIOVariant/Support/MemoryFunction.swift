// The smallest VFIO device that has memory to map: region 2 is memory with a tail behind it, region 0 a page of registers
// that fail when told to. It is written to the contract of coherent memory, and is no driver of anything.

import Glibc
import Interrupts
import Leases
import Memory
import PCIe
import Synchronization
import VFIOVariant

final class MemoryFunction: VFIODevice {
    static let memoryBytes: UInt64 = 0x3_2000
    static let barBytes: UInt64 = 0x4_0000
    let name = "memory"
    let identity = PCIeIdentity(vendor: 0x1D0B, device: 2, classCode: 0x03_0200, revision: 0xA1)
    let vectorCount = 0
    let census: Census
    let memory: PhysicalMemory
    private let state = Mutex(State())

    struct State {
        var isOpen = false
        var opens = 0
        var resets = 0
        /// What the next calls of each kind fail with.
        var failure: VFIOError?
        var config = [UInt8](repeating: 0, count: 256)
        var features: [[UInt8]] = []
    }

    init(census: Census = Census()) throws(SystemError) {
        self.census = census
        memory = try PhysicalMemory(base: 0x10_0000_0000, byteCount: Self.memoryBytes, name: "sample memory")
    }

    /// What has happened so far, and what is to happen.
    func look<Result>(_ body: (inout sending State) -> sending Result) -> Result { state.withLock(body) }

    private func check() throws(VFIOError) {
        try state.withLock { state throws(VFIOError) in
            guard state.isOpen else { throw VFIOError(EBADF, "not open") }
            if let failure = state.failure { throw failure }
        }
    }

    func open() throws(VFIOError) {
        try state.withLock { state throws(VFIOError) in
            if let failure = state.failure { throw failure }
            guard !state.isOpen else { throw VFIOError(EBUSY, "open already") }
            state.isOpen = true
            state.opens += 1
        }
    }

    func close() { state.withLock { $0.isOpen = false } }

    func reset() throws(VFIOError) {
        try check()
        state.withLock { $0.resets += 1 }
    }

    func region(_ index: Int) throws(VFIOError) -> VFIORegion {
        try check()
        switch index {
        case 0: return VFIORegion(byteCount: 4096, isWritable: false)
        case 2:
            return VFIORegion(
                byteCount: Self.barBytes,
                is64Bit: true,
                isPrefetchable: true,
                memory: VFIORegion.FileMemory(
                    fileDescriptor: memory.fileDescriptor,
                    fileOffset: 0,
                    areas: [0..<Self.memoryBytes],
                    caching: .writeBack
                )
            )
        case 0..<VFIORegion.config: return .absent
        case VFIORegion.config: return VFIORegion(byteCount: 256)
        default: throw VFIOError(EINVAL, "region \(index)")
        }
    }

    /// How many of `count` bytes at `offset` are in a region, and how many of those are memory.
    private func extent(_ region: Int, _ offset: UInt64, _ count: Int) throws(VFIOError) -> (inside: Int, memory: Int) {
        try check()
        let size = try self.region(region).byteCount
        guard offset < size else { throw VFIOError(EINVAL, "offset \(offset) of \(size)") }
        let inside = min(UInt64(count), size - offset)
        guard region == 2 else { return (Int(inside), 0) }
        return (Int(inside), Int(min(inside, Self.memoryBytes - min(offset, Self.memoryBytes))))
    }

    func read(region: Int, at offset: UInt64, into bytes: inout MutableRawSpan) throws(VFIOError) -> Int {
        let (inside, inMemory) = try extent(region, offset, bytes.byteCount)
        let config = state.withLock { $0.config }
        for index in 0..<inside {
            let place = Int(offset) + index
            // SAFETY: `extent` says what is memory.
            let byte =
                switch region {
                case 2: index < inMemory ? unsafe memory.bytes[place] : 0xFF
                case VFIORegion.config: config[place]
                default: UInt8(truncatingIfNeeded: place)
                }
            bytes.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        }
        return inside
    }

    func write(region: Int, at offset: UInt64, from bytes: RawSpan) throws(VFIOError) -> Int {
        let (inside, inMemory) = try extent(region, offset, bytes.byteCount)
        guard region != 0 else { throw VFIOError(EINVAL, "region 0 is not written") }
        for index in 0..<inside {
            let place = Int(offset) + index
            // SAFETY: any byte is a UInt8; `extent` says what is memory.
            let byte = unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            if region == 2, index < inMemory { unsafe memory.bytes[place] = byte }
            if region == VFIORegion.config { state.withLock { $0.config[place] = byte } }
        }
        return inside
    }

    func map(region: Int, _ range: Range<UInt64>) throws(VFIOError) -> RegionMapping {
        try check()
        guard region == 2, range.upperBound <= Self.memoryBytes else {
            throw VFIOError(EINVAL, "no memory at \(range)")
        }
        let base = unsafe mmap(
            nil,
            range.count,
            PROT_READ | PROT_WRITE,
            MAP_SHARED,
            memory.fileDescriptor,
            off_t(range.lowerBound)
        )
        guard let base = unsafe base, unsafe base != MAP_FAILED else { throw VFIOError(errno, "mmap") }
        let mark = census.mark("mapping")
        return unsafe RegionMapping(owning: base, byteCount: range.count, caching: .writeBack, mark: mark)
    }

    func attachVector(_ index: Int, cpu: Int?) throws(VFIOError) -> InterruptLease {
        throw VFIOError(EINVAL, "vector \(index) of 0")
    }

    /// Feature 3 gives four bytes and takes any.
    func feature(_ flags: UInt32, _ argument: [UInt8]) throws(VFIOError) -> [UInt8] {
        try check()
        guard flags & 0xFFFF == 3 else { throw VFIOError(ENOTTY, "feature \(flags & 0xFFFF)") }
        state.withLock { $0.features.append(argument) }
        return flags & 0x1_0000 != 0 ? [1, 2, 3, 4] : []
    }
}
